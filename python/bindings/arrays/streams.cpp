#include "arrays/streams.hpp"

#include <cuda_runtime.h>

#include "host/runtime.hpp"

namespace givens::python::cuda {

namespace {

using givens::cuda::check;
using givens::cuda::DeviceGuard;

cudaStream_t handle(std::uintptr_t stream) { return reinterpret_cast<cudaStream_t>(stream); }

}  // namespace

int device_of(const void* pointer) {
  cudaPointerAttributes attributes{};
  check(cudaPointerGetAttributes(&attributes, pointer), "cudaPointerGetAttributes");
  const bool on_device =
      attributes.type == cudaMemoryTypeDevice || attributes.type == cudaMemoryTypeManaged;
  return on_device ? attributes.device : -1;
}

void wait_for(std::uintptr_t other, std::uintptr_t stream, int device) {
  if (other == stream) return;
  const DeviceGuard guard(device);
  cudaEvent_t event = nullptr;
  check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "cudaEventCreateWithFlags");
  const cudaError_t recorded = cudaEventRecord(event, handle(other));
  const cudaError_t waits =
      recorded == cudaSuccess ? cudaStreamWaitEvent(handle(stream), event, 0) : recorded;
  // CUDA frees the event when nothing waits for it any more.
  cudaEventDestroy(event);
  check(recorded, "cudaEventRecord");
  check(waits, "cudaStreamWaitEvent");
}

void synchronize(std::uintptr_t stream, int device) {
  const DeviceGuard guard(device);
  check(cudaStreamSynchronize(handle(stream)), "cudaStreamSynchronize");
}

}  // namespace givens::python::cuda
