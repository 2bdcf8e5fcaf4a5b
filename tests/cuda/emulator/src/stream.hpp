#pragma once

#include <functional>

#include "cuda_emulator/runtime_api.hpp"

namespace cuda_emulator {

using Work = std::function<cudaError_t()>;

// Null and the two special handles are default streams of the current device.
bool is_stream(cudaStream_t stream);
int device_of(cudaStream_t stream);

// Does the work, or records it if the stream is capturing.
cudaError_t give_to_stream(cudaStream_t stream, Work work);

// Calls that must not be made while a stream captures call this. It spoils the capture and returns
// the error, or cudaSuccess if there is no capture.
cudaError_t forbid_during_capture();

}  // namespace cuda_emulator
