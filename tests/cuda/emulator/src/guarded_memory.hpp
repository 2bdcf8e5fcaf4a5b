#pragma once

#include <cstddef>

namespace cuda_emulator {

// Memory that can be made untouchable: an access is then reported and ends the program. It starts
// touchable, aligned to 256 bytes as CUDA's is, and an access beyond its end is seen too, by the
// address sanitizer or, without it, where the next page begins.
void* allocate_guarded(std::size_t bytes);
void free_guarded(void* memory, std::size_t bytes);
void set_touchable(void* memory, std::size_t bytes, bool touchable);

}  // namespace cuda_emulator
