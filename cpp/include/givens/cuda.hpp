// The functions of transform.hpp on arrays in the memory of a GPU. A program that uses them needs
// neither nvcc nor the CUDA headers; it links to the target givens::cuda.
//
// Arguments, conventions and errors are as in transform.hpp, with these differences:
// - Views and parameters point to memory of one device. The host does not read it, so that the
//   values of signs are not checked.
// - x and y must be the same view, or not overlap. y must not overlap the parameters.
// - Arrays have at most 8 axes that cannot be merged.
// - Every matrix has entries of its own in the gradients: where only some parameters are repeated
//   along a batch axis, the caller sums over it.
// - Values whose magnitude times 2^40 overflows may become infinities, and so may gradients where
//   |y| |gy| times 2^40 overflows.
//
// Calls queue their work on the caller's stream and do not wait for it. With a workspace they
// allocate nothing either, so that they can be captured in a CUDA graph. The first call for a
// schedule on a device copies its plan there; `prepare` does that beforehand.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>

#include "givens/export.hpp"
#include "givens/transform.hpp"

struct CUstream_st;

namespace givens::cuda {

// cudaStream_t.
using Stream = CUstream_st*;

// Thrown if a call of the CUDA runtime fails. `status` is its cudaError_t; what() names the call.
class GIVENS_API Error : public std::runtime_error {
 public:
  Error(const std::string& call, int status, const std::string& text);
  int status() const { return status_; }

 private:
  int status_;
};

// Why there is no device to run on; empty if there is one.
GIVENS_API std::string unavailable_reason();

// Device memory for coefficients and sums, aligned to 256 bytes. Without it a call allocates memory
// with cudaMallocAsync and frees it with cudaFreeAsync.
struct Workspace {
  void* data = nullptr;
  std::size_t bytes = 0;
};

struct LaunchOptions {
  Stream stream = nullptr;
  // The device that holds all arrays; the call makes it current for its own time. -1 stands for the
  // current device.
  int device = -1;
  Workspace workspace = {};
};

// Copies the plan of a schedule to a device, where it stays until the process ends, and waits for
// the copy. Cost: O(K) at the first call for a schedule and device.
GIVENS_API void prepare(const Schedule& schedule, int device = -1);

// The sizes in bytes of workspaces for one call: the smallest with which it works, and the smallest
// with which it is fastest.
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
