// Tangents: forward-mode derivatives, and those of the gradients, which are second order.
//
// A tangent is a direction of change, and has the shape of what it belongs to. With e * e = 0,
//   y + e dy = U(t + e dt) (x + e dx),
// so that everything here is the rotations of transform.hpp in dual numbers, and a call costs about
// three times as many operations as the one it is the tangent of. It runs on plain loops over
// panels of columns, not on the SIMD engines.
//
// Types, batches and errors are those of transform.hpp. No output may overlap anything.
#pragma once

#include <optional>

#include "givens/export.hpp"
#include "givens/schedule.hpp"
#include "givens/transform.hpp"
#include "givens/view.hpp"

namespace givens {

// Tangents of parameters, each of the shape of its parameter. One that is absent is zero; one of an
// absent parameter is refused.
template <class R>
struct ParameterTangents {
  std::optional<ArrayView<const R>> angles;
  std::optional<ArrayView<const R>> phases;
  std::optional<ArrayView<const R>> diagonal;
};

// y and dy of `rotate`. dx: the shape of x; absent, it is zero.
//
//   givens::rotate_jvp<float>(x, dx, parameters, {dangles, {}, {}}, schedule, y, dy);
template <class T>
GIVENS_API void rotate_jvp(const not_deduced_t<ArrayView<const T>>& x,
                           const std::optional<not_deduced_t<ArrayView<const T>>>& dx,
                           const Parameters<real_t<T>>& parameters,
                           const ParameterTangents<real_t<T>>& tangents, const Schedule& schedule,
                           const not_deduced_t<ArrayView<T>>& y,
                           const not_deduced_t<ArrayView<T>>& dy,
                           const RotateOptions& options = {});

// U and dU of `matrix`, each (*B, n, columns).
template <class T>
GIVENS_API void matrix_jvp(const Parameters<real_t<T>>& parameters,
                           const ParameterTangents<real_t<T>>& tangents, const Schedule& schedule,
                           const not_deduced_t<ArrayView<T>>& U,
                           const not_deduced_t<ArrayView<T>>& dU, int num_threads = 0);

// The results of `rotate_vjp` as a function of y, gy and the parameters, and their tangents: with
// dy from rotate_jvp the Hessian of a loss times a vector. dy and dgy: the shape of y; absent, they
// are zero. The tangents of matrix_vjp are those for U and
// gU with axis -2.
// Memory: up to eight times the gradients of a matrix, in double.
template <class T>
GIVENS_API void rotate_vjp_jvp(const not_deduced_t<ArrayView<const T>>& y,
                               const std::optional<not_deduced_t<ArrayView<const T>>>& dy,
                               const not_deduced_t<ArrayView<const T>>& gy,
                               const std::optional<not_deduced_t<ArrayView<const T>>>& dgy,
                               const Parameters<real_t<T>>& parameters,
                               const ParameterTangents<real_t<T>>& tangents,
                               const Schedule& schedule, const not_deduced_t<ArrayView<T>>& gx,
                               const ParameterGradients<real_t<T>>& gradients,
                               const not_deduced_t<ArrayView<T>>& dgx,
                               const ParameterGradients<real_t<T>>& gradient_tangents,
                               const RotateOptions& options = {});

}  // namespace givens
