#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "runtime_api.hpp"

// What tests set and read, and what no device has.

namespace cuda_emulator {

// --- Order of execution ------------------------------------------------------------------------

// The order of the blocks of a grid and of the threads of a block between two barriers. The
// environment chooses the first: GIVENS_EMULATOR_ORDER is forward, reverse or random, and
// GIVENS_EMULATOR_SEED the seed of the last. Otherwise it is random with seed 1.
enum class Order { forward, reverse, random };

void set_order(Order order, std::uint64_t seed = 1);

// A block is hung when its threads have yielded this many times each, and none of them has done
// anything that others could be waiting for.
void set_hang_limit(std::size_t yields);

// --- Devices -----------------------------------------------------------------------------------

// From now on, what cudaGetDeviceCount returns. At first there are two devices.
void set_device_count(int count, cudaError_t error = cudaSuccess);
void set_attribute(int device, cudaDeviceAttr attribute, int value);

// Sets what cudaDeviceGetAttribute says of a block's and a multiprocessor's shared memory.
void set_shared_memory(int device, int bytes_of_a_block);

// How much can be allocated in all.
void set_memory_size(int device, std::size_t bytes);

// Two devices again, as they were at first. Allocations stay.
void reset_devices();

// --- Observations ------------------------------------------------------------------------------

// How often kernels ran, replayed graphs included.
std::size_t launch_count();
std::size_t launch_count(const void* kernel);
// How many different kernels ran, in a launch of at least so many blocks.
std::size_t kernel_count(std::size_t least_blocks);
void reset_launch_counts();

template <class... Parameters>
std::size_t launch_count(void (*kernel)(Parameters...)) {
  return launch_count(reinterpret_cast<const void*>(kernel));
}

// Memory that was allocated and not freed yet. What is left when the program ends is reported as a
// leak, and the program then fails.
std::size_t allocation_count();
std::size_t allocated_bytes();

// What the emulator has found wrong since the last call; it is also written to the standard error.
std::string take_reports();

}  // namespace cuda_emulator
