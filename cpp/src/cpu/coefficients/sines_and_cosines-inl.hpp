// Sines and cosines of the rotations of a step, one by one. Compiled for each instruction set; see
// engine_headers.hpp.
#pragma once

#include "cpu/simd/sincos-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

enum class Angles {
  reduced,  // none is beyond kLargestReduced
  finite,
  not_finite,
};

// The parameters that the rotations of a matrix are made from.
template <class R>
struct ParameterValues {
  Strided<const R> angles;
  Strided<const R> phases;  // may be absent
  Angles kind;              // of angles and phases
};

template <class R>
[[gnu::always_inline]] inline void sincos_of(const Double8& t, bool reduced, Double8& sine,
                                             Double8& cosine) {
  if (__builtin_expect(reduced, 1)) {
    sincos_reduced<R>(t, sine, cosine);
  } else {
    sincos_any(t, sine, cosine);
  }
}

// The sines and cosines of the angles and, for complex F, of the phases of one step after the
// other: from the first to the last, or with Adjoint from the last to the first. Many steps of
// pairs are too short for vectors: `find` finds the values of the next ones too.
template <class F, bool Adjoint>
class SinesAndCosines {
 public:
  using R = real_t<F>;

  SinesAndCosines(const Plan& plan, const ParameterValues<R>& values)
      : plan_(plan), values_(values) {}

  // Finds the values of a step.
  void find(const Step& step) {
    if (step.pattern == Pattern::pairs) {
      find_pairs(step);
      return;
    }
    first_ = last_ = offset_ = 0;
    fill(step.count, [&](std::int64_t index) __attribute__((always_inline)) {
      return angle_of(plan_, step, static_cast<int>(index));
    });
  }

  // The values of the step's rotation with this index.
  double sine(int index) const { return value(index, 0); }
  double cosine(int index) const { return value(index, 1); }
  double phase_sine(int index) const { return is_complex_v<F> ? value(index, 2) : 0.0; }
  double phase_cosine(int index) const { return is_complex_v<F> ? value(index, 3) : 1.0; }

 private:
  static constexpr std::int64_t kAtOnce = 64;
  static constexpr std::int64_t kValues = is_complex_v<F> ? 4 : 2;

  // The angles of pairs follow one another in Plan::angle_indices.
  void find_pairs(const Step& step) {
    const std::int64_t end = step.first_angle + step.count;
    if (step.first_angle < first_ || last_ < end) {
      const std::int64_t count = std::max(std::int64_t{step.count}, kAtOnce);
      const auto indices = static_cast<std::int64_t>(plan_.angle_indices.size());
      first_ = Adjoint ? std::max(end - count, std::int64_t{0}) : step.first_angle;
      last_ = Adjoint ? end : std::min(step.first_angle + count, indices);
      const std::int32_t* const angles = plan_.angle_indices.data() + first_;
      fill(last_ - first_,
           [=](std::int64_t k) __attribute__((always_inline)) { return angles[k]; });
    }
    offset_ = step.first_angle - first_;
  }

  // Finds `count` values, the k-th of the angle angle_at(k), which is -1 where there is none.
  template <class AngleAt>
  void fill(std::int64_t count, AngleAt&& angle_at) {
    found_.resize((count + 7) / 8 * 8 * kValues);
    double* out = found_.data();
    for (std::int64_t k = 0; k < count; k += 8, out += 8 * kValues) {
      const auto fetch = [&](const Strided<const R>& parameter) __attribute__((always_inline)) {
        return eight_of([&](int lane) __attribute__((always_inline)) {
          const std::int32_t angle = angle_at(std::min(k + lane, count - 1));
          return angle < 0 ? 0.0 : static_cast<double>(parameter[angle]);
        });
      };
      put(out, fetch(values_.angles));
      if constexpr (is_complex_v<F>) {
        put(out + 16, values_.phases ? fetch(values_.phases) : Double8{});
      }
    }
  }

  [[gnu::always_inline]] void put(double* out, const Double8& t) const {
    Double8 sine, cosine;
    sincos_of<R>(t, values_.kind == Angles::reduced, sine, cosine);
    store_eight(out, sine);
    store_eight(out + 8, cosine);
  }

  double value(int index, int which) const {
    const std::int64_t k = offset_ + index;
    return found_.data()[8 * (k / 8 * kValues + which) + k % 8];
  }

  const Plan& plan_;
  const ParameterValues<R> values_;
  runtime::Scratch<double> found_;
  std::int64_t first_ = 0;  // the angles of pairs that have been found: first_ .. last_ - 1
  std::int64_t last_ = 0;
  std::int64_t offset_ = 0;  // where the step begins in what has been found
};

}  // namespace givens::cpu::GIVENS_ISA
