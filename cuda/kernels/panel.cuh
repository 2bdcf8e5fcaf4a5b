// A panel: all rows of a few columns, in a block's shared memory; or, if that has no room for one
// column, of many in global memory.
#pragma once

#include <cstdint>

#include "host/plan.hpp"
#include "kernels/columns.cuh"
#include "kernels/storage.cuh"

namespace givens::cuda {

// Row k of group q is followed by row k of group q + 1: threads that are neighbours work on
// neighbouring groups, and so on other banks.
template <class F>
struct Panel {
  using R = real_t<F>;
  R* data;
  int groups;
  int width;  // columns, W

  __device__ int row_reals() const { return kParts<F> * width; }
  __device__ R* row(int slot) const {
    return data + ((slot & (kRowBlock - 1)) * groups + slot / kRowBlock) * row_reals();
  }
  // From a row to the next of the same group.
  __device__ int next_row() const { return groups * row_reals(); }
};

// Where the caller has the columns of a panel.
struct ColumnPlaces {
  // By column, the offset of its coordinate 0, in reals; kNoColumn beyond the last.
  const std::int64_t* offsets;
  std::int64_t row_stride;
  // Whether columns are nearer to each other in memory than rows.
  bool columns_are_near;
};
inline constexpr std::int64_t kNoColumn = INT64_MIN;

// The rows of a plan.
struct PlanRows {
  const std::int32_t* coordinate_of_row;
  std::int32_t slots;
};

// What a row is multiplied by: signs, exp(i d) of a diagonal, or 1. Both may be null.
template <class F>
struct RowFactors {
  using R = real_t<F>;
  const R* signs;
  std::int64_t sign_stride;
  const R* diagonal;  // by coordinate (Re, Im); complex F only

  __device__ void apply(int coordinate, bool conjugate, R* value) const {
    if (signs) {
#pragma unroll
      for (int part = 0; part < kParts<F>; ++part) value[part] *= signs[coordinate * sign_stride];
    }
    if constexpr (is_complex_v<F>) {
      if (diagonal) {
        const R c = diagonal[2 * coordinate];
        const R s = conjugate ? -diagonal[2 * coordinate + 1] : diagonal[2 * coordinate + 1];
        const R re = value[0] * c - value[1] * s;
        value[1] = value[1] * c + value[0] * s;
        value[0] = re;
      }
    }
  }
};

// The threads that work on a panel together.
struct Team {
  int thread;
  int threads;
};

__device__ inline Team block_team() {
  return {static_cast<int>(threadIdx.x), static_cast<int>(blockDim.x)};
}

__device__ inline Team grid_team() {
  return {static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x),
          static_cast<int>(gridDim.x * blockDim.x)};
}

// Calls visit(slot, column) for all of a panel, shared out over a team.
template <class Visit>
__device__ void for_each_place(const Team& team, int slots, int width, bool columns_are_near,
                               Visit&& visit) {
  const int count = slots * width;
  for (int k = team.thread; k < count; k += team.threads) {
    if (columns_are_near) {
      visit(k / width, k % width);
    } else {
      visit(k % slots, k / slots);
    }
  }
}

template <class F>
__device__ void set_place(const Panel<F>& panel, int slot, int column, const real_t<F>* value) {
#pragma unroll
  for (int part = 0; part < kParts<F>; ++part) {
    panel.row(slot)[part * panel.width + column] = value[part];
  }
}

template <class F>
__device__ void get_place(const Panel<F>& panel, int slot, int column, real_t<F>* value) {
#pragma unroll
  for (int part = 0; part < kParts<F>; ++part) {
    value[part] = panel.row(slot)[part * panel.width + column];
  }
}

// Fills a panel; padding and columns that are not there are zero.
template <class F>
__device__ void load_panel(const Team& team, const Panel<F>& panel, const PlanRows& rows,
                           const ConstNumbers<real_t<F>>& data, const ColumnPlaces& places,
                           const RowFactors<F>& factors, bool conjugate) {
  for_each_place(team, rows.slots, panel.width, places.columns_are_near, [&](int slot, int column) {
    real_t<F> value[kParts<F>] = {};
    const std::int32_t coordinate = rows.coordinate_of_row[slot];
    const std::int64_t offset = places.offsets[column];
    if (coordinate >= 0 && offset != kNoColumn) {
#pragma unroll
      for (int part = 0; part < kParts<F>; ++part) {
        value[part] = data.read(offset + coordinate * places.row_stride + part);
      }
      factors.apply(coordinate, conjugate, value);
    }
    set_place(panel, slot, column, value);
  });
}

// Columns first .. of the identity.
template <class F>
__device__ void load_identity(const Team& team, const Panel<F>& panel, const PlanRows& rows,
                              std::int64_t first) {
  for_each_place(team, rows.slots, panel.width, true, [&](int slot, int column) {
    real_t<F> value[kParts<F>] = {};
    if (rows.coordinate_of_row[slot] == first + column) value[0] = 1;
    set_place(panel, slot, column, value);
  });
}

template <class F>
__device__ void store_panel(const Team& team, const Panel<F>& panel, const PlanRows& rows,
                            const Numbers<real_t<F>>& data, const ColumnPlaces& places,
                            const RowFactors<F>& factors) {
  for_each_place(team, rows.slots, panel.width, places.columns_are_near, [&](int slot, int column) {
    const std::int32_t coordinate = rows.coordinate_of_row[slot];
    const std::int64_t offset = places.offsets[column];
    if (coordinate < 0 || offset == kNoColumn) return;
    real_t<F> value[kParts<F>];
    get_place(panel, slot, column, value);
    factors.apply(coordinate, false, value);
#pragma unroll
    for (int part = 0; part < kParts<F>; ++part) {
      data.write(offset + coordinate * places.row_stride + part, value[part]);
    }
  });
}

}  // namespace givens::cuda
