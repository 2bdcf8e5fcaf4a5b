// The public functions of tangents: they check arguments, then compute in dual numbers.
#include "givens/jvp.hpp"

#include <complex>

#include "arguments/element_types.hpp"
#include "arguments/fill.hpp"
#include "arguments/validate.hpp"
#include "dual/engine.hpp"

namespace givens {

template <class T>
void rotate_jvp(const not_deduced_t<ArrayView<const T>>& x,
                const std::optional<not_deduced_t<ArrayView<const T>>>& dx,
                const Parameters<real_t<T>>& parameters,
                const ParameterTangents<real_t<T>>& tangents, const Schedule& schedule,
                const not_deduced_t<ArrayView<T>>& y, const not_deduced_t<ArrayView<T>>& dy,
                const RotateOptions& options) {
  const auto problem =
      validate::rotate_jvp<T>(x, dx, parameters, tangents, schedule, y, dy, options);
  validate::signs(parameters);
  dual::rotate_jvp(problem);
}

template <class T>
void matrix_jvp(const Parameters<real_t<T>>& parameters,
                const ParameterTangents<real_t<T>>& tangents, const Schedule& schedule,
                const not_deduced_t<ArrayView<T>>& U, const not_deduced_t<ArrayView<T>>& dU,
                int num_threads) {
  const auto problem = validate::matrix_jvp<T>(parameters, tangents, schedule, U, dU, num_threads);
  validate::signs(parameters);
  dual::rotate_jvp(problem);
}

template <class T>
void rotate_vjp_jvp(const not_deduced_t<ArrayView<const T>>& y,
                    const std::optional<not_deduced_t<ArrayView<const T>>>& dy,
                    const not_deduced_t<ArrayView<const T>>& gy,
                    const std::optional<not_deduced_t<ArrayView<const T>>>& dgy,
                    const Parameters<real_t<T>>& parameters,
                    const ParameterTangents<real_t<T>>& tangents, const Schedule& schedule,
                    const not_deduced_t<ArrayView<T>>& gx,
                    const ParameterGradients<real_t<T>>& gradients,
                    const not_deduced_t<ArrayView<T>>& dgx,
                    const ParameterGradients<real_t<T>>& gradient_tangents,
                    const RotateOptions& options) {
  const auto problem = validate::rotate_vjp_jvp<T>(y, dy, gy, dgy, parameters, tangents, schedule,
                                                   gx, gradients, dgx, gradient_tangents, options);
  validate::signs(parameters);
  fill_with_zero(gradients);
  fill_with_zero(gradient_tangents);
  dual::vjp_jvp(problem);
}

#define GIVENS_INSTANTIATE_TYPE(T)      \
  GIVENS_INSTANTIATE_API(rotate_jvp, T) \
  GIVENS_INSTANTIATE_API(matrix_jvp, T) \
  GIVENS_INSTANTIATE_API(rotate_vjp_jvp, T)
GIVENS_FOR_CPU_TYPES(GIVENS_INSTANTIATE_TYPE)

}  // namespace givens
