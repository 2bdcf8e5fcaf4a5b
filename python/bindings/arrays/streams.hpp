// What the bindings ask of the CUDA runtime themselves. Streams are numbered as in DLPack, which
// are also CUDA's own handles: 1 is the legacy default stream, 2 the calling thread's default one.
#pragma once

#include <cstdint>

namespace givens::python::cuda {

// The device whose memory a pointer points to, managed memory included; -1 if it is none's.
int device_of(const void* pointer);

// Work queued on `stream` from now on waits for what is queued on `other`, both of one device.
void wait_for(std::uintptr_t other, std::uintptr_t stream, int device);

// Waits until all work queued on the stream is done.
void synchronize(std::uintptr_t stream, int device);

}  // namespace givens::python::cuda
