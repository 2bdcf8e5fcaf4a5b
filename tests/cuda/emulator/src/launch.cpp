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
  return found != set.end() ? found->second
                            : attribute_of(device, cudaDevAttrMaxSharedMemoryPerBlock);
}

bool is_within(dim3 size, int device, const cudaDeviceAttr (&limits)[3]) {
  const auto limit = [&](int i) { return static_cast<unsigned>(attribute_of(device, limits[i])); };
  return size.x >= 1 && size.y >= 1 && size.z >= 1 && size.x <= limit(0) && size.y <= limit(1) &&
         size.z <= limit(2);
}

cudaError_t check_size(const cudaLaunchConfig_t& config, int device) {
  constexpr cudaDeviceAttr grid_limits[] = {cudaDevAttrMaxGridDimX, cudaDevAttrMaxGridDimY,
                                            cudaDevAttrMaxGridDimZ};
  constexpr cudaDeviceAttr block_limits[] = {cudaDevAttrMaxBlockDimX, cudaDevAttrMaxBlockDimY,
                                             cudaDevAttrMaxBlockDimZ};
  const dim3 block = config.blockDim;
  if (!is_within(config.gridDim, device, grid_limits) || !is_within(block, device, block_limits)) {
    return cudaErrorInvalidConfiguration;
  }
  const int limit = attribute_of(device, cudaDevAttrMaxThreadsPerBlock);
  const std::size_t threads = std::size_t{block.x} * block.y * block.z;
  return threads <= static_cast<std::size_t>(limit) ? cudaSuccess : cudaErrorInvalidConfiguration;
}

cudaError_t check_attributes(const cudaLaunchConfig_t& config) {
  for (unsigned i = 0; i < config.numAttrs; ++i) {
    const cudaLaunchAttribute& attribute = config.attrs[i];
    const bool cooperative =
        attribute.id == cudaLaunchAttributeCooperative && attribute.val.cooperative != 0;
    if (cooperative || attribute.id == cudaLaunchAttributeClusterDimension) {
      return cudaErrorNotSupported;
    }
  }
  return cudaSuccess;
}

cudaError_t check_launch(const void* kernel, const cudaLaunchConfig_t& config) {
  if (device_error() != cudaSuccess) return device_error();
  if (!kernel) return cudaErrorInvalidDeviceFunction;
  const int device = current_device();
  if (!is_stream(config.stream) || device_of(config.stream) != device) {
    return cudaErrorInvalidResourceHandle;
  }
  if (const cudaError_t error = check_size(config, device); error != cudaSuccess) return error;
  if (const cudaError_t error = check_attributes(config); error != cudaSuccess) return error;
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
  set_running_device(device);
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
  if (!kernel) return cudaErrorInvalidDeviceFunction;
  if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize) return cudaSuccess;
  const int device = current_device();
  if (value < 0 || value > attribute_of(device, cudaDevAttrMaxSharedMemoryPerBlockOptin)) {
    return cudaErrorInvalidValue;
  }
  kernels().max_dynamic_shared_bytes[{device, kernel}] = value;
  return cudaSuccess;
}

// Registers do not count.
int blocks_of_a_multiprocessor(int device, int block_size, std::size_t dynamic_shared_bytes) {
  const auto attribute = [device](cudaDeviceAttr which) { return attribute_of(device, which); };
  const int shared_bytes =
      static_cast<int>(dynamic_shared_bytes) + attribute(cudaDevAttrReservedSharedMemoryPerBlock);
  return std::min({attribute(cudaDevAttrMaxBlocksPerMultiprocessor),
                   attribute(cudaDevAttrMaxThreadsPerMultiProcessor) / block_size,
                   attribute(cudaDevAttrMaxSharedMemoryPerMultiprocessor) / shared_bytes});
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

std::size_t launch_count(const void* kernel) {
  const ApiCall call;
  const auto found = kernels().launches.find(kernel);
  return found != kernels().launches.end() ? found->second.count : 0;
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

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void* kernel) {
  const ApiCall call;
  if (cuda_emulator::device_error() != cudaSuccess) return result(cuda_emulator::device_error());
  if (!kernel) return result(cudaErrorInvalidDeviceFunction);
  const int device = cuda_emulator::current_device();
  *attributes = {};
  attributes->maxThreadsPerBlock =
      cuda_emulator::attribute_of(device, cudaDevAttrMaxThreadsPerBlock);
  attributes->maxDynamicSharedSizeBytes = cuda_emulator::max_dynamic_shared_bytes(device, kernel);
  const int version = 10 * cuda_emulator::attribute_of(device, cudaDevAttrComputeCapabilityMajor) +
                      cuda_emulator::attribute_of(device, cudaDevAttrComputeCapabilityMinor);
  attributes->ptxVersion = version;
  attributes->binaryVersion = version;
  return cudaSuccess;
}

cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, const void* kernel,
                                                          int block_size,
                                                          std::size_t dynamic_shared_bytes) {
  const ApiCall call;
  if (cuda_emulator::device_error() != cudaSuccess) return result(cuda_emulator::device_error());
  if (!kernel) return result(cudaErrorInvalidDeviceFunction);
  const int device = cuda_emulator::current_device();
  if (!blocks || block_size < 1) return result(cudaErrorInvalidValue);
  *blocks = cuda_emulator::blocks_of_a_multiprocessor(device, block_size, dynamic_shared_bytes);
  return cudaSuccess;
}
