// The public boundary: checks arguments and turns them into problems. Everything behind it trusts
// them. Each function throws std::invalid_argument that names the argument, what came and what was
// expected.
#pragma once

#include <vector>

#include "arguments/problem.hpp"
#include "dual/problem.hpp"
#include "givens/decompose.hpp"
#include "givens/jvp.hpp"
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

template <class T>
std::vector<std::int64_t> decomposed_shape(const ArrayView<const T>& U);

// Checks shapes and memory. The decomposition itself finds out whether U is orthogonal.
template <class T>
void decompose(const ArrayView<const T>& U, const ParameterOutputs<real_t<T>>& outputs);

template <class T>
RotateJvpProblem<T> rotate_jvp(const ArrayView<const T>& x,
                               const std::optional<ArrayView<const T>>& dx,
                               const Parameters<real_t<T>>& parameters,
                               const ParameterTangents<real_t<T>>& tangents,
                               const Schedule& schedule, const ArrayView<T>& y,
                               const ArrayView<T>& dy, const RotateOptions& options);

template <class T>
RotateJvpProblem<T> matrix_jvp(const Parameters<real_t<T>>& parameters,
                               const ParameterTangents<real_t<T>>& tangents,
                               const Schedule& schedule, const ArrayView<T>& U,
                               const ArrayView<T>& dU, int num_threads);

template <class T>
VjpJvpProblem<T> rotate_vjp_jvp(
    const ArrayView<const T>& y, const std::optional<ArrayView<const T>>& dy,
    const ArrayView<const T>& gy, const std::optional<ArrayView<const T>>& dgy,
    const Parameters<real_t<T>>& parameters, const ParameterTangents<real_t<T>>& tangents,
    const Schedule& schedule, const ArrayView<T>& gx,
    const ParameterGradients<real_t<T>>& gradients, const ArrayView<T>& dgx,
    const ParameterGradients<real_t<T>>& gradient_tangents, const RotateOptions& options);

}  // namespace givens::validate
