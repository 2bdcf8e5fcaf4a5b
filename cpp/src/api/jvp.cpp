// The public functions of tangents: they check arguments, then compute in dual numbers.
#include "givens/jvp.hpp"

#include <complex>

#include "arguments/checks.hpp"
#include "arguments/element_types.hpp"
#include "arguments/fill.hpp"
#include "arguments/validate.hpp"
#include "dual/engine.hpp"

namespace givens {

namespace {

// What rotate_jvp and matrix_jvp share. `x` is null for the columns of the identity.
template <class T>
void run_jvp(const validate::Frame& frame, const ArrayView<const T>* x,
             const std::optional<ArrayView<const T>>& dx, const Parameters<real_t<T>>& parameters,
             const ParameterTangents<real_t<T>>& tangents, const ArrayView<T>& y,
             const ArrayView<T>& dy, const char* name) {
  validate::Arrays arrays;
  arrays.reads(x, "x");
  arrays.reads(validate::pointer(dx), "dx");
  arrays.reads(parameters);
  arrays.reads(tangents, parameters);
  arrays.writes(&y, name, frame.shape);
  arrays.writes(&dy, {"d", name}, frame.shape);
  validate::signs(parameters);
  dual::rotate_jvp<T>(
      {validate::rotate_problem(frame, validate::views_of(parameters), x, &y),
       validate::rotate_problem(frame, validate::views_of(tangents), validate::pointer(dx), &dy)});
}

}  // namespace

template <class T>
void rotate_jvp(const not_deduced_t<ArrayView<const T>>& x,
                const std::optional<not_deduced_t<ArrayView<const T>>>& dx,
                const Parameters<real_t<T>>& parameters,
                const ParameterTangents<real_t<T>>& tangents, const Schedule& schedule,
                const not_deduced_t<ArrayView<T>>& y, const not_deduced_t<ArrayView<T>>& dy,
                const RotateOptions& options) {
  const auto frame = validate::frame_of_vectors(x, "x", parameters, schedule, options);
  if (dx) validate::require_shape(*dx, "dx", {x.shape(), x.shape() + x.ndim()});
  run_jvp<T>(frame, &x, dx, parameters, tangents, y, dy, "y");
}

template <class T>
void matrix_jvp(const Parameters<real_t<T>>& parameters,
                const ParameterTangents<real_t<T>>& tangents, const Schedule& schedule,
                const not_deduced_t<ArrayView<T>>& U, const not_deduced_t<ArrayView<T>>& dU,
                int num_threads) {
  const auto frame = validate::frame_of_matrices<T>(parameters, schedule, num_threads);
  run_jvp<T>(frame, nullptr, {}, parameters, tangents, U, dU, "U");
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
  const auto frame = validate::frame_of_vectors(y, "y", parameters, schedule, options);
  validate::Arrays arrays;
  const auto read = [&](const ArrayView<const T>* view, const char* name) {
    if (view) validate::require_shape(*view, name, frame.shape);
    arrays.reads(view, name);
  };
  read(&y, "y");
  read(&gy, "gy");
  read(validate::pointer(dy), "dy");
  read(validate::pointer(dgy), "dgy");
  arrays.reads(parameters);
  arrays.reads(tangents, parameters);
  arrays.writes(&gx, "gx", frame.shape);
  arrays.writes(gradients, "g", parameters);
  arrays.writes(&dgx, "dgx", frame.shape);
  arrays.writes(gradient_tangents, "dg", parameters);
  validate::signs(parameters);
  fill_with_zero(gradients);
  fill_with_zero(gradient_tangents);
  dual::vjp_jvp<T>(
      {validate::vjp_problem(frame, validate::views_of(parameters), &y, &gy, &gx,
                             validate::views_of(gradients)),
       validate::vjp_problem(frame, validate::views_of(tangents), validate::pointer(dy),
                             validate::pointer(dgy), &dgx, validate::views_of(gradient_tangents))});
}

#define GIVENS_INSTANTIATE_TYPE(T)      \
  GIVENS_INSTANTIATE_API(rotate_jvp, T) \
  GIVENS_INSTANTIATE_API(matrix_jvp, T) \
  GIVENS_INSTANTIATE_API(rotate_vjp_jvp, T)
GIVENS_FOR_WIDE_TYPES(GIVENS_INSTANTIATE_TYPE)

}  // namespace givens
