// The reference engine on arrays of their own.
#pragma once

#include "arguments/validate.hpp"
#include "array.hpp"
#include "givens/givens.hpp"
#include "problems.hpp"
#include "reference/reference.hpp"

namespace test {

using givens::real_t;
using givens::RotateOptions;
using givens::Schedule;

template <class T>
Array<T> reference_rotate(const Array<T>& x, const OwnedParameters<real_t<T>>& parameters,
                          const Schedule& schedule, const RotateOptions& options = {}) {
  Array<T> y(
      givens::validate::rotated_shape<T>(x.view(), parameters.views(), schedule, options.axis));
  givens::reference::rotate(
      givens::validate::rotate<T>(x.view(), parameters.views(), schedule, y.view(), options));
  return y;
}

template <class T>
Array<T> reference_matrix(const OwnedParameters<real_t<T>>& parameters, const Schedule& schedule) {
  Array<T> U(givens::validate::matrix_shape(parameters.views(), schedule));
  givens::reference::matrix(givens::validate::matrix<T>(parameters.views(), schedule, U.view()));
  return U;
}

enum class Method { reversal, conjugation };

template <class T>
Gradients<T> reference_gradients(const Array<T>& y, const Array<T>& gy,
                                 const OwnedParameters<real_t<T>>& parameters,
                                 const Schedule& schedule, const RotateOptions& options = {},
                                 Method method = Method::reversal) {
  Gradients<T> out{Array<T>(y.shape), OwnedGradients<real_t<T>>(parameters)};
  const auto problem = givens::validate::rotate_vjp<T>(
      y.view(), gy.view(), parameters.views(), schedule, out.gx.view(), out.of.views(), options);
  if (method == Method::reversal) {
    givens::reference::vjp(problem);
  } else {
    givens::reference::vjp_by_conjugation(problem);
  }
  return out;
}

}  // namespace test
