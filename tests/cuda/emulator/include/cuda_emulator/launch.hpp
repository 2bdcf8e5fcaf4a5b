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

enum cudaFuncAttribute { cudaFuncAttributeMaxDynamicSharedMemorySize = 8 };

struct cudaLaunchConfig_t {
  dim3 gridDim;
  dim3 blockDim;
  std::size_t dynamicSmemBytes;
  cudaStream_t stream;
};

namespace cuda_emulator {

struct PointerArgument {
  const void* pointer;
  int argument;  // its number, from 0
};

// The arguments of a launch, bound. Pointers within structs are not checked.
struct BoundKernel {
  std::function<void()> run;  // as one CUDA thread
  std::vector<PointerArgument> pointers;
};

cudaError_t launch(const void* kernel, const cudaLaunchConfig_t& config, BoundKernel bound);

template <class T>
void add_pointer(std::vector<PointerArgument>& pointers, int argument, const T& value) {
  if constexpr (std::is_pointer_v<T>) pointers.push_back({value, argument});
}

template <class... Parameters>
BoundKernel bind_values(void (*kernel)(Parameters...), std::tuple<Parameters...> values) {
  BoundKernel bound;
  [[maybe_unused]] int argument = 0;
  std::apply([&](const auto&... value) { (add_pointer(bound.pointers, argument++, value), ...); },
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

// The settings of a kernel on the current device.
cudaError_t cudaFuncSetAttribute(const void* kernel, cudaFuncAttribute attribute, int value);

template <class... Parameters>
cudaError_t cudaFuncSetAttribute(void (*kernel)(Parameters...), cudaFuncAttribute attribute,
                                 int value) {
  return cudaFuncSetAttribute(cuda_emulator::kernel_address(kernel), attribute, value);
}
