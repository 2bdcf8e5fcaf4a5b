#include "memory.hpp"

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <string>

#include "api.hpp"
#include "cuda_emulator/control.hpp"
#include "cuda_emulator/runtime_api.hpp"
#include "device.hpp"
#include "fault_report.hpp"
#include "guarded_memory.hpp"
#include "report.hpp"
#include "shared_memory.hpp"
#include "stream.hpp"

namespace cuda_emulator {

namespace {

struct Allocation {
  char* memory;
  std::size_t bytes;
  int device;
};

// The allocations by address.
std::map<std::uintptr_t, Allocation>& allocations() {
  static auto& instance = *new std::map<std::uintptr_t, Allocation>;
  return instance;
}

// The allocation of a pointer, which may point to its end, or null.
const Allocation* find_allocation(const void* pointer) {
  const auto address = reinterpret_cast<std::uintptr_t>(pointer);
  auto next = allocations().upper_bound(address);
  if (next == allocations().begin()) return nullptr;
  const Allocation& allocation = (--next)->second;
  return address - next->first <= allocation.bytes ? &allocation : nullptr;
}

bool has_bytes(const Allocation& allocation, const void* pointer, std::size_t bytes) {
  const auto offset =
      static_cast<std::size_t>(static_cast<const char*>(pointer) - allocation.memory);
  return bytes <= allocation.bytes - offset;
}

std::size_t used_bytes(int device) {
  std::size_t bytes = 0;
  for (const auto& [address, allocation] : allocations()) {
    if (allocation.device == device) bytes += allocation.bytes;
  }
  return bytes;
}

void set_all_touchable(int device, bool touchable) {
  for (const auto& [address, allocation] : allocations()) {
    if (device == Touchable::all_devices || device == allocation.device) {
      set_touchable(allocation.memory, allocation.bytes, touchable);
    }
  }
}

cudaError_t allocate(void** pointer, std::size_t bytes, int device) {
  if (device_error() != cudaSuccess) return device_error();
  if (!pointer) return cudaErrorInvalidValue;
  if (const cudaError_t error = forbid_during_capture(); error != cudaSuccess) return error;
  *pointer = nullptr;
  if (bytes == 0) return cudaSuccess;
  if (used_bytes(device) + bytes > memory_size_of(device)) return cudaErrorMemoryAllocation;
  report_faults();
  void* memory = allocate_guarded(bytes);
  if (!memory) return cudaErrorMemoryAllocation;
  std::memset(memory, poison, bytes);
  set_touchable(memory, bytes, false);
  allocations()[reinterpret_cast<std::uintptr_t>(memory)] = {static_cast<char*>(memory), bytes,
                                                             device};
  *pointer = memory;
  return cudaSuccess;
}

cudaError_t deallocate(void* pointer) {
  if (device_error() != cudaSuccess) return device_error();
  if (const cudaError_t error = forbid_during_capture(); error != cudaSuccess) return error;
  if (!pointer) return cudaSuccess;
  const auto found = allocations().find(reinterpret_cast<std::uintptr_t>(pointer));
  if (found == allocations().end()) return cudaErrorInvalidValue;
  free_guarded(found->second.memory, found->second.bytes);
  allocations().erase(found);
  return cudaSuccess;
}

cudaError_t copy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  if (bytes == 0) return cudaSuccess;
  if (!to || !from) return cudaErrorInvalidValue;
  const bool to_device = kind == cudaMemcpyHostToDevice;
  const void* on_device = to_device ? to : from;
  const Allocation* allocation = find_allocation(on_device);
  if (!allocation || find_allocation(to_device ? from : to) ||
      !has_bytes(*allocation, on_device, bytes)) {
    return cudaErrorInvalidValue;
  }
  const Touchable touchable;
  std::memmove(to, from, bytes);
  return cudaSuccess;
}

// This runs after the destructors of all static objects, which may own device memory.
[[gnu::destructor]] void report_leaks() {
  if (allocations().empty()) return;
  std::size_t bytes = 0;
  for (const auto& [address, allocation] : allocations()) bytes += allocation.bytes;
  report("leak of device memory: allocations " + std::to_string(allocations().size()) + ", bytes " +
         std::to_string(bytes));
  std::fflush(nullptr);
  _exit(1);
}

}  // namespace

Touchable::Touchable(int device) : device_(device) { set_all_touchable(device_, true); }

Touchable::~Touchable() { set_all_touchable(device_, false); }

std::string objection_to_pointer(const void* pointer, int device) {
  if (!pointer) return {};
  const Allocation* allocation = find_allocation(pointer);
  if (!allocation) return "is not a pointer to device memory";
  if (allocation->device == device) return {};
  return "points to memory of device " + std::to_string(allocation->device) +
         ", but the kernel runs on device " + std::to_string(device);
}

void describe_address(const void* address, char* text, std::size_t size) {
  constexpr std::size_t near = 1 << 16;
  const auto number = reinterpret_cast<std::uintptr_t>(address);
  for (const auto& [start, allocation] : allocations()) {
    if (number < start || number - start >= allocation.bytes + near) continue;
    std::snprintf(text, size, "byte %zu of an allocation of %zu bytes of device memory",
                  static_cast<std::size_t>(number - start), allocation.bytes);
    return;
  }
  std::snprintf(text, size, "address %p", address);
}

std::size_t allocation_count() {
  const ApiCall call;
  return allocations().size();
}

}  // namespace cuda_emulator

using cuda_emulator::ApiCall;
using cuda_emulator::result;

cudaError_t cudaMalloc(void** pointer, std::size_t bytes) {
  const ApiCall call;
  return result(cuda_emulator::allocate(pointer, bytes, cuda_emulator::current_device()));
}

cudaError_t cudaMallocAsync(void** pointer, std::size_t bytes, cudaStream_t stream) {
  const ApiCall call;
  if (!cuda_emulator::is_stream(stream)) return result(cudaErrorInvalidResourceHandle);
  return result(cuda_emulator::allocate(pointer, bytes, cuda_emulator::device_of(stream)));
}

cudaError_t cudaFree(void* pointer) {
  const ApiCall call;
  return result(cuda_emulator::deallocate(pointer));
}

cudaError_t cudaFreeAsync(void* pointer, cudaStream_t stream) {
  const ApiCall call;
  if (!cuda_emulator::is_stream(stream)) return result(cudaErrorInvalidResourceHandle);
  return result(cuda_emulator::deallocate(pointer));
}

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* pointer) {
  const ApiCall call;
  if (cuda_emulator::device_error() != cudaSuccess) return result(cuda_emulator::device_error());
  const cuda_emulator::Allocation* allocation = cuda_emulator::find_allocation(pointer);
  if (allocation) {
    *attributes = {cudaMemoryTypeDevice, allocation->device};
  } else {
    *attributes = {cudaMemoryTypeUnregistered, -2};
  }
  return cudaSuccess;
}

cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  const ApiCall call;
  if (const cudaError_t error = cuda_emulator::forbid_during_capture(); error != cudaSuccess) {
    return result(error);
  }
  return result(cuda_emulator::give_to_stream(
      nullptr, [=] { return cuda_emulator::copy(to, from, bytes, kind); }));
}
