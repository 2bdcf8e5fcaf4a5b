// The public boundary: checks arguments and turns them into problems. Everything behind it trusts
// them. Each function throws std::invalid_argument that names the argument, what came and what was
// expected. These are the functions that the GPU has too; the others check their arguments
// themselves, by checks.hpp.
#pragma once

#include <vector>

#include "arguments/problem.hpp"
#include "givens/transform.hpp"

namespace givens::validate {

// Refuses signs other than +1 and -1. Apart from the other checks, because it reads the array,
// which may be in the memory of a device.
template <class R>
void signs(const Parameters<R>& parameters);

template <class R>
std::vector<std::int64_t> matrix_shape(const Parameters<R>& parameters, const Schedule& schedule);

template <class T>
std::vector<std::int64_t> rotated_shape(const ArrayView<const T>& x,
                                        const Parameters<real_t<T>>& parameters,
                                        const Schedule& schedule, std::int64_t axis);

template <class T>
RotateProblem<T> rotate(const ArrayView<const T>& x, const Parameters<real_t<T>>& parameters,
                        const Schedule& schedule, const ArrayView<T>& y,
                        const RotateOptions& options);

// Whether rotating x into y would overwrite an input before it is read.
template <class T>
bool destroys_input(const ArrayView<const T>& x, const Parameters<real_t<T>>& parameters,
                    const ArrayView<T>& y);

template <class T>
MatrixProblem<T> matrix(const Parameters<real_t<T>>& parameters, const Schedule& schedule,
                        const ArrayView<T>& U, int num_threads = 0);

template <class T>
VjpProblem<T> rotate_vjp(const ArrayView<const T>& y, const ArrayView<const T>& gy,
                         const Parameters<real_t<T>>& parameters, const Schedule& schedule,
                         const ArrayView<T>& gx, const ParameterGradients<real_t<T>>& gradients,
                         const RotateOptions& options);

template <class T>
VjpProblem<T> matrix_vjp(const ArrayView<const T>& U, const ArrayView<const T>& gU,
                         const Parameters<real_t<T>>& parameters, const Schedule& schedule,
                         const ParameterGradients<real_t<T>>& gradients, int num_threads = 0);

}  // namespace givens::validate
