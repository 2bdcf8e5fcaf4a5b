// The sums over vectors that gradients through strips are made of. Compiled for each instruction
// set; see engine_headers.hpp.
#pragma once

#include "cpu/strips/program-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

// A pack for each pack of rotations, in the order of StripProgram::for_each_pack. Where lanes of a
// pack meet, the lower one has the sum of their rotation.
template <class F>
class StripSums {
 public:
  using R = real_t<F>;

  explicit StripSums(const StripProgram<F>& program) : size_(program.count() * kPackReals<F>) {
    sums_.resize(size_);
    std::fill_n(sums_.data(), size_, R(0));
  }

  R* data() const { return sums_.data(); }

  void add(const StripSums& other) {
    for (std::int64_t k = 0; k < size_; ++k) data()[k] += other.data()[k];
  }

  // Adds them to the sums of a plan's rotations, kReals each.
  void add_to(const Plan& plan, const StripProgram<F>& program, R* sums) const {
    constexpr std::int64_t L = kLanes<R>;
    const auto n = static_cast<std::int64_t>(plan.row_of_coordinate.size());
    const R* from = data();
    program.for_each_pack([&](std::int64_t round, std::int64_t pack, int kind) {
      const std::int32_t* rotation_of = plan.butterfly.rotations.data() + round * n;
      for (std::int64_t lane = 0; lane < std::min(L, n - pack * L); ++lane) {
        const std::int32_t rotation = rotation_of[pack * L + lane];
        if (rotation < 0 || (kind < kBetweenPacks && (lane >> kind & 1) != 0)) continue;
        for (std::int64_t part = 0; part < kReals<F>; ++part) {
          sums[kReals<F> * rotation + part] += from[part * L + lane];
        }
      }
      from += kPackReals<F>;
    });
  }

 private:
  const std::int64_t size_;
  runtime::Scratch<R> sums_;
};

}  // namespace givens::cpu::GIVENS_ISA
