#pragma once

#include <cstddef>

#include "cuda_emulator/runtime_api.hpp"

namespace cuda_emulator {

// The error that every call returns when there is no device, or cudaSuccess.
cudaError_t device_error();

bool is_device(int device);
int current_device();  // the current device of this host thread
int attribute_of(int device, cudaDeviceAttr attribute);
std::size_t memory_size_of(int device);

// The device on which a kernel runs, and how much shared memory a block may have there.
void set_running_device(int device);
std::size_t running_device_shared_memory();

}  // namespace cuda_emulator
