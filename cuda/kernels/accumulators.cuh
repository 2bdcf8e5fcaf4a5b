// The accumulators of gradients, and the order in which panels add to them.
//
// Panels of one matrix add to its accumulators in a fixed order at every stage, whichever thread
// blocks they are on, so that they have the same bits in every run. Panels form chains: each adds
// after the panel before it, and at a chain's end to the chains before. So a panel is at most about
// twice the square root of their number behind the first.
#pragma once

#include <cstdint>

#include "arguments/strided_loop.hpp"
#include "kernels/columns.cuh"
#include "kernels/rotations.cuh"

namespace givens::cuda {

// The position of a panel among the panels of its matrix.
struct PanelRole {
  bool starts_chain;
  bool ends_chain;
  bool first_chain;
  bool last;  // of all
};

// The sum of the panels before it in its chain.
template <class R>
__device__ __forceinline__ R sum_so_far(const PanelRole& role, const R* of_chain) {
  return role.starts_chain ? R(0) : *of_chain;
}

// Adds what a panel has found to the accumulator of its chain, or at the chain's end to the
// matrix's.
template <class R>
__device__ __forceinline__ void add_in_order(const PanelRole& role, R so_far, R found, R* of_chain,
                                             R* of_matrix) {
  const R sum = so_far + found;
  if (!role.ends_chain) {
    *of_chain = sum;
  } else {
    *of_matrix = role.first_chain ? sum : *of_matrix + sum;
  }
}

// The threads that share a step, seen from one of them: `count` successive threads of a warp.
struct Lanes {
  int lane;
  int count;
  unsigned mask;  // of the warp's threads
};

// One matrix's accumulators at one panel. Each has kReals reals.
template <class F>
struct GradientAccumulators {
  using R = real_t<F>;
  PanelRole role;
  R* of_matrix;
  R* of_chain;
  const R* weights;
  bool adjoint;
  const std::int32_t* angle_indices;
  Strided<R> gangles;

  // Reads the sum of the panels before this one for rotation m of a step.
  __device__ __forceinline__ void read_so_far(const Step& step, int m, R* so_far) const {
#pragma unroll
    for (int part = 0; part < kReals<F>; ++part) {
      so_far[part] = sum_so_far(role, of_chain + offset(step, m) + part);
    }
  }

  // Adds what was found for rotation m of a step.
  __device__ __forceinline__ void add(const Step& step, int m, const R* so_far,
                                      const R* found) const {
#pragma unroll
    for (int part = 0; part < kReals<F>; ++part) {
      add_in_order(role, so_far[part], found[part], of_chain + offset(step, m) + part,
                   of_matrix + offset(step, m) + part);
    }
  }

  __device__ __forceinline__ void add(const Step& step, int m, const R* found) const {
    R so_far[kReals<F>];
    read_so_far(step, m, so_far);
    add(step, m, so_far, found);
  }

  // Called after a panel has added for a step. The last panel writes the gradients of real
  // rotations, which are known then.
  __device__ void finish(const Step& step, const Lanes& lanes) const {
    if (is_complex_v<F> || !role.last) return;
    __syncwarp(lanes.mask);
    for (int m = lanes.lane; m < rotations_of(step.pattern); m += lanes.count) {
      const std::int64_t rotation = static_cast<std::int64_t>(step.first_rotation) + m;
      const std::int32_t angle = angle_of(step, angle_indices, adjoint, m);
      // Through the inverse, angles count backwards.
      const R sign = adjoint ? R(1) : R(-1);
      if (angle >= 0) gangles[angle] = sign * weights[rotation] * of_matrix[rotation];
    }
  }

 private:
  __device__ __forceinline__ static std::int64_t offset(const Step& step, int m) {
    return kReals<F> * (static_cast<std::int64_t>(step.first_rotation) + m);
  }
};

// Waits for the panels that must have added before. One thread of a thread block uses it.
class PanelOrder {
 public:
  // `own` is the counter of panel `member` of its chain.
  __device__ PanelOrder(const PanelRole& role, std::int32_t* own, std::int64_t member)
      : own_(own),
        before_(role.starts_chain ? nullptr : own - 1),
        chain_before_(role.ends_chain && !role.first_chain ? own - (member + 1) : nullptr) {}

  // Says that this panel has added for so many stages.
  __device__ void tell(std::int32_t stages) { store_release(own_, stages); }

  // Waits until this panel may add for one stage more.
  __device__ void wait(std::int32_t stages) {
    while (before_ && known_before_ <= stages) known_before_ = ask(before_);
    while (chain_before_ && known_chain_ <= stages) known_chain_ = ask(chain_before_);
  }

 private:
  __device__ static std::int32_t ask(const std::int32_t* counter) {
    const std::int32_t stages = load_acquire(counter);
    __nanosleep(20);
    return stages;
  }

  std::int32_t* own_;
  const std::int32_t* before_;
  const std::int32_t* chain_before_;
  std::int32_t known_before_ = 0;
  std::int32_t known_chain_ = 0;
};

}  // namespace givens::cuda
