#pragma once

#include <cstddef>

namespace cuda_emulator {

// A byte whose repetition is NaN as a half, a bfloat16, a float and a double.
constexpr unsigned char poison = 0xff;

// A block's shared memory, from its start to its end.
void start_shared_memory(std::size_t bytes);
void end_shared_memory();

// Called after the last block. The memory is kept where abandoned threads may still own it.
void free_shared_memory(bool keep);

}  // namespace cuda_emulator
