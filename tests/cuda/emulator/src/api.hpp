#pragma once

#include <mutex>

#include "cuda_emulator/errors.hpp"

namespace cuda_emulator {

// Held by every function of the runtime API for as long as it runs.
class ApiCall {
 public:
  ApiCall();

 private:
  std::lock_guard<std::mutex> lock_;
};

// Returns the error after keeping it for cudaGetLastError, unless it is none.
cudaError_t result(cudaError_t error);

}  // namespace cuda_emulator
