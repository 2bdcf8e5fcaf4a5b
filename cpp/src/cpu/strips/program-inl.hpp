// How butterfly rounds are taken over strips: several rounds at a time, with some vectors of a row
// in registers. Compiled for each instruction set; see engine_headers.hpp.
//
// A strip holds a few vectors as rows: kLanes coordinates of a row are the lanes of a vector pack,
// as they lie in memory. Coordinates of a round that differ in one of the lowest bits are lanes of
// one pack; others are the same lane of two packs. A step takes as many rounds as it can with
// four packs of a row in registers, whose numbers differ in the step's two bits.
#pragma once

#include "cpu/simd/vector_pack-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

// How many bits number the lanes of a register.
template <class R>
inline constexpr int kLaneBits = kLanes<R> == 2   ? 1
                                 : kLanes<R> == 4 ? 2
                                 : kLanes<R> == 8 ? 3
                                                  : 4;
inline constexpr int kStepBits = 2;
inline constexpr int kStepPacks = 1 << kStepBits;

// What differs in a round: bit `kind` of the lane, or bit `kind - kBetweenPacks` of a step's.
inline constexpr int kBetweenPacks = 4;
struct StripRound {
  std::int64_t round;  // of the schedule
  int kind;
};

struct StripStep {
  Range rounds;                     // of StripProgram::rounds
  std::array<int, kStepBits> bits;  // of the number of a pack
};

// The steps of a plan with butterfly rounds, in the order in which they are run; with `adjoint`
// the rounds are in the reverse order.
template <class F>
struct StripProgram {
  StripProgram(const Plan& plan, bool adjoint)
      : packs((static_cast<std::int64_t>(plan.row_of_coordinate.size()) + kLanes<real_t<F>> - 1) /
              kLanes<real_t<F>>) {
    constexpr int kBits = kLaneBits<real_t<F>>;
    const auto count = static_cast<std::int64_t>(plan.butterfly.bits.size());
    std::vector<int> bits;  // of the step
    const auto end_step = [&](std::int64_t first, std::int64_t last) {
      for (int bit = 0; bits.size() < kStepBits; ++bit) {
        if (std::find(bits.begin(), bits.end(), bit) == bits.end()) bits.push_back(bit);
      }
      steps.push_back({{first, last}, {bits[0], bits[1]}});
      bits.clear();
    };
    std::int64_t first = 0;
    for (std::int64_t k = 0; k < count; ++k) {
      const std::int64_t round = adjoint ? count - 1 - k : k;
      const int bit = plan.butterfly.bits[static_cast<std::size_t>(round)];
      if (bit < kBits) {
        rounds.push_back({round, bit});
        continue;
      }
      auto place = std::find(bits.begin(), bits.end(), bit - kBits);
      if (place == bits.end()) {
        if (bits.size() == kStepBits) {
          end_step(first, k);
          first = k;
        }
        bits.push_back(bit - kBits);
        place = bits.end() - 1;
      }
      rounds.push_back({round, kBetweenPacks + static_cast<int>(place - bits.begin())});
    }
    end_step(first, count);
    for (const StripStep& step : steps) {
      const int most = std::max(step.bits[0], step.bits[1]);
      is_complete = is_complete && packs % (std::int64_t{2} << most) == 0;
    }
  }

  // The numbers of the packs in registers at once: pack m has the number base, with the step's
  // bits k set that m has. Numbers from `packs` on stand for a pack of zeros, `packs`.
  std::int64_t pack_of(const StripStep& step, std::int64_t base, int m) const {
    for (int k = 0; k < kStepBits; ++k) {
      if (m >> k & 1) base += std::int64_t{1} << step.bits[static_cast<std::size_t>(k)];
    }
    return std::min(base, packs);
  }

  // Calls body(base) for each set of packs of a step.
  template <class Body>
  [[gnu::always_inline]] void for_each_set(const StripStep& step, Body&& body) const {
    const std::int64_t mask = (std::int64_t{1} << step.bits[0]) | (std::int64_t{1} << step.bits[1]);
    for (std::int64_t base = 0; base < packs; base = ((base | mask) + 1) & ~mask) body(base);
  }

  // Calls body(round, pack, kind) in the order in which steps want coefficients: a vector of
  // cosines and a pack of sines, for a pack with itself, or for it and the one whose number has a
  // bit more. The number may be `packs`.
  template <class Body>
  void for_each_pack(Body&& body) const {
    for (const StripStep& step : steps) {
      for_each_set(step, [&](std::int64_t base) {
        for (std::int64_t k = step.rounds.first; k < step.rounds.last; ++k) {
          const StripRound& round = rounds[static_cast<std::size_t>(k)];
          for (int m = 0; m < kStepPacks; ++m) {
            if (round.kind >= kBetweenPacks && m >> (round.kind - kBetweenPacks) & 1) continue;
            body(round.round, pack_of(step, base, m), round.kind);
          }
        }
      });
    }
  }

  // The number of calls of `body` above.
  std::int64_t count() const {
    std::int64_t out = 0;
    for_each_pack([&](std::int64_t, std::int64_t, int) { ++out; });
    return out;
  }

  const std::int64_t packs;  // in a row
  bool is_complete = true;   // whether each set of packs is: there is none beyond the last
  std::vector<StripRound> rounds;
  std::vector<StripStep> steps;
};

}  // namespace givens::cpu::GIVENS_ISA
