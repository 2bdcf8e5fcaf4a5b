// The types of elements that templates are compiled for. GIVENS_FOR_WIDE_TYPES(M) is M(float)
// M(double) .., one M for each type.
#pragma once

#include <complex>

#include "givens/half.hpp"

#define GIVENS_FOR_REAL_TYPES(M) M(float) M(double)

// The functions of approximate.hpp, decompose.hpp, jacobi.hpp and jvp.hpp have no 16-bit types.
#define GIVENS_FOR_WIDE_TYPES(M) \
  GIVENS_FOR_REAL_TYPES(M) M(std::complex<float>) M(std::complex<double>)

// The functions of transform.hpp and cuda.hpp have all types.
#define GIVENS_FOR_ALL_TYPES(M) GIVENS_FOR_WIDE_TYPES(M) M(givens::Half) M(givens::BFloat16)

// Instantiates a function template that has no overloads.
#define GIVENS_INSTANTIATE(function, T) template decltype(function<T>) function<T>;
#define GIVENS_INSTANTIATE_API(function, T) template GIVENS_API decltype(function<T>) function<T>;
