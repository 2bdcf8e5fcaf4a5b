#pragma once

#include "thread.hpp"

namespace cuda_emulator {

// The thread has left the kernel: the other lanes no longer wait for it.
void warp_lost(const Thread& thread);

}  // namespace cuda_emulator
