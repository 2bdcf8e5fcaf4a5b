// The functions of simd_functions.hpp, compiled for an instruction set.
#pragma once

#include "cpu/simd/half-inl.hpp"
#include "cpu/simd/sincos-inl.hpp"
#include "simd_functions.hpp"

namespace givens::cpu::GIVENS_ISA {

template <class R>
void sincos_of(const double* x, double* sine, double* cosine) {
  Double8 s, c;
  sincos_reduced<R>(load_eight(x), s, c);
  store_eight(sine, s);
  store_eight(cosine, c);
}

inline void any_sincos_of(const double* x, double* sine, double* cosine) {
  Double8 s, c;
  sincos_any(load_eight(x), s, c);
  store_eight(sine, s);
  store_eight(cosine, c);
}

template <class From, class To>
void convert(const From* x, To* out) {
  for (std::int64_t k = 0; k < 16; k += kLanes<float>) store(out + k, load(x + k));
}

template <class H>
constexpr test::Conversions<H> conversions() {
  return {&convert<H, float>, &convert<float, H>};
}

inline test::SimdFunctions simd_functions(const char* name) {
  return {name,           &sincos_of<float>,   &sincos_of<double>,
          &any_sincos_of, conversions<Half>(), conversions<BFloat16>()};
}

}  // namespace givens::cpu::GIVENS_ISA
