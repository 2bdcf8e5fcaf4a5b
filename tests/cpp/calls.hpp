// The public functions, whichever engine they choose, on arrays of their own.
#pragma once

#include "array.hpp"
#include "givens/givens.hpp"
#include "problems.hpp"

namespace test {

using givens::real_t;
using givens::RotateOptions;
using givens::Schedule;

template <class T>
Array<T> rotated(const Array<T>& x, const OwnedParameters<real_t<T>>& parameters,
                 const Schedule& schedule, const RotateOptions& options = {}) {
  Array<T> y(givens::rotated_shape<T>(x.view(), parameters.views(), schedule, options.axis));
  givens::rotate<T>(x.view(), parameters.views(), schedule, y.view(), options);
  return y;
}

template <class T>
Array<T> matrix(const OwnedParameters<real_t<T>>& parameters, const Schedule& schedule,
                int num_threads = 0) {
  Array<T> U(givens::matrix_shape(parameters.views(), schedule));
  givens::matrix<T>(parameters.views(), schedule, U.view(), num_threads);
  return U;
}

// The gradients are set and not added to what the arrays have.
template <class T>
Gradients<T> gradients(const Array<T>& y, const Array<T>& gy,
                       const OwnedParameters<real_t<T>>& parameters, const Schedule& schedule,
                       const RotateOptions& options = {}) {
  Gradients<T> out{Array<T>(y.shape, T(1000)),
                   OwnedGradients<real_t<T>>(parameters, real_t<T>(1000))};
  givens::rotate_vjp<T>(y.view(), gy.view(), parameters.views(), schedule, out.gx.view(),
                        out.of.views(), options);
  return out;
}

template <class T>
OwnedGradients<real_t<T>> matrix_gradients(const Array<T>& U, const Array<T>& gU,
                                           const OwnedParameters<real_t<T>>& parameters,
                                           const Schedule& schedule, int num_threads = 0) {
  OwnedGradients<real_t<T>> out(parameters, real_t<T>(1000));
  givens::matrix_vjp<T>(U.view(), gU.view(), parameters.views(), schedule, out.views(),
                        num_threads);
  return out;
}

}  // namespace test
