#pragma once

#include <mutex>

#include "cuda_emulator/errors.hpp"

namespace cuda_emulator {

// Every function of the runtime API holds one while it runs.
class ApiCall {
 public:
  ApiCall();

 private:
  std::lock_guard<std::mutex> lock_;
};

// Returns the error after keeping it for cudaGetLastError, unless it is none.
cudaError_t result(cudaError_t error);

}  // namespace cuda_emulator
