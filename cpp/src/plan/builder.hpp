// The planners, one for each kind of schedule, and what they share.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "plan/plan.hpp"

namespace givens::planning {

Plan plan_xor(const Schedule& schedule);
Plan plan_circle(const Schedule& schedule);  // and teams of one
Plan plan_brickwall(const Schedule& schedule);
Plan plan_team(const Schedule& schedule);
Plan plan_butterfly(const Schedule& schedule);
Plan plan_rounds(const Schedule& schedule);  // of any kind

// A tile takes the time of about this many rotations in a step of pairs, however few it holds.
inline constexpr int kLeastInTile = 28;

// A wave has at most this many ranges, a few for each of as many threads as prepare a plan, and no
// more than have this many steps each: to share out less takes longer than to do it.
inline constexpr std::int64_t kMostRanges = 16;
inline constexpr std::int64_t kLeastStepsInRange = 8;

inline std::int32_t narrow(std::int64_t value) { return static_cast<std::int32_t>(value); }

inline std::size_t at(std::int64_t value) { return static_cast<std::size_t>(value); }

inline std::int64_t groups_of(std::int64_t rows) { return (rows + kGroup - 1) / kGroup; }

inline std::int64_t num_steps(const Plan& plan) {
  return static_cast<std::int64_t>(plan.steps.size());
}

// Pairs have i < this. That the last coordinate has no column drops no pair.
inline std::int64_t kept_columns(const Schedule& schedule) {
  return schedule.columns() + 1 >= schedule.n() ? schedule.n() : schedule.columns();
}

// Slots are coordinates.
inline void set_identity_slots(Plan& plan, std::int64_t n) {
  plan.slots = groups_of(n) * kGroup;
  plan.coordinate_of_slot.resize(at(plan.slots), -1);
  for (std::int64_t k = 0; k < n; ++k) plan.coordinate_of_slot[at(k)] = narrow(k);
}

// Its entries follow those of the steps before it.
inline void add_tile(Plan& plan, Pattern pattern, Sources sources, std::int64_t a, std::int64_t b,
                     std::int64_t source, std::int64_t step_k = 0, std::int64_t step_l = 0) {
  const int count = pattern == Pattern::xor_leaf ? kLeafEntries : kTileEntries;
  plan.steps.push_back({pattern, sources, narrow(a), narrow(b), count, plan.entries, source,
                        narrow(step_k), narrow(step_l)});
  plan.entries += count;
}

// A step of the pairs from `first` on, if any, whose angles are in Plan::sources from `source` on.
inline void add_pairs(Plan& plan, std::int64_t first, std::int64_t count, std::int64_t source) {
  if (count == 0) return;
  plan.steps.push_back(
      {Pattern::pairs, Sources::each, narrow(first), 0, narrow(count), plan.entries, source});
  plan.entries += count;
}

// Makes steps of loose pairs, as many as are announced. Their slots and their angles lie together,
// from the ends of Plan::pair_slots and Plan::sources at construction on.
class PairWriter {
 public:
  PairWriter(Plan& plan, std::int64_t count)
      : plan_(plan),
        source_(static_cast<std::int64_t>(plan.sources.size() - plan.pair_slots.size())),
        first_(static_cast<std::int64_t>(plan.pair_slots.size())),
        end_(first_) {
    plan.pair_slots.resize(plan.pair_slots.size() + at(count));
    plan.sources.resize(plan.sources.size() + at(count));
  }

  void add(std::int64_t slot_i, std::int64_t slot_j, std::int64_t angle) {
    plan_.pair_slots[at(end_)] = {narrow(slot_i), narrow(slot_j)};
    plan_.sources[at(source_ + end_)] = narrow(angle);
    ++end_;
  }

  // pair(k), k < count, with successive angles.
  template <class MakePair>
  void add_run(std::int64_t count, std::int64_t angle, MakePair&& pair) {
    if (count <= 0) return;
    SlotPair* pairs = plan_.pair_slots.data() + end_;
    std::int32_t* sources = plan_.sources.data() + source_ + end_;
    for (std::int64_t k = 0; k < count; ++k) pairs[k] = pair(narrow(k));
    for (std::int64_t k = 0; k < count; ++k) sources[k] = narrow(angle + k);
    end_ += count;
  }

  // The pairs that were added since the last step, which are disjoint.
  void finish_step() {
    add_pairs(plan_, first_, end_ - first_, source_ + first_);
    first_ = end_;
  }

