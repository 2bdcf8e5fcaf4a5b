#include "cuda_emulator/memory_order.hpp"

#include <algorithm>

#include "scheduler.hpp"

// Fences and relaxed atomics together order memory. The thread sanitizer does not know fences: here
// a thread that has fenced releases through every address that it then accesses atomically, and a
// fence acquires through the addresses accessed before it.

namespace cuda_emulator {

namespace {

void* key_of(const void* address) { return const_cast<void*>(address); }

}  // namespace

void yield() {
  if (!current_thread) return;
  running_block.yielded = true;
  switch_to_others();
}

void before_atomic(const void* address) {
  Thread* thread = current_thread;
  if (!thread) return;
  yield();
  if (thread->fences.fenced) release(key_of(address));
}

void after_atomic(const void* address, bool changed) {
  Thread* thread = current_thread;
  if (!thread) return;
  if (changed) running_block.progress = true;
  FenceMemory& fences = thread->fences;
  const auto end = fences.accessed.begin() + std::min(fences.accesses, FenceMemory::kept);
  if (std::find(fences.accessed.begin(), end, address) == end) {
    fences.accessed[fences.accesses++ % FenceMemory::kept] = address;
  }
}

void fence() {
  Thread* thread = current_thread;
  if (!thread) return;
  FenceMemory& fences = thread->fences;
  for (unsigned i = 0; i < std::min(fences.accesses, FenceMemory::kept); ++i) {
    acquire(key_of(fences.accessed[i]));
  }
  fences.accesses = 0;
  fences.fenced = true;
}

}  // namespace cuda_emulator
