#pragma once

#include <cstddef>

namespace cuda_emulator {

// Bytes that are NaN as a half, a bfloat16, a float and a double.
constexpr unsigned char poison = 0xff;

// A block's shared memory, from its start to its end.
void start_shared_memory(std::size_t dynamic_bytes);
void end_shared_memory();

// After the last block. Threads that were abandoned may still own their block's memory: then it is
// kept.
void free_shared_memory(bool keep);

}  // namespace cuda_emulator
