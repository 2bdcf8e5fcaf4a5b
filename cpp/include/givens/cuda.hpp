// The functions of transform.hpp on arrays in a GPU's memory. Needs neither nvcc nor the CUDA
// headers; link to the target givens::cuda.
//
// Arguments, conventions and std::invalid_argument are those of transform.hpp, with these
// differences:
// - Views and parameters point to memory of one device. Nothing there is read before the kernels
// run,
//   so that signs are not checked.
// - T is float, double, std::complex of either, Half or BFloat16; the parameters of Half and
// BFloat16
//   are float, and so is all arithmetic.
// - x and y are the same view, or do not overlap; neither may y and the parameters.
// - Arrays have at most 8 axes that cannot be merged.
// - Gradients have an entry of their own for every matrix: a batch axis along which only some
//   parameters are repeated must be summed over by the caller.
// - Values whose magnitude times 2^40 overflows may come out as infinities, and so may gradients
//   where that of |y| |gy| does.
//
// Everything is queued on the caller's stream, nothing waits for it. With a workspace nothing is
// allocated either, so that calls can be captured in a CUDA graph; but the first call for a
// schedule on a device copies its plan there, which `prepare` does beforehand.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>

#include "givens/export.hpp"
#include "givens/half.hpp"
#include "givens/transform.hpp"

struct CUstream_st;

namespace givens::cuda {

// cudaStream_t.
using Stream = CUstream_st*;

// A call of the CUDA runtime that failed. `status` is its cudaError_t; what() names the call.
class GIVENS_API Error : public std::runtime_error {
 public:
  Error(const std::string& call, int status, const std::string& text);
  int status() const { return status_; }

 private:
  int status_;
};

// Why there is no device to run on; empty if there is one.
GIVENS_API std::string unavailable_reason();

// Memory for coefficients and sums, aligned to 256 bytes. Without it a call allocates some with
// cudaMallocAsync and frees it with cudaFreeAsync.
struct Workspace {
  void* data = nullptr;
  std::size_t bytes = 0;
};

struct LaunchOptions {
  Stream stream = nullptr;
  // The device that all arrays are on; it is current during the call only. -1: the current one.
  int device = -1;
  Workspace workspace = {};
};

// Copies the plan of a schedule to a device, where it stays until the process ends. Waits for the
// copy. Cost: that of making the plan, at most O(K).
GIVENS_API void prepare(const Schedule& schedule, int device = -1);

// The bytes of a workspace that suffices for one call and is no smaller than is good for its speed.
// Calls work with any that is not smaller than `least`.
struct WorkspaceSize {
  std::size_t best = 0;
  std::size_t least = 0;
};

template <class T>
GIVENS_API void rotate(const not_deduced_t<ArrayView<const T>>& x,
                       const Parameters<real_t<T>>& parameters, const Schedule& schedule,
                       const not_deduced_t<ArrayView<T>>& y, const RotateOptions& options = {},
                       const LaunchOptions& launch = {});
template <class T>
GIVENS_API WorkspaceSize rotate_workspace(const not_deduced_t<ArrayView<const T>>& x,
                                          const Parameters<real_t<T>>& parameters,
                                          const Schedule& schedule,
                                          const not_deduced_t<ArrayView<T>>& y,
                                          const RotateOptions& options = {}, int device = -1);

template <class T>
GIVENS_API void matrix(const Parameters<real_t<T>>& parameters, const Schedule& schedule,
                       const not_deduced_t<ArrayView<T>>& U, const LaunchOptions& launch = {});
template <class T>
GIVENS_API WorkspaceSize matrix_workspace(const Parameters<real_t<T>>& parameters,
                                          const Schedule& schedule,
                                          const not_deduced_t<ArrayView<T>>& U, int device = -1);

template <class T>
GIVENS_API void rotate_vjp(const not_deduced_t<ArrayView<const T>>& y,
                           const not_deduced_t<ArrayView<const T>>& gy,
                           const Parameters<real_t<T>>& parameters, const Schedule& schedule,
                           const not_deduced_t<ArrayView<T>>& gx,
                           const ParameterGradients<real_t<T>>& gradients,
                           const RotateOptions& options = {}, const LaunchOptions& launch = {});
template <class T>
GIVENS_API WorkspaceSize rotate_vjp_workspace(const not_deduced_t<ArrayView<const T>>& y,
                                              const not_deduced_t<ArrayView<const T>>& gy,
                                              const Parameters<real_t<T>>& parameters,
                                              const Schedule& schedule,
                                              const not_deduced_t<ArrayView<T>>& gx,
                                              const ParameterGradients<real_t<T>>& gradients,
                                              const RotateOptions& options = {}, int device = -1);

template <class T>
GIVENS_API void matrix_vjp(const not_deduced_t<ArrayView<const T>>& U,
                           const not_deduced_t<ArrayView<const T>>& gU,
                           const Parameters<real_t<T>>& parameters, const Schedule& schedule,
                           const ParameterGradients<real_t<T>>& gradients,
                           const LaunchOptions& launch = {});
template <class T>
GIVENS_API WorkspaceSize matrix_vjp_workspace(const not_deduced_t<ArrayView<const T>>& U,
                                              const not_deduced_t<ArrayView<const T>>& gU,
                                              const Parameters<real_t<T>>& parameters,
                                              const Schedule& schedule,
                                              const ParameterGradients<real_t<T>>& gradients,
                                              int device = -1);

}  // namespace givens::cuda
