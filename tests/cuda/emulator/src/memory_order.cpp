#include "cuda_emulator/memory_order.hpp"

#include "scheduler.hpp"

namespace cuda_emulator {

void yield() {
  if (!current_thread) return;
  running_block.yielded = true;
  switch_to_others();
}

void note_progress() { running_block.progress = true; }

}  // namespace cuda_emulator
