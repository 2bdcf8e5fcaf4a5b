// The rotations of a plan's steps, from their angles and phases, eight at a time. Compiled for each
// instruction set; see engine_headers.hpp.
#if defined(GIVENS_CPU_COEFFICIENTS_ROTATIONS_INL_HPP) == defined(GIVENS_TARGET_TOGGLE)
#ifdef GIVENS_CPU_COEFFICIENTS_ROTATIONS_INL_HPP
#undef GIVENS_CPU_COEFFICIENTS_ROTATIONS_INL_HPP
#else
#define GIVENS_CPU_COEFFICIENTS_ROTATIONS_INL_HPP
#endif

#include "cpu/simd/sincos-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

enum class Angles {
  reduced,  // none beyond kLargestReduced
  finite,
  not_finite,
};

// exp(i phase), of eight rotations; of real ones there is none.
template <class F, bool = is_complex_v<F>>
struct Phases {};
template <class F>
struct Phases<F, true> {
  Double8 cosine;
  Double8 sine;
};

// The same of one.
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

// With other signs of the angles, which turn the rotations around.
template <class F>
[[gnu::always_inline]] inline Phases<F> rotated(Phases<F> phases,
                                                [[maybe_unused]] const Double8& signs) {
  if constexpr (is_complex_v<F>) phases.sine *= signs;
  return phases;
}

// Eight rotations.
template <class F>
struct Rotations {
  Double8 tangent;  // minus, with Adjoint
  Double8 cosine;
  Double8 reciprocal;  // of the cosine
  Phases<F> phase;
};

// Finds the rotations of a plan's steps.
template <class F, bool Adjoint>
class RotationFinder {
 public:
  using R = real_t<F>;

  RotationFinder(const Plan& plan, const Strided<const R>& angles, const Strided<const R>& phases,
                 bool reduced)
      : plan_(plan), angles_(angles), phases_(phases), reduced_(reduced) {}

  // Those of entries 8 m .. 8 m + 7.
  [[gnu::always_inline]] void find(const Step& step, int m, Rotations<F>& out) const {
    const Rotations<F> found =
        from([&](const Strided<const R>& parameter)
                 __attribute__((always_inline)) { return fetch(step, m, parameter); });
    // One by one: GCC copies the whole by way of the stack.
    out.tangent = found.tangent;
    out.cosine = found.cosine;
    out.reciprocal = found.reciprocal;
    if constexpr (is_complex_v<F>) {
      out.phase.cosine = found.phase.cosine;
      out.phase.sine = found.phase.sine;
    }
  }

  // The same of an xor tile whose angles_in_rows is true: of row m.
  [[gnu::always_inline]] Rotations<F> find_row(const Step& step, int m) const {
    Double8 sine, cosine;
    const std::int32_t* angle = plan_.angle_indices.data() + step.first_angle;
    sincos_reduced<R>(load_eight(angles_.data + angle[m]), sine, cosine);
    return rotations_of(sine, cosine);
  }

  // The usual case of an xor tile, which is found with fewest tests.
  bool angles_in_rows(const Step& step) const {
    return !is_complex_v<F> && step.angle_map == AngleMap::contiguous && angles_.stride == 1 &&
           reduced_;
  }

  // Fetches the angles of an xor tile to come after this one, as find_row will load them: those
  // of its eight rows are far from each other.
  [[gnu::always_inline]] void prefetch(const Step& now) const {
    constexpr std::ptrdiff_t kStepsAhead = 6;
    const std::ptrdiff_t k = &now - plan_.steps.data() + (Adjoint ? -kStepsAhead : kStepsAhead);
    if (k < 0 || k >= static_cast<std::ptrdiff_t>(plan_.steps.size())) return;
    const Step& step = plan_.steps[static_cast<std::size_t>(k)];
    if (step.pattern != Pattern::xor_block || step.angle_map != AngleMap::contiguous) return;
    const std::int32_t* sources = plan_.angle_indices.data() + step.first_angle;
    for (int m = 0; m < 8; ++m) __builtin_prefetch(angles_.data + sources[m]);
  }

  // The rotations of Plan::sources[first], ..., of which `end` is the first that is not there.
  [[gnu::always_inline]] Rotations<F> find_each(std::int64_t first, std::int64_t end) const {
    return from([&](const Strided<const R>& parameter)
                    __attribute__((always_inline)) { return fetch_each(first, end, parameter); });
  }

 private:
  // The values of `parameter` for entries whose angles are Plan::sources[first], ..., of which
  // `end` is the first that is not there. Entries without a rotation get zero, those beyond the end
  // any value.
  [[gnu::always_inline]] Double8 fetch_each(std::int64_t first, std::int64_t end,
                                            const Strided<const R>& parameter) const {
    const std::int32_t* sources = plan_.angle_indices.data() + first;
    const int last = static_cast<int>(std::min<std::int64_t>(end - first, 8)) - 1;
    return eight_of([&](int lane) __attribute__((always_inline)) {
      const std::int32_t angle = sources[std::min(lane, last)];
      return angle < 0 ? 0.0 : static_cast<double>(parameter[angle]);
    });
  }

