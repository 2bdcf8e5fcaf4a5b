#include "device.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <vector>

#include "api.hpp"
#include "cuda_emulator/control.hpp"

namespace cuda_emulator {

namespace {

constexpr int first_count = 2;

struct Device {
  // The values of an H100.
  std::map<int, int> attributes = {
      {cudaDevAttrMaxThreadsPerBlock, 1024},
      {cudaDevAttrMaxBlockDimX, 1024},
      {cudaDevAttrMaxBlockDimY, 1024},
      {cudaDevAttrMaxBlockDimZ, 64},
      {cudaDevAttrMaxGridDimX, 2147483647},
      {cudaDevAttrMaxGridDimY, 65535},
      {cudaDevAttrMaxGridDimZ, 65535},
      {cudaDevAttrMaxSharedMemoryPerBlock, 48 * 1024},
      {cudaDevAttrWarpSize, 32},
      {cudaDevAttrMaxRegistersPerBlock, 65536},
      {cudaDevAttrClockRate, 1980000},
      {cudaDevAttrMultiProcessorCount, 132},
      {cudaDevAttrComputeMode, 0},
      {cudaDevAttrMaxThreadsPerMultiProcessor, 2048},
      {cudaDevAttrL2CacheSize, 50 * 1024 * 1024},
      {cudaDevAttrComputeCapabilityMajor, 9},
      {cudaDevAttrComputeCapabilityMinor, 0},
      {cudaDevAttrMaxSharedMemoryPerMultiprocessor, 228 * 1024},
      {cudaDevAttrMaxRegistersPerMultiprocessor, 65536},
      {cudaDevAttrCooperativeLaunch, 0},
      {cudaDevAttrMaxSharedMemoryPerBlockOptin, 227 * 1024},
      {cudaDevAttrMaxBlocksPerMultiprocessor, 32},
      {cudaDevAttrReservedSharedMemoryPerBlock, 1024},
      {cudaDevAttrMemoryPoolsSupported, 1},
      {cudaDevAttrClusterLaunch, 0},
  };
  std::size_t memory = std::size_t{1} << 32;
};

struct Devices {
  std::vector<Device> all = std::vector<Device>(first_count);
  cudaError_t error = cudaSuccess;
  int running = 0;
};

Devices& devices() {
  static auto& instance = *new Devices;
  return instance;
}

thread_local int chosen_device = 0;

}  // namespace

cudaError_t device_error() { return devices().error; }

bool is_device(int device) {
  return device >= 0 && static_cast<std::size_t>(device) < devices().all.size();
}

int current_device() {
  // A test may have taken the chosen one away.
  return is_device(chosen_device) ? chosen_device : 0;
}

int attribute_of(int device, cudaDeviceAttr attribute) {
  return devices().all.at(static_cast<std::size_t>(device)).attributes.at(attribute);
}

std::size_t memory_size_of(int device) {
  return devices().all.at(static_cast<std::size_t>(device)).memory;
}

void set_running_device(int device) { devices().running = device; }

std::size_t running_device_shared_memory() {
  return static_cast<std::size_t>(
      attribute_of(devices().running, cudaDevAttrMaxSharedMemoryPerBlockOptin));
}

void set_device_count(int count, cudaError_t error) {
  const ApiCall call;
  devices().all.resize(static_cast<std::size_t>(count));
  devices().error = error != cudaSuccess ? error : count == 0 ? cudaErrorNoDevice : cudaSuccess;
}

void set_attribute(int device, cudaDeviceAttr attribute, int value) {
  const ApiCall call;
  devices().all.at(static_cast<std::size_t>(device)).attributes[attribute] = value;
}

void set_shared_memory(int device, int bytes_of_a_block) {
  constexpr int reserved = 1024;
  set_attribute(device, cudaDevAttrMaxSharedMemoryPerBlock, std::min(bytes_of_a_block, 48 * 1024));
  set_attribute(device, cudaDevAttrMaxSharedMemoryPerBlockOptin, bytes_of_a_block);
  set_attribute(device, cudaDevAttrMaxSharedMemoryPerMultiprocessor, bytes_of_a_block + reserved);
}

void set_memory_size(int device, std::size_t bytes) {
  const ApiCall call;
  devices().all.at(static_cast<std::size_t>(device)).memory = bytes;
}

void reset_devices() {
  const ApiCall call;
  devices() = {};
}

}  // namespace cuda_emulator

using cuda_emulator::ApiCall;
using cuda_emulator::result;

cudaError_t cudaGetDeviceCount(int* count) {
  const ApiCall call;
  // With an error the count stays as it was, as CUDA leaves it where there is no driver.
  if (cuda_emulator::device_error() != cudaSuccess) return result(cuda_emulator::device_error());
  *count = static_cast<int>(cuda_emulator::devices().all.size());
  return cudaSuccess;
}

cudaError_t cudaGetDevice(int* device) {
  const ApiCall call;
  if (cuda_emulator::device_error() != cudaSuccess) return result(cuda_emulator::device_error());
  *device = cuda_emulator::current_device();
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) {
  const ApiCall call;
  if (cuda_emulator::device_error() != cudaSuccess) return result(cuda_emulator::device_error());
  if (!cuda_emulator::is_device(device)) return result(cudaErrorInvalidDevice);
  cuda_emulator::chosen_device = device;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  const ApiCall call;
  if (cuda_emulator::device_error() != cudaSuccess) return result(cuda_emulator::device_error());
  if (!cuda_emulator::is_device(device)) return result(cudaErrorInvalidDevice);
  const auto& attributes =
      cuda_emulator::devices().all[static_cast<std::size_t>(device)].attributes;
  const auto found = attributes.find(attribute);
  if (found == attributes.end()) return result(cudaErrorInvalidValue);
  *value = found->second;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  const ApiCall call;
  if (cuda_emulator::device_error() != cudaSuccess) return result(cuda_emulator::device_error());
  if (!cuda_emulator::is_device(device)) return result(cudaErrorInvalidDevice);
  const auto attribute = [device](cudaDeviceAttr which) {
    return cuda_emulator::attribute_of(device, which);
  };
  const auto bytes = [&](cudaDeviceAttr which) {
    return static_cast<std::size_t>(attribute(which));
  };
  *properties = {};
  std::snprintf(properties->name, sizeof properties->name, "emulated device %d", device);
  properties->totalGlobalMem = cuda_emulator::memory_size_of(device);
  properties->sharedMemPerBlock = bytes(cudaDevAttrMaxSharedMemoryPerBlock);
  properties->sharedMemPerBlockOptin = bytes(cudaDevAttrMaxSharedMemoryPerBlockOptin);
  properties->sharedMemPerMultiprocessor = bytes(cudaDevAttrMaxSharedMemoryPerMultiprocessor);
  properties->regsPerBlock = attribute(cudaDevAttrMaxRegistersPerBlock);
  properties->warpSize = attribute(cudaDevAttrWarpSize);
  properties->maxThreadsPerBlock = attribute(cudaDevAttrMaxThreadsPerBlock);
  properties->maxThreadsPerMultiProcessor = attribute(cudaDevAttrMaxThreadsPerMultiProcessor);
  properties->multiProcessorCount = attribute(cudaDevAttrMultiProcessorCount);
  properties->l2CacheSize = attribute(cudaDevAttrL2CacheSize);
  properties->major = attribute(cudaDevAttrComputeCapabilityMajor);
  properties->minor = attribute(cudaDevAttrComputeCapabilityMinor);
  return cudaSuccess;
}
