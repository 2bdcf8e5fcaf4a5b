// Tangents: forward-mode derivatives of the functions of transform.hpp, and of their gradients,
// which are second order.
//
// A tangent is a direction of change, and has the shape of what it belongs to. With e * e = 0,
//   y + e dy = U(t + e dt) (x + e dx),
// so that the functions here are the rotations of transform.hpp in dual numbers. A call costs about
// three times as many operations as the call whose tangent it is. It runs on plain loops over
// panels of columns, not on the SIMD engines.
//
// Types, shapes, batches and errors are as in transform.hpp, but there are no 16-bit types. No
// output may overlap anything.
#pragma once

#include <optional>

#include "givens/export.hpp"
#include "givens/schedule.hpp"
#include "givens/transform.hpp"
#include "givens/view.hpp"

namespace givens {

// Tangents of parameters. Each has the shape of its parameter. An absent tangent is zero; a tangent
// of an absent parameter is refused.
template <class R>
struct ParameterTangents {
  std::optional<ArrayView<const R>> angles;
  std::optional<ArrayView<const R>> phases;
  std::optional<ArrayView<const R>> diagonal;
};

// The output y of `rotate` and its tangent dy. dx has the shape of x; if it is absent it is zero.
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

// The output U of `matrix` and its tangent dU, both (*B, n, columns).
template <class T>
GIVENS_API void matrix_jvp(const Parameters<real_t<T>>& parameters,
                           const ParameterTangents<real_t<T>>& tangents, const Schedule& schedule,
                           const not_deduced_t<ArrayView<T>>& U,
                           const not_deduced_t<ArrayView<T>>& dU, int num_threads = 0);

// The results of `rotate_vjp` as a function of y, gy and the parameters, and their tangents: with
// dy from rotate_jvp the Hessian of a loss times a vector. dy and dgy have the shape of y; if they
// are absent they are zero. For the tangents of matrix_vjp call it with U and gU, and axis -2.
// Memory: at most eight times the gradients of a matrix, in double.
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
