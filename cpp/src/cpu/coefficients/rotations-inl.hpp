// The rotations of a plan's blocks, from their angles and phases, eight at a time. Compiled for
// each instruction set; see engine_headers.hpp.
#pragma once

#include "cpu/coefficients/sines_and_cosines-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

// exp(i phase) of eight rotations; empty for real ones.
template <class F, bool = is_complex_v<F>>
struct Phases {};
template <class F>
struct Phases<F, true> {
  Double8 cosine;
  Double8 sine;
};

// exp(i phase) of one rotation.
struct Phase {
  double cosine = 1.0;
  double sine = 0.0;
};

template <class F>
[[gnu::always_inline]] inline Phase phase_at([[maybe_unused]] const Phases<F>& phases,
                                             [[maybe_unused]] int lane) {
  if constexpr (is_complex_v<F>) {
    return {phases.cosine[lane], phases.sine[lane]};
  } else {
    return {};
  }
}

// The phases of rotations whose angles are multiplied by `signs`, which are 1 or -1.
template <class F>
[[gnu::always_inline]] inline Phases<F> rotated(Phases<F> phases,
                                                [[maybe_unused]] const Double8& signs) {
  if constexpr (is_complex_v<F>) phases.sine *= signs;
  return phases;
}

// Eight rotations.
template <class F>
struct Rotations {
  Double8 tangent;  // with Adjoint, minus the tangent
  Double8 cosine;
  Double8 reciprocal;  // of the cosine
  Phases<F> phase;
};

// Finds the rotations of rotation blocks and diagonal blocks.
template <class F, bool Adjoint>
class RotationFinder {
 public:
  using R = real_t<F>;

  RotationFinder(const Plan& plan, const ParameterValues<R>& values)
      : plan_(plan),
        angles_(values.angles),
        phases_(values.phases),
        reduced_(values.kind == Angles::reduced) {}

  // The rotations with indices 8 m .. 8 m + 7.
  [[gnu::always_inline]] void find(const Step& step, int m, Rotations<F>& out) const {
    Double8 sine, cosine;
    sincos_of<R>(fetch(step, m, angles_), reduced_, sine, cosine);
    // One by one: GCC copies the whole by way of the stack.
    const Rotations<F> found = rotations_of(sine, cosine);
    out.tangent = found.tangent;
    out.cosine = found.cosine;
    out.reciprocal = found.reciprocal;
    if constexpr (is_complex_v<F>) {
      const Double8 phase = phases_ ? fetch(step, m, phases_) : Double8{};
      sincos_of<R>(phase, reduced_, out.phase.sine, out.phase.cosine);
    }
  }

  // The same for row m of an xor block whose angles_in_rows is true.
  [[gnu::always_inline]] Rotations<F> find_row(const Step& step, int m) const {
    Double8 sine, cosine;
    const std::int32_t* angle = plan_.angle_indices.data() + step.first_angle;
    sincos_reduced<R>(load_eight(angles_.data + angle[m]), sine, cosine);
    return rotations_of(sine, cosine);
  }

  // Whether an xor block is of the usual kind, which needs the fewest tests.
  bool angles_in_rows(const Step& step) const {
    return !is_complex_v<F> && step.angle_map == AngleMap::contiguous && angles_.stride == 1 &&
           reduced_;
  }

  // Fetches the angles of an xor block some steps after this one: the eight runs that find_row
  // will load are far from each other.
  [[gnu::always_inline]] void prefetch(const Step& now) const {
    constexpr std::ptrdiff_t kStepsAhead = 6;
    const std::ptrdiff_t k = &now - plan_.steps.data() + (Adjoint ? -kStepsAhead : kStepsAhead);
    if (k < 0 || k >= static_cast<std::ptrdiff_t>(plan_.steps.size())) return;
    const Step& step = plan_.steps[static_cast<std::size_t>(k)];
    if (step.pattern != Pattern::xor_block || step.angle_map != AngleMap::contiguous) return;
    const std::int32_t* runs = plan_.angle_indices.data() + step.first_angle;
    for (int m = 0; m < 8; ++m) __builtin_prefetch(angles_.data + runs[m]);
  }

 private:
  // The values of `parameter` for the rotations with indices 8 m .. 8 m + 7: zero for those that
  // are absent, any value for those beyond the last.
  [[gnu::always_inline]] Double8 fetch(const Step& step, int m,
                                       const Strided<const R>& parameter) const {
    if (step.angle_map == AngleMap::contiguous && parameter.stride == 1) {
      const std::int32_t* runs = plan_.angle_indices.data() + step.first_angle;
      if (step.pattern == Pattern::xor_block) return load_eight(parameter.data + runs[m]);
      const R* low = parameter.data + runs[2 * m];
      const R* high = parameter.data + runs[std::min(2 * m + 1, kDiagonalBlockRotations / 4 - 1)];
      return eight_of([=](int lane) __attribute__((always_inline)) {
        return static_cast<double>(lane < 4 ? low[lane] : high[lane - 4]);
      });
    }
    if (step.angle_map == AngleMap::affine) {
      const AffineAngles angles(step, parameter.stride);
      const R* from = parameter.data;
      return eight_of([&](int lane) __attribute__((always_inline)) {
        return static_cast<double>(from[angles.at(m, lane)]);
      });
    }
    return fetch_one_by_one(step, m, parameter);
  }

  // The same for any step. It is a function of its own, as the usual cases above need the
  // registers.
  [[gnu::noinline]] Double8 fetch_one_by_one(const Step& step, int m,
                                             const Strided<const R>& parameter) const {
    const auto fetch_each = [&](auto angle_at) __attribute__((always_inline)) {
      const int last = std::min(8 * m + 8, step.count) - 1;
      return eight_of([&](int lane) __attribute__((always_inline)) {
        const std::int32_t angle = angle_at(std::min(8 * m + lane, last));
        return angle < 0 ? 0.0 : static_cast<double>(parameter[angle]);
      });
    };
    if (step.angle_map == AngleMap::gather) {
      const std::int32_t* const angles = plan_.angle_indices.data() + step.first_angle;
      return fetch_each([=](int index) __attribute__((always_inline)) { return angles[index]; });
    }
    return fetch_each([&](int index) { return angle_of(plan_, step, index); });
  }

  [[gnu::always_inline]] static Rotations<F> rotations_of(const Double8& sine,
                                                          const Double8& cosine) {
    Rotations<F> out{};
    out.cosine = cosine;
    out.reciprocal = 1.0 / cosine;
    out.tangent = Adjoint ? -(sine * out.reciprocal) : sine * out.reciprocal;
    return out;
  }

  const Plan& plan_;
  const Strided<const R> angles_;
  const Strided<const R> phases_;
  const bool reduced_;
};

}  // namespace givens::cpu::GIVENS_ISA
