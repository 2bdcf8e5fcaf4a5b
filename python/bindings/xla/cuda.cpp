// Handlers for XLA on a GPU, which queue their kernels on XLA's stream.
#include "xla/ffi.hpp"

#include "givens/cuda.hpp"
#include "register.hpp"

namespace givens::python::cuda {

namespace {

namespace ffi = ::xla::ffi;

struct Gpu {
  givens::cuda::LaunchOptions launch;

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

template <class Operation>
struct Handler {
  static XLA_FFI_Error* call(XLA_FFI_CallFrame* frame) {
    static const auto* const handler =
        ffi::Ffi::BindExecute()
            .Ctx<ffi::PlatformStream<givens::cuda::Stream>>()
            .Ctx<ffi::DeviceOrdinal>()
            .RemainingArgs()
            .RemainingRets()
            .Attrs<ffi::Dictionary>()
            .To([](givens::cuda::Stream stream, std::int32_t device, ffi::RemainingArgs arguments,
                   ffi::RemainingRets results, const ffi::Dictionary& attributes) {
              const Gpu gpu{{stream, device, {}}};
              return xla_calls::execute<Operation>(gpu, arguments, results, attributes);
            })
            .release();
    return handler->Call(frame);
  }
};

}  // namespace

void register_xla(pybind11::module_& module) {
  using namespace xla_calls;
  module.attr("jaxlib_version") = GIVENS_JAXLIB_VERSION;
  module.def("ffi_handlers", &xla_calls::handlers<Handler, Rotate, Matrix, RotateVjp, MatrixVjp>);
}

}  // namespace givens::python::cuda
