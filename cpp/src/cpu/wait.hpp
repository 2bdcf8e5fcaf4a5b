// Waiting for another thread that is at work.
#pragma once

#include <thread>

namespace givens::cpu {

// Returns when ready() is true, which another running thread will make so soon. Gives the processor
// up now and then, for where there are more threads than processors.
template <class Ready>
void wait_until(Ready&& ready) {
  for (int tries = 1; !ready(); ++tries) {
    if (tries % 64 == 0) std::this_thread::yield();
  }
}

}  // namespace givens::cpu
