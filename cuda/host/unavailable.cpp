// The public functions of a library built without CUDA: each refuses.
#include <complex>

#include "givens/cuda.hpp"
#include "host/instantiations.hpp"

namespace givens::cuda {

namespace {

constexpr const char* kReason = "built without CUDA";
// cudaErrorNotSupported.
constexpr int kNotSupported = 801;

[[noreturn]] void refuse(const char* call) { throw Error(call, kNotSupported, kReason); }

}  // namespace

Error::Error(const std::string& call, int status, const std::string& text)
    : std::runtime_error(call + ": " + text), status_(status) {}

std::string unavailable_reason() { return kReason; }

void prepare(const Schedule&, int) { refuse("givens::cuda::prepare"); }

template <class T>
void rotate(const not_deduced_t<ArrayView<const T>>&, const Parameters<real_t<T>>&, const Schedule&,
            const not_deduced_t<ArrayView<T>>&, const RotateOptions&, const LaunchOptions&) {
  refuse("givens::cuda::rotate");
}

template <class T>
WorkspaceSize rotate_workspace(const not_deduced_t<ArrayView<const T>>&,
                               const Parameters<real_t<T>>&, const Schedule&,
                               const not_deduced_t<ArrayView<T>>&, const RotateOptions&, int) {
  refuse("givens::cuda::rotate_workspace");
}

template <class T>
void matrix(const Parameters<real_t<T>>&, const Schedule&, const not_deduced_t<ArrayView<T>>&,
            const LaunchOptions&) {
  refuse("givens::cuda::matrix");
}

template <class T>
WorkspaceSize matrix_workspace(const Parameters<real_t<T>>&, const Schedule&,
                               const not_deduced_t<ArrayView<T>>&, int) {
  refuse("givens::cuda::matrix_workspace");
}

template <class T>
void rotate_vjp(const not_deduced_t<ArrayView<const T>>&, const not_deduced_t<ArrayView<const T>>&,
                const Parameters<real_t<T>>&, const Schedule&, const not_deduced_t<ArrayView<T>>&,
                const ParameterGradients<real_t<T>>&, const RotateOptions&, const LaunchOptions&) {
  refuse("givens::cuda::rotate_vjp");
}

template <class T>
WorkspaceSize rotate_vjp_workspace(const not_deduced_t<ArrayView<const T>>&,
                                   const not_deduced_t<ArrayView<const T>>&,
                                   const Parameters<real_t<T>>&, const Schedule&,
                                   const not_deduced_t<ArrayView<T>>&,
                                   const ParameterGradients<real_t<T>>&, const RotateOptions&,
                                   int) {
  refuse("givens::cuda::rotate_vjp_workspace");
}

template <class T>
void matrix_vjp(const not_deduced_t<ArrayView<const T>>&, const not_deduced_t<ArrayView<const T>>&,
                const Parameters<real_t<T>>&, const Schedule&, const ParameterGradients<real_t<T>>&,
                const LaunchOptions&) {
  refuse("givens::cuda::matrix_vjp");
}

template <class T>
WorkspaceSize matrix_vjp_workspace(const not_deduced_t<ArrayView<const T>>&,
                                   const not_deduced_t<ArrayView<const T>>&,
                                   const Parameters<real_t<T>>&, const Schedule&,
                                   const ParameterGradients<real_t<T>>&, int) {
  refuse("givens::cuda::matrix_vjp_workspace");
}

GIVENS_CUDA_INSTANTIATE

}  // namespace givens::cuda
