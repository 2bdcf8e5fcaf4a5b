// The public functions: they check arguments, then run an engine.
#include "api/transform.hpp"

#include <stdexcept>
#include <string>

#include "arguments/element_types.hpp"
#include "arguments/fill.hpp"
#include "arguments/validate.hpp"
#include "cpu/engine.hpp"
#include "plan/plan.hpp"
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

// Runs a problem on the machine's engine, or on the reference engine if the user asked for that.
template <class T, class Problem>
void run(const Problem& problem, void (*cpu::Functions<T>::*function)(const Problem&, const Plan&),
         void (*reference)(const Problem&)) {
  if (const cpu::Engine* engine = cpu::engine()) {
    (engine->functions<T>().*function)(problem, plan_of(problem.schedule));
  } else {
    reference(problem);
  }
}

}  // namespace

namespace api {

template <class T>
void rotate(const ArrayView<const T>& x, const Parameters<real_t<T>>& parameters,
            const Schedule& schedule, const ArrayView<T>& y, const RotateOptions& options,
            const cpu::Prepared* prepared) {
  RotateProblem<T> problem = validate::rotate<T>(x, parameters, schedule, y, options);
  validate::signs(parameters);
  std::vector<T> storage;
  ArrayView<T> temporary;
  const bool needs_temporary = validate::destroys_input<T>(x, parameters, y);
  if (needs_temporary) {
    std::int64_t size = 1;
    for (int d = 0; d < y.ndim(); ++d) size *= y.shape(d);
    storage.resize(static_cast<std::size_t>(size));
    temporary = ArrayView<T>(storage.data(), y.ndim(), y.shape(), nullptr);
    problem = validate::rotate<T>(x, parameters, schedule, temporary, options);
  }
  problem.prepared = prepared;
  run<T>(problem, &cpu::Functions<T>::rotate, &reference::rotate<T>);
  if (needs_temporary) copy<T>(temporary, y);
}

template <class T>
void matrix(const Parameters<real_t<T>>& parameters, const Schedule& schedule,
            const ArrayView<T>& U, int num_threads, const cpu::Prepared* prepared) {
  MatrixProblem<T> problem = validate::matrix<T>(parameters, schedule, U, num_threads);
  validate::signs(parameters);
  problem.prepared = prepared;
  run<T>(problem, &cpu::Functions<T>::matrix, &reference::matrix<T>);
}

template <class T>
void rotate_vjp(const ArrayView<const T>& y, const ArrayView<const T>& gy,
                const Parameters<real_t<T>>& parameters, const Schedule& schedule,
                const ArrayView<T>& gx, const ParameterGradients<real_t<T>>& gradients,
                const RotateOptions& options, const cpu::Prepared* prepared) {
  auto problem = validate::rotate_vjp<T>(y, gy, parameters, schedule, gx, gradients, options);
  validate::signs(parameters);
  fill_with_zero(gradients);
  problem.prepared = prepared;
  run<T>(problem, &cpu::Functions<T>::vjp, &reference::vjp<T>);
}

}  // namespace api

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
  api::rotate<T>(x, parameters, schedule, y, options, nullptr);
}

template <class T>
void matrix(const Parameters<real_t<T>>& parameters, const Schedule& schedule,
            const not_deduced_t<ArrayView<T>>& U, int num_threads) {
  api::matrix<T>(parameters, schedule, U, num_threads, nullptr);
}

template <class T>
void rotate_vjp(const not_deduced_t<ArrayView<const T>>& y,
                const not_deduced_t<ArrayView<const T>>& gy,
                const Parameters<real_t<T>>& parameters, const Schedule& schedule,
                const not_deduced_t<ArrayView<T>>& gx,
                const ParameterGradients<real_t<T>>& gradients, const RotateOptions& options) {
  api::rotate_vjp<T>(y, gy, parameters, schedule, gx, gradients, options, nullptr);
}

template <class T>
void matrix_vjp(const not_deduced_t<ArrayView<const T>>& U,
                const not_deduced_t<ArrayView<const T>>& gU,
                const Parameters<real_t<T>>& parameters, const Schedule& schedule,
                const ParameterGradients<real_t<T>>& gradients, int num_threads) {
  const auto problem = validate::matrix_vjp<T>(U, gU, parameters, schedule, gradients, num_threads);
  validate::signs(parameters);
  fill_with_zero(gradients);
  run<T>(problem, &cpu::Functions<T>::matrix_vjp, &reference::vjp<T>);
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

#define GIVENS_INSTANTIATE_TYPE(T)         \
  GIVENS_INSTANTIATE(api::rotate, T)       \
  GIVENS_INSTANTIATE(api::matrix, T)       \
  GIVENS_INSTANTIATE(api::rotate_vjp, T)   \
  GIVENS_INSTANTIATE_API(rotated_shape, T) \
  GIVENS_INSTANTIATE_API(rotate, T)        \
  GIVENS_INSTANTIATE_API(matrix, T)        \
  GIVENS_INSTANTIATE_API(rotate_vjp, T)    \
  GIVENS_INSTANTIATE_API(matrix_vjp, T)
GIVENS_FOR_ALL_TYPES(GIVENS_INSTANTIATE_TYPE)

#define GIVENS_INSTANTIATE_REAL(R) GIVENS_INSTANTIATE_API(matrix_shape, R)
GIVENS_FOR_REAL_TYPES(GIVENS_INSTANTIATE_REAL)

}  // namespace givens
