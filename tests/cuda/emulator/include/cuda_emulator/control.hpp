#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "runtime_api.hpp"

// The functions through which tests set and read what no device offers.

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

// Sets what cudaGetDeviceCount returns. At first there are two devices.
void set_device_count(int count, cudaError_t error = cudaSuccess);

// Sets the shared memory of a block, as cudaDeviceGetAttribute tells it.
void set_shared_memory(int device, int bytes_of_a_block);

// Sets how many bytes can be allocated in all.
void set_memory_size(int device, std::size_t bytes);

// Sets the two devices back to what they were at first. Allocations stay.
void reset_devices();

// --- Observations ------------------------------------------------------------------------------

// The number of launches, in replayed graphs too.
std::size_t launch_count();
// The number of different kernels that ran in a launch of at least so many blocks.
std::size_t kernel_count(std::size_t least_blocks);
void reset_launch_counts();

// The number of allocations that are not freed yet. If some is left when the program ends, it is
// reported as a leak, and the program fails.
std::size_t allocation_count();

// Returns what the emulator has found wrong since the last call. It also writes it to the standard
// error.
std::string take_reports();

}  // namespace cuda_emulator
