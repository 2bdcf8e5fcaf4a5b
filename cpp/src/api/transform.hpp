// The functions that calls with and without an operator share.
#pragma once

#include "cpu/prepared.hpp"
#include "givens/transform.hpp"

namespace givens::api {

// As the functions of givens/transform.hpp, with the engine's coefficients for these parameters;
// without an operator `prepared` is null.
template <class T>
void rotate(const ArrayView<const T>& x, const Parameters<real_t<T>>& parameters,
            const Schedule& schedule, const ArrayView<T>& y, const RotateOptions& options,
            const cpu::Prepared* prepared);

template <class T>
void matrix(const Parameters<real_t<T>>& parameters, const Schedule& schedule,
            const ArrayView<T>& U, int num_threads, const cpu::Prepared* prepared);

template <class T>
void rotate_vjp(const ArrayView<const T>& y, const ArrayView<const T>& gy,
                const Parameters<real_t<T>>& parameters, const Schedule& schedule,
                const ArrayView<T>& gx, const ParameterGradients<real_t<T>>& gradients,
                const RotateOptions& options, const cpu::Prepared* prepared);

}  // namespace givens::api
