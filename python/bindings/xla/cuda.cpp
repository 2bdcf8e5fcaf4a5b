// Handlers for XLA on a GPU, which queue their kernels on XLA's stream.
#include "xla/ffi.hpp"

#include "givens/cuda.hpp"
#include "register.hpp"

namespace givens::python::cuda {

namespace {

namespace ffi = ::xla::ffi;

struct Gpu {
  givens::cuda::LaunchOptions launch;

  Gpu(givens::cuda::Stream stream, std::int32_t device) : launch{stream, device, {}} {}

  template <class Binding>
  static auto with_contexts(Binding&& binding) {
    return std::move(binding)
        .template Ctx<ffi::PlatformStream<givens::cuda::Stream>>()
        .template Ctx<ffi::DeviceOrdinal>();
  }

  template <class T, class... A>
  void rotate(const RotateOptions& options, const A&... arguments) const {
    givens::cuda::rotate<T>(arguments..., options, launch);
  }
  template <class T, class... A>
  void matrix(const RotateOptions&, const A&... arguments) const {
    givens::cuda::matrix<T>(arguments..., launch);
  }
  template <class T, class... A>
  void rotate_vjp(const RotateOptions& options, const A&... arguments) const {
    givens::cuda::rotate_vjp<T>(arguments..., options, launch);
  }
  template <class T, class... A>
  void matrix_vjp(const RotateOptions&, const A&... arguments) const {
    givens::cuda::matrix_vjp<T>(arguments..., launch);
  }
};

}  // namespace

void register_xla(py::module_& module) {
  using namespace xla_calls;
  register_handlers<Gpu, Rotate, Matrix, RotateVjp, MatrixVjp>(module);
}

}  // namespace givens::python::cuda
