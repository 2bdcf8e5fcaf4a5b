// The public functions: check, then hand over to an engine.
#include "givens/transform.hpp"

#include <algorithm>
#include <complex>
#include <stdexcept>
#include <string>

#include "arguments/fill.hpp"
#include "arguments/validate.hpp"
#include "cpu/engine.hpp"
#include "reference/reference.hpp"
#include "runtime/threads.hpp"

namespace givens {

namespace {

template <class T>
void copy(const ArrayView<const T>& from, const ArrayView<T>& to) {
  StridedLoop<2> loop;
  for (int d = 0; d < to.ndim(); ++d) loop.add(to.shape(d), {from.stride(d), to.stride(d)});
  loop.for_each([&](const auto& at) { to.data()[at[1]] = from.data()[at[0]]; });
}

// Each runs a problem on the machine's engine, or on the reference engine if that was asked for.

template <class T>
void run_rotate(const RotateProblem<T>& problem) {
  if (const cpu::Engine* engine = cpu::engine()) {
    engine->functions<T>().rotate(problem, plan_of(problem.schedule));
  } else {
    reference::rotate(problem);
  }
}

template <class T>
void run_matrix(const MatrixProblem<T>& problem) {
  if (const cpu::Engine* engine = cpu::engine()) {
    engine->functions<T>().matrix(problem, plan_of(problem.schedule));
  } else {
    reference::matrix(problem);
  }
}

template <class T>
void run_vjp(const VjpProblem<T>& problem) {
  if (const cpu::Engine* engine = cpu::engine()) {
    engine->functions<T>().vjp(problem, plan_of(problem.schedule));
  } else {
    reference::vjp(problem);
  }
}

template <class T>
void run_matrix_vjp(const VjpProblem<T>& problem) {
  if (const cpu::Engine* engine = cpu::engine()) {
    engine->functions<T>().matrix_vjp(problem, plan_of(problem.schedule));
  } else {
    reference::vjp(problem);
  }
}

}  // namespace

template <class R>
std::vector<std::int64_t> matrix_shape(const Parameters<R>& parameters, const Schedule& schedule) {
  return validate::matrix_shape(parameters, schedule);
}

template <class T>
std::vector<std::int64_t> rotated_shape(const not_deduced_t<ArrayView<const T>>& x,
                                        const Parameters<real_t<T>>& parameters,
                                        const Schedule& schedule, std::int64_t axis) {
  return validate::rotated_shape<T>(x, parameters, schedule, axis);
}

template <class T>
void rotate(const not_deduced_t<ArrayView<const T>>& x, const Parameters<real_t<T>>& parameters,
            const Schedule& schedule, const not_deduced_t<ArrayView<T>>& y,
            const RotateOptions& options) {
  const RotateProblem<T> problem = validate::rotate<T>(x, parameters, schedule, y, options);
  validate::signs(parameters);
  if (!validate::destroys_input<T>(x, parameters, y)) {
    run_rotate(problem);
    return;
  }
  std::int64_t size = 1;
  for (int d = 0; d < y.ndim(); ++d) size *= y.shape(d);
  std::vector<T> storage(static_cast<std::size_t>(size));
  const ArrayView<T> temporary(storage.data(), y.ndim(), y.shape(), nullptr);
  run_rotate(validate::rotate<T>(x, parameters, schedule, temporary, options));
  copy<T>(temporary, y);
}

template <class T>
void matrix(const Parameters<real_t<T>>& parameters, const Schedule& schedule,
            const not_deduced_t<ArrayView<T>>& U, int num_threads) {
  const MatrixProblem<T> problem = validate::matrix<T>(parameters, schedule, U, num_threads);
  validate::signs(parameters);
  run_matrix(problem);
}

template <class T>
void rotate_vjp(const not_deduced_t<ArrayView<const T>>& y,
                const not_deduced_t<ArrayView<const T>>& gy,
                const Parameters<real_t<T>>& parameters, const Schedule& schedule,
                const not_deduced_t<ArrayView<T>>& gx,
                const ParameterGradients<real_t<T>>& gradients, const RotateOptions& options) {
  const auto problem = validate::rotate_vjp<T>(y, gy, parameters, schedule, gx, gradients, options);
  validate::signs(parameters);
  fill_with_zero(gradients);
  run_vjp(problem);
}

template <class T>
void matrix_vjp(const not_deduced_t<ArrayView<const T>>& U,
                const not_deduced_t<ArrayView<const T>>& gU,
                const Parameters<real_t<T>>& parameters, const Schedule& schedule,
                const ParameterGradients<real_t<T>>& gradients, int num_threads) {
  const auto problem = validate::matrix_vjp<T>(U, gU, parameters, schedule, gradients, num_threads);
  validate::signs(parameters);
  fill_with_zero(gradients);
  run_matrix_vjp(problem);
}

std::vector<std::string> backends() {
  std::vector<std::string> names;
  for (const cpu::Engine* engine : cpu::engines()) names.emplace_back(engine->name);
  names.emplace_back("reference");
  return names;
}

int default_num_threads() { return runtime::default_num_threads(); }

void set_default_num_threads(int num_threads) {
  if (num_threads < 0) {
    throw std::invalid_argument("num_threads must be at least 1, or 0 to unset it, got " +
                                std::to_string(num_threads));
  }
  runtime::set_default_num_threads(num_threads);
}

std::string backend() {
  const cpu::Engine* engine = cpu::engine();
  return engine ? engine->name : "reference";
}

#define GIVENS_INSTANTIATE(T)                                                                     \
  template GIVENS_API std::vector<std::int64_t> rotated_shape<T>(                                 \
      const ArrayView<const T>&, const Parameters<real_t<T>>&, const Schedule&, std::int64_t);    \
  template GIVENS_API void rotate<T>(const ArrayView<const T>&, const Parameters<real_t<T>>&,     \
                                     const Schedule&, const ArrayView<T>&, const RotateOptions&); \
  template GIVENS_API void matrix<T>(const Parameters<real_t<T>>&, const Schedule&,               \
                                     const ArrayView<T>&, int);                                   \
  template GIVENS_API void rotate_vjp<T>(                                                         \
      const ArrayView<const T>&, const ArrayView<const T>&, const Parameters<real_t<T>>&,         \
      const Schedule&, const ArrayView<T>&, const ParameterGradients<real_t<T>>&,                 \
      const RotateOptions&);                                                                      \
  template GIVENS_API void matrix_vjp<T>(const ArrayView<const T>&, const ArrayView<const T>&,    \
                                         const Parameters<real_t<T>>&, const Schedule&,           \
                                         const ParameterGradients<real_t<T>>&, int);

GIVENS_INSTANTIATE(float)
GIVENS_INSTANTIATE(double)
GIVENS_INSTANTIATE(std::complex<float>)
GIVENS_INSTANTIATE(std::complex<double>)
template GIVENS_API std::vector<std::int64_t> matrix_shape(const Parameters<float>&,
                                                           const Schedule&);
template GIVENS_API std::vector<std::int64_t> matrix_shape(const Parameters<double>&,
                                                           const Schedule&);

}  // namespace givens
