// The explicit instantiations of the public functions. GIVENS_CUDA_INSTANTIATE stands after all
// their definitions, in namespace givens::cuda.
#pragma once

#include "arguments/element_types.hpp"
#include "givens/cuda.hpp"

#define GIVENS_CUDA_INSTANTIATE_TYPE(T)       \
  GIVENS_INSTANTIATE(rotate, T)               \
  GIVENS_INSTANTIATE(rotate_workspace, T)     \
  GIVENS_INSTANTIATE(matrix, T)               \
  GIVENS_INSTANTIATE(matrix_workspace, T)     \
  GIVENS_INSTANTIATE(rotate_vjp, T)           \
  GIVENS_INSTANTIATE(rotate_vjp_workspace, T) \
  GIVENS_INSTANTIATE(matrix_vjp, T)           \
  GIVENS_INSTANTIATE(matrix_vjp_workspace, T)

#define GIVENS_CUDA_INSTANTIATE GIVENS_FOR_ALL_TYPES(GIVENS_CUDA_INSTANTIATE_TYPE)
