#include "device.hpp"

#include <vector>

#include "api.hpp"
#include "cuda_emulator/control.hpp"

namespace cuda_emulator {

namespace {

constexpr int first_count = 2;

// The values of an H100.
struct Device {
  int multiprocessors = 132;
  int shared_memory = 227 * 1024;  // of a block
  std::size_t memory = std::size_t{1} << 32;
};

struct Devices {
  std::vector<Device> all = std::vector<Device>(first_count);
  cudaError_t error = cudaSuccess;
};

Devices& devices() {
  static auto& instance = *new Devices;
  return instance;
}

thread_local int chosen_device = 0;

Device& device_at(int device) { return devices().all.at(static_cast<std::size_t>(device)); }

}  // namespace

cudaError_t device_error() { return devices().error; }

bool is_device(int device) {
  return device >= 0 && static_cast<std::size_t>(device) < devices().all.size();
}

int current_device() {
  // A test may have taken the chosen one away.
  return is_device(chosen_device) ? chosen_device : 0;
}

int shared_memory_of(int device) { return device_at(device).shared_memory; }

std::size_t memory_size_of(int device) { return device_at(device).memory; }

void set_device_count(int count, cudaError_t error) {
  const ApiCall call;
  devices().all.resize(static_cast<std::size_t>(count));
  devices().error = error != cudaSuccess ? error : count == 0 ? cudaErrorNoDevice : cudaSuccess;
}

void set_shared_memory(int device, int bytes_of_a_block) {
  const ApiCall call;
  device_at(device).shared_memory = bytes_of_a_block;
}

void set_memory_size(int device, std::size_t bytes) {
  const ApiCall call;
  device_at(device).memory = bytes;
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
  const cuda_emulator::Device& chosen = cuda_emulator::device_at(device);
  switch (attribute) {
    case cudaDevAttrMultiProcessorCount:
      *value = chosen.multiprocessors;
      return cudaSuccess;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      *value = chosen.shared_memory;
      return cudaSuccess;
  }
  return result(cudaErrorInvalidValue);
}
