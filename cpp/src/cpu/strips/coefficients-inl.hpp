// The coefficients of butterfly rounds for strips. Compiled for each instruction set; see
// engine_headers.hpp.
#pragma once

#include "cpu/coefficients/sines_and_cosines-inl.hpp"
#include "cpu/strips/program-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

// For the steps of `program` in turn: see StripProgram::for_each_pack. Rotations that are absent
// have a cosine of 1 and a sine of 0.
template <class F>
class StripCoefficients {
 public:
  using R = real_t<F>;

  // The reals for a pack of rotations: the cosines, and the sines times exp(ip).
  static constexpr std::int64_t kOfPack = (1 + kReals<F>)*kLanes<R>;

  // With `adjoint`: of the inverse rotations in the reverse order.
  StripCoefficients(const Plan& plan, const ParameterValues<R>& values,
                    const std::vector<F>& diagonal, bool adjoint)
      : program(plan, adjoint), values_(kOfPack * program.count()) {
    runtime::Scratch<R> rotations;
    find_rotations(plan, values, adjoint, rotations);
    fill(plan, rotations.data());
    if (!diagonal.empty()) fill_diagonal(diagonal);
  }

  const R* data() const { return values_.data(); }
  // D as a row of a strip; null for the identity.
  const R* diagonal() const { return diagonal_.data(); }

  const StripProgram<F> program;

 private:
  static constexpr std::int64_t kOfRotation = 1 + kReals<F>;

  // The cosine and the sine, with its phase, of every rotation by its number in the plan.
  static void find_rotations(const Plan& plan, const ParameterValues<R>& values, bool adjoint,
                             runtime::Scratch<R>& rotations) {
    const auto count = static_cast<std::int64_t>(plan.angle_indices.size());
    rotations.resize(kOfRotation * (count + 8));
    const double sign = adjoint ? -1.0 : 1.0;
    R* out = rotations.data();
    for (std::int64_t k = 0; k < count; k += 8) {
      const auto fetch = [&](const Strided<const R>& from) {
        return eight_of([&](int lane) __attribute__((always_inline)) {
          const std::int64_t rotation = std::min(k + lane, count - 1);
          const std::int32_t angle = plan.angle_indices[static_cast<std::size_t>(rotation)];
          return static_cast<double>(from[angle]);
        });
      };
      const bool reduced = values.kind == Angles::reduced;
      Double8 sine, cosine;
      sincos_of<R>(fetch(values.angles), reduced, sine, cosine);
      [[maybe_unused]] Double8 phase_sine{}, phase_cosine = all_eight(1.0);
      if constexpr (is_complex_v<F>) {
        if (values.phases) sincos_of<R>(fetch(values.phases), reduced, phase_sine, phase_cosine);
      }
      for (int lane = 0; lane < 8; ++lane) {
        const double signed_sine = sign * sine[lane];
        *out++ = static_cast<R>(cosine[lane]);
        *out++ = static_cast<R>(signed_sine * phase_cosine[lane]);
        if constexpr (is_complex_v<F>) *out++ = static_cast<R>(signed_sine * phase_sine[lane]);
      }
    }
  }

  void fill(const Plan& plan, const R* rotations) {
    constexpr int L = static_cast<int>(kLanes<R>);
    const auto n = static_cast<std::int64_t>(plan.row_of_coordinate.size());
    R* out = values_.data();
    program.for_each_pack([&](std::int64_t round, std::int64_t pack, int kind) {
      const std::int32_t* rotation_of = plan.butterfly.rotations.data() + round * n;
      for (int lane = 0; lane < L; ++lane) {
        const std::int64_t coordinate = pack * L + lane;
        const std::int32_t rotation = coordinate < n ? rotation_of[coordinate] : -1;
        R c[kOfRotation] = {R(1)};
        if (rotation >= 0) std::copy_n(rotations + kOfRotation * rotation, kOfRotation, c);
        // A lane that meets another takes exp(ip) sin t of it, or the lower one -exp(-ip) sin t.
        if (kind < kBetweenPacks && (lane >> kind & 1) == 0) c[1] = -c[1];
        for (int part = 0; part < kOfRotation; ++part) out[part * L + lane] = c[part];
      }
      out += kOfPack;
    });
  }

  void fill_diagonal(const std::vector<F>& diagonal) {
    constexpr std::int64_t L = kLanes<R>;
    diagonal_.resize(program.packs * kPackReals<F>);
    std::fill_n(diagonal_.data(), program.packs * kPackReals<F>, R(0));
    const std::int64_t count =
        std::min(static_cast<std::int64_t>(diagonal.size()), program.packs * L);
    for (std::int64_t k = 0; k < count; ++k) {
      const F& factor = diagonal[static_cast<std::size_t>(k)];
      R* out = diagonal_.data() + k / L * kPackReals<F> + k % L;
      if constexpr (is_complex_v<F>) {
        out[0] = factor.real();
        out[L] = factor.imag();
      } else {
        out[0] = factor;
      }
    }
  }

  runtime::Scratch<R> values_;
  runtime::Scratch<R> diagonal_;
};

}  // namespace givens::cpu::GIVENS_ISA
