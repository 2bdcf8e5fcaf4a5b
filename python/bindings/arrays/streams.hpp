// The bindings' own calls of the CUDA runtime. A stream is given by its number in DLPack, which is
// also its handle in CUDA: 1 is the legacy default stream, 2 the calling thread's default stream.
#pragma once

#include <cstdint>

namespace givens::python::cuda {

// The device whose memory a pointer points to, managed memory included; -1 for other memory.
int device_of(const void* pointer);

// Makes later work on `stream` wait for what is queued on `other`. Both are streams of the device.
void wait_for(std::uintptr_t other, std::uintptr_t stream, int device);

// Waits until all work queued on the stream is done.
void synchronize(std::uintptr_t stream, int device);

}  // namespace givens::python::cuda