  // The same for entries 8 m .. 8 m + 7 of a step.
  [[gnu::always_inline]] Double8 fetch(const Step& step, int m,
                                       const Strided<const R>& parameter) const {
    if (step.angle_map == AngleMap::contiguous && parameter.stride == 1) {
      const std::int32_t* sources = plan_.angle_indices.data() + step.first_angle;
      if (step.pattern == Pattern::xor_block) return load_eight(parameter.data + sources[m]);
      const R* low = parameter.data + sources[2 * m];
      const R* high =
          parameter.data + sources[std::min(2 * m + 1, kDiagonalBlockRotations / 4 - 1)];
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
    if (step.angle_map == AngleMap::gather) {
      const std::int64_t first = step.first_angle + 8 * m;
      return fetch_each(first, first + std::min(step.count - 8 * m, 8), parameter);
    }
    const int last = std::min(8 * m + 8, step.count) - 1;
    return eight_of([&](int lane) __attribute__((always_inline)) {
      const std::int32_t angle = angle_of(plan_, step, std::min(8 * m + lane, last));
      return angle < 0 ? 0.0 : static_cast<double>(parameter[angle]);
    });
  }

  [[gnu::always_inline]] void sincos(const Double8& t, Double8& sine, Double8& cosine) const {
    if (__builtin_expect(reduced_, 1)) {
      sincos_reduced<R>(t, sine, cosine);
    } else {
      sincos_any(t, sine, cosine);
    }
  }

  [[gnu::always_inline]] static Rotations<F> rotations_of(const Double8& sine,
                                                          const Double8& cosine) {
    Rotations<F> out{};
    out.cosine = cosine;
    out.reciprocal = 1.0 / cosine;
    out.tangent = Adjoint ? -(sine * out.reciprocal) : sine * out.reciprocal;
    return out;
  }

  // Those whose values of a parameter are eight(parameter).
  template <class Fetch>
  [[gnu::always_inline]] Rotations<F> from(Fetch&& eight) const {
    Double8 sine, cosine;
    sincos(eight(angles_), sine, cosine);
    Rotations<F> out = rotations_of(sine, cosine);
    if constexpr (is_complex_v<F>) {
      sincos(phases_ ? eight(phases_) : Double8{}, out.phase.sine, out.phase.cosine);
    }
    return out;
  }

  const Plan& plan_;
  const Strided<const R> angles_;
  const Strided<const R> phases_;
  const bool reduced_;
};

// Rotations of pairs that follow one another in Plan::sources. Those of many steps are found at
// once: most steps of pairs are too short for vectors.
template <class F, bool Adjoint>
class PairRotations {
 public:
  PairRotations(const Plan& plan, const RotationFinder<F, Adjoint>& finder)
      : finder_(finder), angle_indices_(static_cast<std::int64_t>(plan.angle_indices.size())) {}

  // Finds those of a step, and of the steps next to be done.
  void find(const Step& step) {
    const std::int64_t end = step.first_angle + step.count;
    if (first_ <= step.first_angle && end <= last_) return;
    const std::int64_t count = std::max(std::int64_t{step.count}, kAtOnce);
    first_ = Adjoint ? std::max(end - count, std::int64_t{0}) : step.first_angle;
    last_ = Adjoint ? end : std::min(step.first_angle + count, angle_indices_);
    found_.resize((last_ - first_ + 7) / 8 * kOfEight);
    double* out = found_.data();
    for (std::int64_t first = first_; first < last_; first += 8, out += kOfEight) {
      const Rotations<F> g = finder_.find_each(first, last_);
      const auto keep = [&](std::int64_t value, const Double8& of) {
        store_eight(out + 8 * value, of);
      };
      keep(0, g.tangent);
      keep(1, g.cosine);
      keep(2, g.reciprocal);
      if constexpr (is_complex_v<F>) {
        keep(3, g.phase.cosine);
        keep(4, g.phase.sine);
      }
    }
  }

  // That of entry e of a step that has been found: every eighth number from here on.
  struct Rotation {
    const double* of;
    double tangent() const { return of[0]; }
    double cosine() const { return of[8]; }
    double reciprocal() const { return of[16]; }
    Phase phase() const {
      if constexpr (is_complex_v<F>) return {of[24], of[32]};
      return {};
    }
  };
  Rotation at(const Step& step, std::int32_t e) const {
    const std::int64_t k = step.first_angle + e - first_;
    return {found_.data() + k / 8 * kOfEight + k % 8};
  }

 private:
  static constexpr std::int64_t kAtOnce = 64;
  static constexpr std::int64_t kOfEight = is_complex_v<F> ? 40 : 24;  // numbers

  const RotationFinder<F, Adjoint>& finder_;
  const std::int64_t angle_indices_;
  std::int64_t first_ = 0;
  std::int64_t last_ = 0;
  runtime::Scratch<double> found_;
};

}  // namespace givens::cpu::GIVENS_ISA

#endif
