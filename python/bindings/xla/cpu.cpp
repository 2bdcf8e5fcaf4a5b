// Handlers for XLA on the CPU.
#include "xla/ffi.hpp"

#include "register.hpp"

namespace givens::python {

namespace xla_calls {

namespace {

struct Cpu {
  template <class Binding>
  static Binding&& with_contexts(Binding&& binding) {
    return std::move(binding);
  }

  template <class T, class... A>
  void rotate(const RotateOptions& options, const A&... arguments) const {
    givens::rotate<T>(arguments..., options);
  }
  template <class T, class... A>
  void matrix(const RotateOptions& options, const A&... arguments) const {
    givens::matrix<T>(arguments..., options.num_threads);
  }
  template <class T, class... A>
  void rotate_vjp(const RotateOptions& options, const A&... arguments) const {
    givens::rotate_vjp<T>(arguments..., options);
  }
  template <class T, class... A>
  void matrix_vjp(const RotateOptions& options, const A&... arguments) const {
    givens::matrix_vjp<T>(arguments..., options.num_threads);
  }
};

// Tangents, which only the CPU engine computes.

struct RotateJvp {
  static constexpr const char* kName = "givens_rotate_jvp";
  static constexpr bool kTakesHalves = false;
  static ffi::DataType type(const Arrays& arrays) { return arrays.argument_type(); }
  template <class T>
  static void run(const Cpu&, const Setting& s, Arrays& arrays) {
    const auto x = arrays.argument<T>();
    const auto parameters = arrays.parameters<real_t<T>>();
    const auto dx = arrays.argument<T>();
    const auto tangents = arrays.tangents<real_t<T>>();
    const auto y = arrays.result<T>();
    const auto dy = arrays.result<T>();
    givens::rotate_jvp<T>(x, dx, parameters, tangents, s.schedule, y, dy, s.options);
  }
};

struct MatrixJvp {
  static constexpr const char* kName = "givens_matrix_jvp";
  static constexpr bool kTakesHalves = false;
  static ffi::DataType type(const Arrays& arrays) { return arrays.result_type(); }
  template <class T>
  static void run(const Cpu&, const Setting& s, Arrays& arrays) {
    const auto parameters = arrays.parameters<real_t<T>>();
    const auto tangents = arrays.tangents<real_t<T>>();
    const auto u = arrays.result<T>();
    const auto du = arrays.result<T>();
    givens::matrix_jvp<T>(parameters, tangents, s.schedule, u, du, s.options.num_threads);
  }
};

struct RotateVjpJvp {
  static constexpr const char* kName = "givens_rotate_vjp_jvp";
  static constexpr bool kTakesHalves = false;
  static ffi::DataType type(const Arrays& arrays) { return arrays.argument_type(); }
  template <class T>
  static void run(const Cpu&, const Setting& s, Arrays& arrays) {
    using R = real_t<T>;
    const auto y = arrays.argument<T>();
    const auto gy = arrays.argument<T>();
    const auto parameters = arrays.parameters<R>();
    const auto dy = arrays.argument<T>();
    const auto dgy = arrays.argument<T>();
    const auto tangents = arrays.tangents<R>();
    const auto gx = arrays.result<T>();
    const auto gradients = arrays.gradients<R>();
    const auto dgx = arrays.result<T>();
    const auto dgradients = arrays.gradients<R>();
    givens::rotate_vjp_jvp<T>(y, dy, gy, dgy, parameters, tangents, s.schedule, gx, gradients, dgx,
                              dgradients, s.options);
  }
};

}  // namespace

}  // namespace xla_calls

void register_xla(py::module_& module) {
  using namespace xla_calls;
  register_handlers<Cpu, Rotate, Matrix, RotateVjp, MatrixVjp, RotateJvp, MatrixJvp, RotateVjpJvp>(
      module);
}

}  // namespace givens::python
