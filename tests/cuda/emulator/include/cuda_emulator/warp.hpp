#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "call_site.hpp"
#include "index.hpp"

// Operations of a warp's lanes. As on the device, all lanes that the mask names and that have not
// left the kernel must come to the same operation with the same mask; here also to the same line. A
// shuffle may read only from a lane that takes part. Only __syncwarp orders memory.

namespace cuda_emulator {

enum class WarpOperation { sync, ballot, shuffle_xor };

struct WarpRequest {
  WarpOperation operation;
  unsigned mask;
  std::uint64_t value;
  int lanes;  // the exclusive or of a lane and the one whose value it reads
};

// Waits for the lanes of the mask and returns this lane's result.
std::uint64_t warp_operation(const WarpRequest& request, CallSite site);

}  // namespace cuda_emulator

inline void __syncwarp(unsigned mask = 0xffffffffu,
                       cuda_emulator::CallSite site = cuda_emulator::CallSite::here()) {
  cuda_emulator::warp_operation({cuda_emulator::WarpOperation::sync, mask, 0, 0}, site);
}

inline unsigned __ballot_sync(unsigned mask, int predicate,
                              cuda_emulator::CallSite site = cuda_emulator::CallSite::here()) {
  const std::uint64_t value = predicate != 0;
  return static_cast<unsigned>(
      cuda_emulator::warp_operation({cuda_emulator::WarpOperation::ballot, mask, value, 0}, site));
}

template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lanes,
                  cuda_emulator::CallSite site = cuda_emulator::CallSite::here()) {
  static_assert(sizeof(T) <= sizeof(std::uint64_t) && std::is_trivially_copyable_v<T>,
                "a shuffle moves at most 8 bytes");
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  bits = cuda_emulator::warp_operation(
      {cuda_emulator::WarpOperation::shuffle_xor, mask, bits, lanes}, site);
  std::memcpy(&value, &bits, sizeof value);
  return value;
}
