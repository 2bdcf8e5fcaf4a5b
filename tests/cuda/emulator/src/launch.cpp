#include "cuda_emulator/launch.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "api.hpp"
#include "cuda_emulator/control.hpp"
#include "device.hpp"
#include "memory.hpp"
#include "report.hpp"
#include "scheduler.hpp"
#include "stream.hpp"

namespace cuda_emulator {

namespace {

struct Launches {
  std::size_t count = 0;
  std::size_t most_blocks = 0;  // of one launch
};

struct Kernels {
  std::map<const void*, Launches> launches;
  std::map<std::pair<int, const void*>, int> max_dynamic_shared_bytes;  // by device
};

Kernels& kernels() {
  static auto& instance = *new Kernels;
  return instance;
}

int max_dynamic_shared_bytes(int device, const void* kernel) {
  const auto& set = kernels().max_dynamic_shared_bytes;
  const auto found = set.find({device, kernel});
  return found != set.end() ? found->second : std::min(shared_memory_of(device), 48 * 1024);
}

bool is_within(dim3 size, dim3 limit) {
  return size.x >= 1 && size.y >= 1 && size.z >= 1 && size.x <= limit.x && size.y <= limit.y &&
         size.z <= limit.z;
}

// Every device of CUDA has these limits.
bool is_possible(const cudaLaunchConfig_t& config) {
  const dim3 block = config.blockDim;
  return is_within(config.gridDim, {2147483647, 65535, 65535}) &&
         is_within(block, {1024, 1024, 64}) && std::size_t{block.x} * block.y * block.z <= 1024;
}

cudaError_t check_launch(const void* kernel, const cudaLaunchConfig_t& config) {
  if (device_error() != cudaSuccess) return device_error();
  const int device = current_device();
  if (!is_stream(config.stream) || device_of(config.stream) != device) {
    return cudaErrorInvalidResourceHandle;
  }
  if (!is_possible(config)) return cudaErrorInvalidConfiguration;
  const int limit = max_dynamic_shared_bytes(device, kernel);
  return config.dynamicSmemBytes <= static_cast<std::size_t>(limit) ? cudaSuccess
                                                                    : cudaErrorInvalidValue;
}

bool pointers_are_usable(const std::vector<PointerArgument>& pointers, int device) {
  for (const PointerArgument& argument : pointers) {
    const std::string objection = objection_to_pointer(argument.pointer, device);
    if (objection.empty()) continue;
    report("argument " + std::to_string(argument.argument) + " of a kernel " + objection);
    return false;
  }
  return true;
}

cudaError_t run(const void* kernel, const cudaLaunchConfig_t& config, const BoundKernel& bound,
                int device) {
  Launches& launches = kernels().launches[kernel];
  const dim3 grid = config.gridDim;
  ++launches.count;
  launches.most_blocks =
      std::max(launches.most_blocks, std::size_t{grid.x} * grid.y * std::size_t{grid.z});
  if (!pointers_are_usable(bound.pointers, device)) return cudaErrorIllegalAddress;
  const Touchable touchable(device);
  return run_grid({config.gridDim, config.blockDim, config.dynamicSmemBytes, bound.run})
             ? cudaSuccess
             : cudaErrorLaunchFailure;
}

cudaError_t check_and_run(const void* kernel, const cudaLaunchConfig_t& config, BoundKernel bound) {
  if (const cudaError_t error = check_launch(kernel, config); error != cudaSuccess) return error;
  return give_to_stream(config.stream,
                        [kernel, config, bound = std::move(bound), device = current_device()] {
                          return run(kernel, config, bound, device);
                        });
}

cudaError_t set_function_attribute(const void* kernel, cudaFuncAttribute attribute, int value) {
  if (device_error() != cudaSuccess) return device_error();
  if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize) return cudaErrorInvalidValue;
  const int device = current_device();
  if (value < 0 || value > shared_memory_of(device)) return cudaErrorInvalidValue;
  kernels().max_dynamic_shared_bytes[{device, kernel}] = value;
  return cudaSuccess;
}

}  // namespace

cudaError_t launch(const void* kernel, const cudaLaunchConfig_t& config, BoundKernel bound) {
  const ApiCall call;
  return result(check_and_run(kernel, config, std::move(bound)));
}

std::size_t launch_count() {
  const ApiCall call;
  std::size_t count = 0;
  for (const auto& [kernel, launches] : kernels().launches) count += launches.count;
  return count;
}

std::size_t kernel_count(std::size_t least_blocks) {
  const ApiCall call;
  std::size_t count = 0;
  for (const auto& [kernel, launches] : kernels().launches) {
    if (launches.most_blocks >= least_blocks) ++count;
  }
  return count;
}

void reset_launch_counts() {
  const ApiCall call;
  kernels().launches.clear();
}

}  // namespace cuda_emulator

using cuda_emulator::ApiCall;
using cuda_emulator::result;

cudaError_t cudaFuncSetAttribute(const void* kernel, cudaFuncAttribute attribute, int value) {
  const ApiCall call;
  return result(cuda_emulator::set_function_attribute(kernel, attribute, value));
}
