// The functions of sincos_functions.hpp, compiled for an instruction set.
#pragma once

#include "cpu/simd/sincos-inl.hpp"
#include "sincos_functions.hpp"

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

inline test::SinCosFunctions sincos_functions(const char* name) {
  return {name, &sincos_of<float>, &sincos_of<double>, &any_sincos_of};
}

}  // namespace givens::cpu::GIVENS_ISA
