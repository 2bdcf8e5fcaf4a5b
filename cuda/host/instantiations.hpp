// The types for which the public functions exist. GIVENS_CUDA_INSTANTIATE_ALL stands after the
// definitions of all of them, in namespace givens::cuda.
#pragma once

#include <complex>

#include "givens/cuda.hpp"

#define GIVENS_CUDA_INSTANTIATE(T)                                    \
  template decltype(rotate<T>) rotate<T>;                             \
  template decltype(rotate_workspace<T>) rotate_workspace<T>;         \
  template decltype(matrix<T>) matrix<T>;                             \
  template decltype(matrix_workspace<T>) matrix_workspace<T>;         \
  template decltype(rotate_vjp<T>) rotate_vjp<T>;                     \
  template decltype(rotate_vjp_workspace<T>) rotate_vjp_workspace<T>; \
  template decltype(matrix_vjp<T>) matrix_vjp<T>;                     \
  template decltype(matrix_vjp_workspace<T>) matrix_vjp_workspace<T>;

#define GIVENS_CUDA_INSTANTIATE_ALL             \
  GIVENS_CUDA_INSTANTIATE(float)                \
  GIVENS_CUDA_INSTANTIATE(double)               \
  GIVENS_CUDA_INSTANTIATE(std::complex<float>)  \
  GIVENS_CUDA_INSTANTIATE(std::complex<double>) \
  GIVENS_CUDA_INSTANTIATE(Half)                 \
  GIVENS_CUDA_INSTANTIATE(BFloat16)
