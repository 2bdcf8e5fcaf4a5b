#include "host/runtime.hpp"

#include <string>

namespace givens::cuda {

Error::Error(const std::string& call, int status, const std::string& text)
    : std::runtime_error(call + ": " + text), status_(status) {}

void check(cudaError_t status, const char* call) {
  if (status == cudaSuccess) return;
  cudaGetLastError();  // so that no later call reports it again
  throw Error(call, static_cast<int>(status),
              std::string(cudaGetErrorName(status)) + ": " + cudaGetErrorString(status));
}

DeviceGuard::DeviceGuard(int device) {
  check(cudaGetDevice(&before_), "cudaGetDevice");
  device_ = device < 0 ? before_ : device;
  if (device_ != before_) check(cudaSetDevice(device_), "cudaSetDevice");
}

DeviceGuard::~DeviceGuard() {
  if (device_ != before_) cudaSetDevice(before_);
}

DeviceLimits limits_of(int device) {
  int multiprocessors = 0;
  int shared_bytes = 0;
  check(cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, device),
        "cudaDeviceGetAttribute");
  check(cudaDeviceGetAttribute(&shared_bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, device),
        "cudaDeviceGetAttribute");
  return {multiprocessors, static_cast<std::size_t>(shared_bytes)};
}

std::string unavailable_reason() {
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status != cudaSuccess) {
    cudaGetLastError();
    return std::string("cudaGetDeviceCount: ") + cudaGetErrorName(status) + ": " +
           cudaGetErrorString(status);
  }
  return count > 0 ? "" : "there is no CUDA device";
}

}  // namespace givens::cuda
