// Checked calls of the CUDA runtime.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

#include "givens/cuda.hpp"

namespace givens::cuda {

// Throws Error, which names the call, unless status is cudaSuccess.
void check(cudaError_t status, const char* call);

// Makes a device current during its lifetime. -1 stands for the current device.
class DeviceGuard {
 public:
  explicit DeviceGuard(int device);
  ~DeviceGuard();
  DeviceGuard(const DeviceGuard&) = delete;
  DeviceGuard& operator=(const DeviceGuard&) = delete;

  int device() const { return device_; }

 private:
  int before_ = 0;
  int device_ = 0;
};

struct DeviceLimits {
  int multiprocessors;
  std::size_t shared_bytes;  // the most that one thread block may have
};
DeviceLimits limits_of(int device);

struct LaunchShape {
  std::int64_t blocks_x;
  std::int64_t blocks_y;
  int threads;
  std::size_t shared_bytes;
  cudaStream_t stream;
};

// Launches a kernel of one argument.
template <class Arguments>
void launch(void (*kernel)(Arguments), const LaunchShape& shape, const Arguments& arguments) {
  if (shape.shared_bytes > 48 * 1024) {
    check(cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel),
                               cudaFuncAttributeMaxDynamicSharedMemorySize,
                               static_cast<int>(shape.shared_bytes)),
          "cudaFuncSetAttribute");
  }
  cudaLaunchConfig_t config{};
  config.gridDim =
      dim3(static_cast<unsigned>(shape.blocks_x), static_cast<unsigned>(shape.blocks_y));
  config.blockDim = dim3(static_cast<unsigned>(shape.threads));
  config.dynamicSmemBytes = shape.shared_bytes;
  config.stream = shape.stream;
  check(cudaLaunchKernelEx(&config, kernel, arguments), "cudaLaunchKernelEx");
}

}  // namespace givens::cuda
