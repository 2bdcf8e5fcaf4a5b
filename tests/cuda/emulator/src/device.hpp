#pragma once

#include <cstddef>

#include "cuda_emulator/runtime_api.hpp"

namespace cuda_emulator {

// The error that every call returns when there is no device, or cudaSuccess.
cudaError_t device_error();

bool is_device(int device);
int current_device();              // the current device of this host thread
int shared_memory_of(int device);  // of a block, in bytes
std::size_t memory_size_of(int device);

}  // namespace cuda_emulator
