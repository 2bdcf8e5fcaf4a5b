// Sines and cosines of a step, one by one. Compiled for each instruction set; see
// engine_headers.hpp.
#if defined(GIVENS_CPU_COEFFICIENTS_SINES_AND_COSINES_INL_HPP) == defined(GIVENS_TARGET_TOGGLE)
#ifdef GIVENS_CPU_COEFFICIENTS_SINES_AND_COSINES_INL_HPP
#undef GIVENS_CPU_COEFFICIENTS_SINES_AND_COSINES_INL_HPP
#else
#define GIVENS_CPU_COEFFICIENTS_SINES_AND_COSINES_INL_HPP
#endif

#include "cpu/simd/sincos-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

// Those of the angles and phases of a step's entries, for who takes them one by one.
class SinesAndCosines {
 public:
  // `phases` may be absent. `reduced`: none is beyond kLargestReduced.
  template <class R>
  void find(const Plan& plan, const Step& step, const Strided<const R>& angles,
            const Strided<const R>& phases, bool reduced) {
    const std::size_t rows = (static_cast<std::size_t>(step.count) + 7) / 8;
    values_.resize(32 * rows);
    for (std::size_t m = 0; m < rows; ++m) {
      double t[8] = {}, f[8] = {};
      for (int lane = 0; lane < 8; ++lane) {
        const int e = 8 * static_cast<int>(m) + lane;
        const std::int32_t angle = e < step.count ? angle_of(plan, step, e) : -1;
        if (angle < 0) continue;
        t[lane] = static_cast<double>(angles[angle]);
        if (phases) f[lane] = static_cast<double>(phases[angle]);
      }
      set<R>(2 * m, load_eight(t), reduced);
      set<R>(2 * m + 1, load_eight(f), reduced);
    }
  }

  double sine(int e) const { return value(e, 0); }
  double cosine(int e) const { return value(e, 8); }
  double phase_sine(int e) const { return value(e, 16); }
  double phase_cosine(int e) const { return value(e, 24); }

 private:
  template <class R>
  void set(std::size_t row, const Double8& x, bool reduced) {
    Double8 s, c;
    if (reduced) {
      sincos_reduced<R>(x, s, c);
    } else {
      sincos_any(x, s, c);
    }
    store_eight(values_.data() + 16 * row, s);
    store_eight(values_.data() + 16 * row + 8, c);
  }
  double value(int e, int kind) const {
    return values_[static_cast<std::size_t>(32 * (e / 8) + kind + e % 8)];
  }

  std::vector<double> values_;
};

}  // namespace givens::cpu::GIVENS_ISA

#endif