 private:
  Plan& plan_;
  const std::int64_t source_;  // of pair 0, if there was one
  std::int64_t first_;
  std::int64_t end_;
};

// One level over all slots, for plans that know no block structure.
inline void add_single_level(Plan& plan) {
  plan.levels.push_back({std::max<std::int64_t>(plan.slots, 1), {0, num_steps(plan)}});
}

// One wave of one range, for plans that are too small for threads, or that are one chain.
inline void add_single_wave(Plan& plan) { plan.waves.push_back({{0, num_steps(plan)}}); }

// A wave of the blocks of steps first[q] .. first[q + 1] - 1, which touch different slots.
inline void add_wave_of_blocks(Plan& plan, const std::vector<std::int64_t>& first) {
  const auto blocks = static_cast<std::int64_t>(first.size()) - 1;
  if (first.front() == first.back()) return;
  const std::int64_t steps = first.back() - first.front();
  const std::int64_t ranges =
      std::min({blocks, kMostRanges, std::max<std::int64_t>(steps / kLeastStepsInRange, 1)});
  Wave wave;
  wave.first.reserve(at(ranges) + 1);
  wave.first.push_back(first.front());
  for (std::int64_t range = 1; range <= ranges; ++range) {
    const std::int64_t end = first[at(range * blocks / ranges)];
    if (end > wave.first.back()) wave.first.push_back(end);
  }
  plan.waves.push_back(std::move(wave));
}

// Which rotations of a tile exist, by diagonals (tiles other than xor's, whose rotations go by
// rising k + l, or l - k = k' + l - 7 with k' = 7 - k): bit k of diagonal q says it of (k, q - k).
// The last is empty.
using Diagonals = std::array<std::uint8_t, 2 * kGroup>;

// Those of the diagonals first .. last.
constexpr Diagonals whole_diagonals(int first, int last) {
  Diagonals out{};
  for (int q = 0; q < 2 * kGroup - 1; ++q) {
    const int bits = q < kGroup ? (2 << q) - 1 : 0x100 - (2 << (q - kGroup));
    if (first <= q && q <= last) out[static_cast<std::size_t>(q)] = static_cast<std::uint8_t>(bits);
  }
  return out;
}
inline constexpr Diagonals kAllDiagonals = whole_diagonals(0, 2 * (kGroup - 1));

constexpr std::uint8_t reversed_bits(std::uint8_t bits) {
  std::uint8_t out = 0;
  for (int k = 0; k < kGroup; ++k) out = static_cast<std::uint8_t>(out << 1 | (bits >> k & 1));
  return out;
}

constexpr int count_bits(std::uint8_t bits) {
  int v = bits - (bits >> 1 & 0x55);
  v = (v & 0x33) + (v >> 2 & 0x33);
  return (v + (v >> 4)) & 0xf;
}

// Diagonal q of the rotations between the rows of group a whose bits are set and those of b whose
// bits are set; those of b in reverse.
constexpr std::uint8_t diagonal(std::uint8_t a, std::uint8_t b_reversed, int q) {
  const int shifted =
      q >= kGroup - 1 ? b_reversed << (q - (kGroup - 1)) : b_reversed >> (kGroup - 1 - q);
  return static_cast<std::uint8_t>(a & shifted);
}

// Fills in the 64 angles of a tile, base[k + l] + spread(l - k) for the rotations that exist, else
// -1, in the order of tile_entry of all patterns of diagonals.
template <class Spread>
void fill_tile(std::int32_t* out, const Diagonals& exists, const std::int32_t* base,
               Spread&& spread) {
  static constexpr std::int32_t kLanes[kGroup] = {0, 1, 2, 3, 4, 5, 6, 7};
  static constexpr std::int32_t kBits[kGroup] = {1, 2, 4, 8, 16, 32, 64, 128};
  // With q = k + l, l - k = q - 2 k: as k rises, every second difference from q on.
  constexpr int kLast = 2 * (kGroup - 1);
  std::int32_t even[2 * kGroup];
  std::int32_t odd[2 * kGroup];
  for (std::int32_t k = 0; k < 2 * kGroup; ++k) {
    even[k] = spread(kLast - 2 * k);
    odd[k] = spread(kLast + 1 - 2 * k);
  }
  for (int row = 0; row < kGroup; ++row) {
    // Lanes k <= row are of diagonal q = row, the others of q = row + 8.
    const int next = row + kGroup;
    const int mask = exists[static_cast<std::size_t>(row)] | exists[static_cast<std::size_t>(next)];
    const std::int32_t base_of_row = base[row];
    const std::int32_t base_of_next = base[next];
    const std::int32_t* spreads =
        row % 2 == 0 ? even + (kLast - row) / 2 : odd + (kLast + 1 - row) / 2;
    for (int k = 0; k < kGroup; ++k) {
      const std::int32_t first = base_of_row + spreads[k];
      const std::int32_t second = base_of_next + spreads[k - kGroup / 2];
      const std::int32_t value = kLanes[k] <= row ? first : second;
      out[kGroup * row + k] = (mask & kBits[k]) != 0 ? value : -1;
    }
  }
}

}  // namespace givens::planning
