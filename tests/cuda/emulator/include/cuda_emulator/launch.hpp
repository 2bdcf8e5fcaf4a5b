#pragma once

#include <cstddef>
#include <functional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "runtime_api.hpp"
#include "types.hpp"

// Launches of kernels. A kernel runs before the launch returns, and the launch itself returns what
// the device would report later: cudaErrorLaunchFailure or cudaErrorIllegalAddress where the
// emulator found something wrong.

enum cudaFuncAttribute {
  cudaFuncAttributeMaxDynamicSharedMemorySize = 8,
  cudaFuncAttributePreferredSharedMemoryCarveout = 9
};

struct cudaFuncAttributes {
  std::size_t sharedSizeBytes;  // unknown here, 0
  std::size_t constSizeBytes;   // unknown here, 0
  std::size_t localSizeBytes;   // unknown here, 0
  int maxThreadsPerBlock;
  int numRegs;  // unknown here, 0
  int ptxVersion;
  int binaryVersion;
  int cacheModeCA;
  int maxDynamicSharedSizeBytes;
  int preferredShmemCarveout;
};

// Clusters and cooperative launches are not supported; other attributes have no effect.
enum cudaLaunchAttributeID {
  cudaLaunchAttributeIgnore = 0,
  cudaLaunchAttributeCooperative = 2,
  cudaLaunchAttributeClusterDimension = 4,
  cudaLaunchAttributeProgrammaticStreamSerialization = 6,
  cudaLaunchAttributePriority = 8
};

union cudaLaunchAttributeValue {
  char pad[64];
  int cooperative;
  int priority;
  int programmaticStreamSerializationAllowed;
  struct {
    unsigned x, y, z;
  } clusterDim;
};

struct cudaLaunchAttribute {
  cudaLaunchAttributeID id;
  cudaLaunchAttributeValue val;
};

struct cudaLaunchConfig_t {
  dim3 gridDim;
  dim3 blockDim;
  std::size_t dynamicSmemBytes;
  cudaStream_t stream;
  cudaLaunchAttribute* attrs;
  unsigned numAttrs;
};

namespace cuda_emulator {

// Visits the pointers to device memory in an argument of type T. A test that passes structs to
// kernels specialises this for them, and the emulator then checks their pointers too.
template <class T, class = void>
struct PointersIn {
  template <class Visit>
  static void visit(const T&, Visit&&) {}
};

template <class T>
struct PointersIn<T*, std::enable_if_t<std::is_object_v<T> || std::is_void_v<T>>> {
  template <class Visit>
  static void visit(T* pointer, Visit&& visit_pointer) {
    visit_pointer(pointer);
  }
};

struct PointerArgument {
  const void* pointer;
  int argument;  // its number, from 0
};

// The arguments of a launch, bound.
struct BoundKernel {
  std::function<void()> run;  // as one CUDA thread
  std::vector<PointerArgument> pointers;
};

cudaError_t launch(const void* kernel, const cudaLaunchConfig_t& config, BoundKernel bound);

template <class T>
void add_pointers(std::vector<PointerArgument>& pointers, int argument, const T& value) {
  PointersIn<T>::visit(value,
                       [&](const void* pointer) { pointers.push_back({pointer, argument}); });
}

template <class... Parameters>
BoundKernel bind_values(void (*kernel)(Parameters...), std::tuple<Parameters...> values) {
  BoundKernel bound;
  [[maybe_unused]] int argument = 0;
  std::apply([&](const auto&... value) { (add_pointers(bound.pointers, argument++, value), ...); },
             values);
  bound.run = [kernel, values] { std::apply(kernel, values); };
  return bound;
}

template <class... Parameters>
const void* kernel_address(void (*kernel)(Parameters...)) {
  return reinterpret_cast<const void*>(kernel);
}

}  // namespace cuda_emulator

template <class... Parameters, class... Arguments>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Parameters...),
                               Arguments&&... arguments) {
  static_assert(sizeof...(Parameters) == sizeof...(Arguments), "the kernel's parameters");
  return cuda_emulator::launch(
      cuda_emulator::kernel_address(kernel), *config,
      cuda_emulator::bind_values(kernel,
                                 std::tuple<Parameters...>(std::forward<Arguments>(arguments)...)));
}

// The settings and limits of a kernel on the current device.
cudaError_t cudaFuncSetAttribute(const void* kernel, cudaFuncAttribute attribute, int value);
cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void* kernel);
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, const void* kernel,
                                                          int block_size,
                                                          std::size_t dynamic_shared_bytes);

template <class... Parameters>
cudaError_t cudaFuncSetAttribute(void (*kernel)(Parameters...), cudaFuncAttribute attribute,
                                 int value) {
  return cudaFuncSetAttribute(cuda_emulator::kernel_address(kernel), attribute, value);
}

template <class... Parameters>
cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, void (*kernel)(Parameters...)) {
  return cudaFuncGetAttributes(attributes, cuda_emulator::kernel_address(kernel));
}

template <class... Parameters>
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks,
                                                          void (*kernel)(Parameters...),
                                                          int block_size,
                                                          std::size_t dynamic_shared_bytes) {
  return cudaOccupancyMaxActiveBlocksPerMultiprocessor(
      blocks, cuda_emulator::kernel_address(kernel), block_size, dynamic_shared_bytes);
}
