#include "arguments/validate.hpp"

#include <algorithm>
#include <iomanip>
#include <limits>
#include <sstream>

#include "arguments/checks.hpp"
#include "arguments/element_types.hpp"

namespace givens::validate {

template <class R>
void signs(const Parameters<R>& parameters) {
  if (!parameters.signs) return;
  const ArrayView<const R>& view = *parameters.signs;
  StridedLoop<1> loop;
  for (int d = 0; d < view.ndim(); ++d) loop.add(view.shape(d), {view.stride(d)});
  loop.for_each([&](const auto& offset) {
    const R sign = view.data()[offset[0]];
    if (!(sign == R(1) || sign == R(-1))) {
      std::ostringstream shown;
      shown << std::setprecision(std::numeric_limits<R>::max_digits10) << sign;
      refuse("signs must be +1 or -1 each, got " + shown.str());
    }
  });
}

template <class R>
Extents matrix_shape(const Parameters<R>& parameters, const Schedule& schedule) {
  return shape_of_matrices(batch_shape(parameters, schedule), schedule);
}

template <class T>
Extents rotated_shape(const ArrayView<const T>& x, const Parameters<real_t<T>>& parameters,
                      const Schedule& schedule, std::int64_t axis) {
  return frame_of_vectors(x, "x", parameters, schedule, {axis}).shape;
}

template <class T>
RotateProblem<T> rotate(const ArrayView<const T>& x, const Parameters<real_t<T>>& parameters,
                        const Schedule& schedule, const ArrayView<T>& y,
                        const RotateOptions& options) {
  const Frame frame = frame_of_vectors(x, "x", parameters, schedule, options);
  require_shape(y, "out", frame.shape);
  require_distinct_elements(y, "out");
  return rotate_problem(frame, views_of(parameters), &x, &y);
}

template <class T>
bool destroys_input(const ArrayView<const T>& x, const Parameters<real_t<T>>& parameters,
                    const ArrayView<T>& y) {
  const bool same = x.data() == y.data() && has_shape(x, y.shape(), y.ndim()) &&
                    std::equal(x.strides(), x.strides() + x.ndim(), y.strides());
  const auto views = views_of(parameters);
  return (overlap(y, x) && !same) || std::any_of(views.begin(), views.end(), [&](const auto* view) {
           return view && overlap(y, *view);
         });
}

template <class T>
MatrixProblem<T> matrix(const Parameters<real_t<T>>& parameters, const Schedule& schedule,
                        const ArrayView<T>& U, int num_threads) {
  const Frame frame = frame_of_matrices<T>(parameters, schedule, num_threads);
  Arrays arrays;
  arrays.reads(parameters);
  arrays.writes(&U, "U", frame.shape);

  const ParameterViews<const real_t<T>> views = views_of(parameters);
  MatrixProblem<T> problem{schedule, num_threads,          data_of(views),
                           U.data(), U.stride(frame.axis), U.stride(frame.axis + 1)};
  add_batch_axes(problem.matrices, frame, operands_of<problem.kOperands>(frame, views, {&U}));
  return problem;
}

// What rotate_vjp and matrix_vjp share. `gx` is null if that gradient is not wanted.
template <class T>
static VjpProblem<T> vjp(const Frame& frame, const ArrayView<const T>& y, const char* name,
                         const ArrayView<const T>& gy, const Parameters<real_t<T>>& parameters,
                         const ArrayView<T>* gx, const ParameterGradients<real_t<T>>& gradients) {
  require_shape(y, name, frame.shape);
  require_shape(gy, {"g", name}, frame.shape);
  Arrays arrays;
  arrays.reads(&y, name);
  arrays.reads(&gy, {"g", name});
  arrays.reads(parameters);
  arrays.writes(gx, "gx", frame.shape);
  arrays.writes(gradients, "g", parameters);
  return vjp_problem(frame, views_of(parameters), &y, &gy, gx, views_of(gradients));
}

template <class T>
VjpProblem<T> rotate_vjp(const ArrayView<const T>& y, const ArrayView<const T>& gy,
                         const Parameters<real_t<T>>& parameters, const Schedule& schedule,
                         const ArrayView<T>& gx, const ParameterGradients<real_t<T>>& gradients,
                         const RotateOptions& options) {
  const Frame frame = frame_of_vectors(y, "y", parameters, schedule, options);
  return vjp(frame, y, "y", gy, parameters, &gx, gradients);
}

template <class T>
VjpProblem<T> matrix_vjp(const ArrayView<const T>& U, const ArrayView<const T>& gU,
                         const Parameters<real_t<T>>& parameters, const Schedule& schedule,
                         const ParameterGradients<real_t<T>>& gradients, int num_threads) {
  const Frame frame = frame_of_matrices<T>(parameters, schedule, num_threads);
  return vjp<T>(frame, U, "U", gU, parameters, nullptr, gradients);
}

#define GIVENS_INSTANTIATE_REAL(R) \
  GIVENS_INSTANTIATE(signs, R)     \
  GIVENS_INSTANTIATE(matrix_shape, R)
GIVENS_FOR_REAL_TYPES(GIVENS_INSTANTIATE_REAL)

#define GIVENS_INSTANTIATE_TYPE(T)      \
  GIVENS_INSTANTIATE(rotated_shape, T)  \
  GIVENS_INSTANTIATE(rotate, T)         \
  GIVENS_INSTANTIATE(destroys_input, T) \
  GIVENS_INSTANTIATE(matrix, T)         \
  GIVENS_INSTANTIATE(rotate_vjp, T)     \
  GIVENS_INSTANTIATE(matrix_vjp, T)
GIVENS_FOR_ALL_TYPES(GIVENS_INSTANTIATE_TYPE)

}  // namespace givens::validate
