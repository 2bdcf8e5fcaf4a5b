// Where a call's numbers are in its workspace.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "givens/cuda.hpp"
#include "host/device_plan.hpp"
#include "host/runtime.hpp"
#include "kernels/columns.cuh"

namespace givens::cuda {

// What of a call the size of its workspace depends on.
struct CallSize {
  const DevicePlan& plan;
  std::int64_t matrices;
  std::int64_t panels;  // of a matrix
  std::int64_t chains;  // of them; see vjp.cuh
  bool has_diagonal;
  bool has_gradients;
  // Columns of a panel in global memory; 0: panels are in shared memory.
  int staged_width;
};

// The numbers of some matrices, one after the other.
template <class F>
struct CallNumbers {
  using R = real_t<F>;
  R* coefficients;
  R* diagonal;  // null without one
  R* weights;   // these and below: null without gradients
  R* sums;
  R* diagonal_sums;  // complex F only, as the next
  R* chain_diagonal_sums;
  double* diagonal_of_w;
  R* chain_sums;
  std::int32_t* counters;
  std::int64_t counter_count;
  // Of a panel in global memory, and of that of gradients.
  R* panel_y;
  R* panel_g;
  std::int64_t* places;
  std::size_t bytes;
};

// The first `matrices` of a call at `data`, which may be null to find the bytes.
template <class F>
CallNumbers<F> place_numbers(const CallSize& call, std::int64_t matrices, void* data) {
  CallNumbers<F> out{};
  const auto take = [&](auto& pointer, std::int64_t count) {
    using V = std::remove_pointer_t<std::remove_reference_t<decltype(pointer)>>;
    pointer = reinterpret_cast<V*>(static_cast<unsigned char*>(data) + out.bytes);
    out.bytes += (static_cast<std::size_t>(count) * sizeof(V) + 255) / 256 * 256;
  };
  const DevicePlan& plan = call.plan;
  take(out.coefficients, matrices * kUnit * plan.units[kParts<F> - 1]);
  if (call.has_diagonal) take(out.diagonal, 2 * matrices * plan.slots);
  if (call.has_gradients) {
    take(out.weights, matrices * plan.entries);
    take(out.sums, kParts<F> * matrices * plan.entries);
    take(out.chain_sums, kParts<F> * matrices * call.chains * plan.entries);
    if (is_complex_v<F>) {
      take(out.diagonal_sums, matrices * plan.slots);
      take(out.chain_diagonal_sums, matrices * call.chains * plan.slots);
      take(out.diagonal_of_w, matrices * plan.slots);
    }
    out.counter_count = 1 + matrices * call.panels;
    take(out.counters, out.counter_count);
  }
  if (call.staged_width > 0) {
    const std::int64_t reals = std::int64_t{plan.slots} * call.staged_width * kParts<F>;
    take(out.panel_y, reals);
    if (call.has_gradients) take(out.panel_g, reals);
    take(out.places, 3 * std::int64_t{call.staged_width});
  }
  return out;
}

// A workspace beyond this gains nothing: matrices are then taken in several launches.
inline constexpr std::size_t kEnoughBytes = std::size_t{256} << 20;
// Blocks of a launch.
inline constexpr std::int64_t kMostBlocks = std::int64_t{1} << 30;

// The most matrices whose numbers fit; at least 1.
template <class F>
std::int64_t matrices_at_once(const CallSize& call, std::size_t bytes) {
  if (call.staged_width > 0) return 1;
  std::int64_t low = 1;
  std::int64_t high = std::max<std::int64_t>(std::min(call.matrices, kMostBlocks / call.panels), 1);
  while (low < high) {
    const std::int64_t middle = (low + high + 1) / 2;
    if (place_numbers<F>(call, middle, nullptr).bytes <= bytes) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

template <class F>
WorkspaceSize workspace_size(const CallSize& call) {
  const std::size_t least = place_numbers<F>(call, 1, nullptr).bytes;
  const std::int64_t best = matrices_at_once<F>(call, std::max(least, kEnoughBytes));
  return {place_numbers<F>(call, best, nullptr).bytes, least};
}

// The caller's workspace, or one of our own as long as this lives.
class WorkspaceMemory {
 public:
  WorkspaceMemory(const Workspace& given, const WorkspaceSize& size, cudaStream_t stream)
      : stream_(stream), data_(given.data), bytes_(given.bytes) {
    if (!data_) {
      owned_ = true;
      bytes_ = size.best;
      check(cudaMallocAsync(&data_, bytes_, stream), "cudaMallocAsync");
      return;
    }
    if (bytes_ < size.least) {
      throw std::invalid_argument("workspace must have at least " + std::to_string(size.least) +
                                  " bytes, got " + std::to_string(bytes_));
    }
    if (reinterpret_cast<std::uintptr_t>(data_) % 256 != 0) {
      throw std::invalid_argument("workspace must be aligned to 256 bytes");
    }
  }
  ~WorkspaceMemory() {
    if (owned_) cudaFreeAsync(data_, stream_);
  }
  WorkspaceMemory(const WorkspaceMemory&) = delete;
  WorkspaceMemory& operator=(const WorkspaceMemory&) = delete;

  void* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }

 private:
  cudaStream_t stream_;
  void* data_;
  std::size_t bytes_;
  bool owned_ = false;
};

}  // namespace givens::cuda
