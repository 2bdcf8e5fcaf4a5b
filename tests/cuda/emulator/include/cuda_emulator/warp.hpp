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

enum class WarpOperation { sync, ballot, shuffle, shuffle_up, shuffle_down, shuffle_xor };

struct WarpRequest {
  WarpOperation operation;
  unsigned mask;
  std::uint64_t value;
  int argument;  // the lane, the distance or the lanes' exclusive or
  int width;     // of the parts of a warp within which a shuffle stays
};

// Waits for the lanes of the mask and returns this lane's result.
std::uint64_t warp_operation(const WarpRequest& request, CallSite site);

template <class T>
T warp_shuffle(WarpOperation operation, unsigned mask, T value, int argument, int width,
               CallSite site) {
  static_assert(sizeof(T) <= sizeof(std::uint64_t) && std::is_trivially_copyable_v<T>,
                "a shuffle moves at most 8 bytes");
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  bits = warp_operation({operation, mask, bits, argument, width}, site);
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

}  // namespace cuda_emulator

inline void __syncwarp(unsigned mask = 0xffffffffu,
                       cuda_emulator::CallSite site = cuda_emulator::CallSite::here()) {
  cuda_emulator::warp_operation({cuda_emulator::WarpOperation::sync, mask, 0, 0, warpSize}, site);
}

inline unsigned __ballot_sync(unsigned mask, int predicate,
                              cuda_emulator::CallSite site = cuda_emulator::CallSite::here()) {
  const std::uint64_t value = predicate != 0;
  return static_cast<unsigned>(cuda_emulator::warp_operation(
      {cuda_emulator::WarpOperation::ballot, mask, value, 0, warpSize}, site));
}

inline int __any_sync(unsigned mask, int predicate,
                      cuda_emulator::CallSite site = cuda_emulator::CallSite::here()) {
  return __ballot_sync(mask, predicate, site) != 0;
}

inline int __all_sync(unsigned mask, int predicate,
                      cuda_emulator::CallSite site = cuda_emulator::CallSite::here()) {
  return __ballot_sync(mask, predicate == 0, site) == 0;
}

template <class T>
T __shfl_sync(unsigned mask, T value, int lane, int width = warpSize,
              cuda_emulator::CallSite site = cuda_emulator::CallSite::here()) {
  return cuda_emulator::warp_shuffle(cuda_emulator::WarpOperation::shuffle, mask, value, lane,
                                     width, site);
}

template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned distance, int width = warpSize,
                 cuda_emulator::CallSite site = cuda_emulator::CallSite::here()) {
  return cuda_emulator::warp_shuffle(cuda_emulator::WarpOperation::shuffle_up, mask, value,
                                     static_cast<int>(distance), width, site);
}

template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned distance, int width = warpSize,
                   cuda_emulator::CallSite site = cuda_emulator::CallSite::here()) {
  return cuda_emulator::warp_shuffle(cuda_emulator::WarpOperation::shuffle_down, mask, value,
                                     static_cast<int>(distance), width, site);
}

template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lanes, int width = warpSize,
                  cuda_emulator::CallSite site = cuda_emulator::CallSite::here()) {
  return cuda_emulator::warp_shuffle(cuda_emulator::WarpOperation::shuffle_xor, mask, value, lanes,
                                     width, site);
}
