#pragma once

namespace cuda_emulator {

// Lets the threads of the block go on, when none is ready, if all are at the same barrier.
// Otherwise they wait for ever, and the block fails.
void release_barrier();

}  // namespace cuda_emulator
