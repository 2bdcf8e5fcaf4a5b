// The layout of a call's workspace.
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
#include "kernels/numbers.cuh"

namespace givens::cuda {

// What the size of a call's workspace depends on.
struct CallSize {
  const DevicePlan& plan;
  std::int64_t matrices;
  std::int64_t panels;  // of a matrix
  std::int64_t chains;  // of panels, in a matrix; see accumulators.cuh
  bool has_diagonal;
  bool has_gradients;
  // The columns of a panel in global memory, or 0 if panels are in shared memory.
  int staged_width;
};

// Lays out the numbers of `matrices` matrices at `data`, which may be null to find out the bytes.
template <class F>
CallNumbers<real_t<F>> lay_out_numbers(const CallSize& call, std::int64_t matrices, void* data) {
  CallNumbers<real_t<F>> out{};
  const auto take = [&](auto& pointer, std::int64_t count) {
    using V = std::remove_pointer_t<std::remove_reference_t<decltype(pointer)>>;
    pointer = data ? reinterpret_cast<V*>(static_cast<unsigned char*>(data) + out.bytes) : nullptr;
    out.bytes += (static_cast<std::size_t>(count) * sizeof(V) + 255) / 256 * 256;
  };
  const DevicePlan& plan = call.plan;
  take(out.coefficients, matrices * kUnit * plan.units[kReals<F> - 1]);
  if (call.has_diagonal) take(out.diagonal, 2 * matrices * plan.rows);
  if (call.has_gradients) {
    take(out.weights, matrices * plan.rotations);
    take(out.accumulators, kReals<F> * matrices * plan.rotations);
    take(out.chain_accumulators, kReals<F> * matrices * call.chains * plan.rotations);
    if (is_complex_v<F>) {
      take(out.diagonal_accumulators, matrices * plan.rows);
      take(out.chain_diagonal_accumulators, matrices * call.chains * plan.rows);
      take(out.diagonal_of_w, matrices * plan.rows);
    }
    out.counter_count = 1 + matrices * call.panels;
    take(out.counters, out.counter_count);
  }
  if (call.staged_width > 0) {
    const std::int64_t reals = std::int64_t{plan.rows} * call.staged_width * kReals<F>;
    take(out.panel_y, reals);
    if (call.has_gradients) take(out.panel_g, reals);
    take(out.offsets, 3 * std::int64_t{call.staged_width});
  }
  return out;
}

// A larger workspace gains nothing: several launches then share out the matrices.
inline constexpr std::size_t kEnoughBytes = std::size_t{256} << 20;
// The most thread blocks of a launch.
inline constexpr std::int64_t kMostBlocks = std::int64_t{1} << 30;

// The most matrices whose numbers fit in so many bytes, at least 1.
template <class F>
std::int64_t matrices_at_once(const CallSize& call, std::size_t bytes) {
  if (call.staged_width > 0) return 1;
  std::int64_t low = 1;
  std::int64_t high = std::max<std::int64_t>(std::min(call.matrices, kMostBlocks / call.panels), 1);
  while (low < high) {
    const std::int64_t middle = (low + high + 1) / 2;
    if (lay_out_numbers<F>(call, middle, nullptr).bytes <= bytes) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

template <class F>
WorkspaceSize workspace_size(const CallSize& call) {
  const std::size_t least = lay_out_numbers<F>(call, 1, nullptr).bytes;
  const std::int64_t best = matrices_at_once<F>(call, std::max(least, kEnoughBytes));
  return {lay_out_numbers<F>(call, best, nullptr).bytes, least};
}

// The caller's workspace, or one that is allocated and lives as long as this object.
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
