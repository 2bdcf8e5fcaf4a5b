// Explicit instantiations of the public functions. To be included after their definitions.
#pragma once

#include "arguments/element_types.hpp"
#include "givens/cuda.hpp"

namespace givens::cuda {

#define GIVENS_INSTANTIATE_TYPE(T)                                                                \
  template void rotate<T>(const ArrayView<const T>&, const Parameters<real_t<T>>&,                \
                          const Schedule&, const ArrayView<T>&, const RotateOptions&,             \
                          const LaunchOptions&);                                                  \
  template WorkspaceSize rotate_workspace<T>(const ArrayView<const T>&,                           \
                                             const Parameters<real_t<T>>&, const Schedule&,       \
                                             const ArrayView<T>&, const RotateOptions&, int);     \
  template void matrix<T>(const Parameters<real_t<T>>&, const Schedule&, const ArrayView<T>&,     \
                          const LaunchOptions&);                                                  \
  template WorkspaceSize matrix_workspace<T>(const Parameters<real_t<T>>&, const Schedule&,       \
                                             const ArrayView<T>&, int);                           \
  template void rotate_vjp<T>(const ArrayView<const T>&, const ArrayView<const T>&,               \
                              const Parameters<real_t<T>>&, const Schedule&, const ArrayView<T>&, \
                              const ParameterGradients<real_t<T>>&, const RotateOptions&,         \
                              const LaunchOptions&);                                              \
  template WorkspaceSize rotate_vjp_workspace<T>(                                                 \
      const ArrayView<const T>&, const ArrayView<const T>&, const Parameters<real_t<T>>&,         \
      const Schedule&, const ArrayView<T>&, const ParameterGradients<real_t<T>>&,                 \
      const RotateOptions&, int);                                                                 \
  template void matrix_vjp<T>(const ArrayView<const T>&, const ArrayView<const T>&,               \
                              const Parameters<real_t<T>>&, const Schedule&,                      \
                              const ParameterGradients<real_t<T>>&, const LaunchOptions&);        \
  template WorkspaceSize matrix_vjp_workspace<T>(                                                 \
      const ArrayView<const T>&, const ArrayView<const T>&, const Parameters<real_t<T>>&,         \
      const Schedule&, const ParameterGradients<real_t<T>>&, int);

GIVENS_FOR_GPU_TYPES(GIVENS_INSTANTIATE_TYPE)

#undef GIVENS_INSTANTIATE_TYPE

}  // namespace givens::cuda
