// Gradients: all rotations undone (or, for the inverse, done) on two panels in one launch, with the
// sums over columns that the gradients are made of.
//
// Panels y and g hold the states after the rotations and the loss's gradient there. A rotation of
// rows x and y adds the sum over columns of g_y conj(y_x) - y_y conj(g_x) to its place in the sums;
// then both panels are rotated (arXiv 2106.00003, section 4). For real rotations that sum is the
// same before and after a rotation, so the gradient through the inverse needs one walk too.
//
// Panels of one matrix add to its sums in a fixed order at every stage, whichever blocks they are
// on, so that sums have the same bits in every run: panels in chains, each one after the one
// before, and at a chain's end to the sums of the chains before. A panel is then no more than about
// twice the square root of their number behind the first.
#pragma once

#include "kernels/rotate.cuh"

namespace givens::cuda {

template <class F>
struct VjpArguments {
  using R = real_t<F>;
  Program<F> program;
  Tiling tiling;
  std::int64_t first_matrix;
  std::int64_t matrix_count;
  ConstNumbers<R> y;
  ConstNumbers<R> gy;
  Numbers<R> gx;  // may be absent
  std::int64_t y_row_stride;
  std::int64_t gy_row_stride;
  std::int64_t gx_row_stride;
  bool y_columns_are_near;
  bool gy_columns_are_near;
  bool gx_columns_are_near;
  std::int32_t columns_of_vector;
  DeviceLoop<6> matrices;  // signs, diagonal, y, gy, gx, gangles
  DeviceLoop<3> vectors;   // y, gy, gx
  const R* signs;
  std::int64_t sign_stride;
  const R* diagonal;  // see RotateArguments
  std::int64_t matrix_coordinates;
  bool inverse;
  bool from_identity;  // y is U

  // By entry, matrix after matrix.
  const R* weights;
  R* sums;  // kParts reals each
  std::int64_t matrix_entries;
  // By slot, matrix after matrix: Im of the diagonal of W; complex F only.
  R* diagonal_sums;
  // Both again for every chain of a matrix.
  R* chain_sums;
  R* chain_diagonal_sums;
  // The first tells how many blocks have begun, then there is one for each panel: how many stages
  // its sums are there of. All zero on entry.
  std::int32_t* counters;
  // Written by a matrix's last panel; real F only.
  R* gangles;
  std::int64_t gangle_stride;
};

// What a panel is among those of its matrix.
struct PanelRole {
  bool starts_chain;
  bool ends_chain;
  bool first_chain;
  bool last;  // of all
};

// The sum of a panel's chain before it.
template <class R>
__device__ __forceinline__ R sum_so_far(const PanelRole& role, const R* of_chain) {
  return role.starts_chain ? R(0) : *of_chain;
}

// Adds what a panel has found to the sum of its chain, or at the chain's end to that of the matrix.
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

// Adds up one matrix's sums at one panel.
template <class F>
struct SumPlaces {
  using R = real_t<F>;
  PanelRole role;
  R* sums;
  R* chain_sums;
  const R* weights;
  bool undo;
  const std::int32_t* sources;
  R* gangles;
  std::int64_t gangle_stride;

  // Of rotation m of a work item, kParts reals.
  __device__ __forceinline__ void read_so_far(const Work& work, int m, R* so_far) const {
#pragma unroll
    for (int part = 0; part < kParts<F>; ++part) {
      so_far[part] = sum_so_far(role, chain_sums + place(work, m) + part);
    }
  }

  // Adds the sum of rotation m of a work item, kParts reals.
  __device__ __forceinline__ void add(const Work& work, int m, const R* so_far,
                                      const R* found) const {
#pragma unroll
    for (int part = 0; part < kParts<F>; ++part) {
      add_in_order(role, so_far[part], found[part], chain_sums + place(work, m) + part,
                   sums + place(work, m) + part);
    }
  }

  __device__ __forceinline__ void add(const Work& work, int m, const R* found) const {
    R so_far[kParts<F>];
    read_so_far(work, m, so_far);
    add(work, m, so_far, found);
  }

  // After the last panel's sums of a work item: its gradients, where they are known by now.
  __device__ void finish(const Work& work, int lane, int lanes, unsigned mask) const {
    if (is_complex_v<F> || !role.last) return;
    __syncwarp(mask);
    for (int m = lane; m < rotations_of(work.kind); m += lanes) {
      const std::int64_t entry = static_cast<std::int64_t>(work.entry) + m;
      const std::int32_t source = angle_of(work, sources, undo, m);
      // Through the inverse angles count backwards.
      const R sign = undo ? R(1) : R(-1);
      if (source >= 0) gangles[source * gangle_stride] = sign * weights[entry] * sums[entry];
    }
  }

 private:
  __device__ __forceinline__ static std::int64_t place(const Work& work, int m) {
    return kParts<F> * (static_cast<std::int64_t>(work.entry) + m);
  }
};

// --- Sums over the threads that share a work item ---

template <int N, class R>
__device__ __forceinline__ void halve(R* v, int lane, int bit, unsigned mask) {
#pragma unroll
  for (int k = 0; k < N / 2; ++k) {
    const bool upper = (lane & bit) != 0;
    const R sent = upper ? v[k] : v[k + N / 2];
    const R kept = upper ? v[k + N / 2] : v[k];
    v[k] = kept + __shfl_xor_sync(mask, sent, bit);
  }
}

template <int N, class R>
__device__ __forceinline__ void add_from(R* v, int bit, unsigned mask) {
#pragma unroll
  for (int k = 0; k < N; ++k) v[k] += __shfl_xor_sync(mask, v[k], bit);
}

// Threads that share a work item at least.
inline constexpr int kLeastVjpLanes = 4;

// Sums of kSums rotations, kParts reals each, over four threads that follow one another, in the
// same order always: kLeft of them are left on each, in order.
template <class F, int Sums>
struct LaneSums {
  using R = real_t<F>;
  static constexpr int kSums = Sums;
  static constexpr int kLeft = kSums / kLeastVjpLanes;
  static constexpr int P = kParts<F>;
  R v[kSums * P] = {};

  __device__ __forceinline__ void reduce(int lane, unsigned mask) {
    // Bit by bit of the lane, from the highest of a sum's number on.
    halve<kSums * P>(v, lane, 2, mask);
    halve<kSums / 2 * P>(v, lane, 1, mask);
  }
};

// Adds up what each four of `lanes` threads have found.
template <int N, class R>
__device__ __forceinline__ void add_fours(R* v, int lanes, unsigned mask) {
  if (lanes > 4) add_from<N>(v, 4, mask);
  if (lanes > 8) add_from<N>(v, 8, mask);
  if (lanes > 16) add_from<N>(v, 16, mask);
}

// --- Work items ---

// AtOnce: what is found for a few rotations is added to the sums before the next few, for lack of
// registers to keep it in.
template <WorkKind Kind, class F, int C, bool Undo, bool AtOnce>
__device__ __forceinline__ void vjp_in_registers(const Panel<F>& panel_y, const Panel<F>& panel_g,
                                                 const Work& work, int lane, int lanes,
                                                 unsigned mask,
                                                 const real_t<F>* __restrict__ coefficients,
                                                 const SumPlaces<F>& places) {
  constexpr int kRotations = rotations_of(Kind);
  constexpr int N = kRows<Kind>;
  const RowPointers<Kind, F> rows_y(panel_y, work, lane * C);
  const RowPointers<Kind, F> rows_g(panel_g, work, lane * C);
  Cell<F, C> y[N], g[N];
  // Narrow panels have no columns for some lanes.
  const bool there = lane * C < panel_y.width;
#pragma unroll
  for (int k = 0; k < N; ++k) {
    y[k] = there ? Cell<F, C>::load(rows_y[k], panel_y.width) : Cell<F, C>{};
    g[k] = there ? Cell<F, C>::load(rows_g[k], panel_g.width) : Cell<F, C>{};
  }
  constexpr int P = kParts<F>;
  constexpr int kAtOnce = CoefficientReader<F>::kAtOnce;
  constexpr int kSums = std::is_same_v<F, float> ? 8 : 4;  // registers are few
  constexpr int kLeft = LaneSums<F, kSums>::kLeft;
  constexpr int kBatches = (kRotations + kSums - 1) / kSums;
  // Branches between rotations keep coefficients from being loaded early, which doubles have no
  // registers for.
  constexpr bool kKeepsLoadsBack = AtOnce || sizeof(real_t<F>) == 8;
  // Calls visit(k, m) for the sums of a batch that are left to this thread: the k-th, of rotation
  // m.
  const auto for_each_left = [&](int batch, auto&& visit) {
#pragma unroll
    for (int k = 0; k < kLeft; ++k) {
      const int m = batch * kSums + kLeft * lane + k;
      if (lane < kLeastVjpLanes && m < kRotations) visit(k, m);
    }
  };
  real_t<F> found[kBatches * kLeft * P];
#pragma unroll
  for (int batch = 0; batch < kBatches; ++batch) {
    // Read before it is needed.
    real_t<F> so_far[kLeft * P];
    if constexpr (AtOnce) {
      for_each_left(batch, [&](int k, int m) { places.read_so_far(work, m, so_far + k * P); });
    }
    LaneSums<F, kSums> sums;
#pragma unroll
    for (int m = batch * kSums; m < (batch + 1) * kSums && m < kRotations; m += kAtOnce) {
      const CoefficientReader<F> reader(coefficients, m);
#pragma unroll
      for (int e = 0; e < kAtOnce; ++e) {
        const Rows pair = rows_of<Kind, Undo>(m + e);
        add_products(y[pair.x], y[pair.y], g[pair.x], g[pair.y],
                     sums.v + P * (m + e - batch * kSums));
        rotate_cells(y[pair.x], y[pair.y], reader.c + e * kCoefficients<F>);
        rotate_cells(g[pair.x], g[pair.y], reader.c + e * kCoefficients<F>);
      }
    }
    sums.reduce(lane, mask);
    if constexpr (kKeepsLoadsBack) add_fours<kLeft * P>(sums.v, lanes, mask);
    if constexpr (AtOnce) {
      for_each_left(batch,
                    [&](int k, int m) { places.add(work, m, so_far + k * P, sums.v + k * P); });
    } else {
#pragma unroll
      for (int k = 0; k < kLeft * P; ++k) found[batch * kLeft * P + k] = sums.v[k];
    }
  }
  if constexpr (!kKeepsLoadsBack) add_fours<kBatches * kLeft * P>(found, lanes, mask);
  const real_t<F>* factors = coefficients + kCoefficients<F> * kRotations;
  const RowPointers<Kind, F> to_y = rows_y.again();
  const RowPointers<Kind, F> to_g = rows_g.again();
#pragma unroll
  for (int k = 0; k < N; ++k) {
    y[k].scale(factors[k]);
    g[k].scale(factors[k]);
    if (there) {
      y[k].store(to_y[k], panel_y.width);
      g[k].store(to_g[k], panel_g.width);
    }
  }
  if constexpr (!AtOnce) {
#pragma unroll
    for (int batch = 0; batch < kBatches; ++batch) {
      for_each_left(batch,
                    [&](int k, int m) { places.add(work, m, found + (batch * kLeft + k) * P); });
    }
  }
}

template <class F, int C>
__device__ __forceinline__ void vjp_in_memory(const Panel<F>& panel_y, const Panel<F>& panel_g,
                                              const Work& work, bool undo, int lane, int lanes,
                                              unsigned mask, const real_t<F>* coefficients,
                                              const SumPlaces<F>& places) {
  for (int m = 0; m < rotations_of(work.kind); ++m) {
    const Rows rows = rows_of(work, undo, m);
    const bool there = lane * C < panel_y.width;
    Cell<F, C> cells[2][2];
    real_t<F>* at[2][2];
#pragma unroll
    for (int p = 0; p < 2; ++p) {
      const Panel<F>& panel = p == 0 ? panel_y : panel_g;
      at[p][0] = panel.row(slot_of(work, rows.x)) + lane * C;
      at[p][1] = panel.row(slot_of(work, rows.y)) + lane * C;
#pragma unroll
      for (int k = 0; k < 2; ++k) {
        cells[p][k] = there ? Cell<F, C>::load(at[p][k], panel.width) : Cell<F, C>{};
      }
    }
    real_t<F> sum[kParts<F>] = {};
    add_products(cells[0][0], cells[0][1], cells[1][0], cells[1][1], sum);
#pragma unroll
    for (int p = 0; p < 2; ++p) {
      rotate_plainly(cells[p][0], cells[p][1], coefficients + kCoefficients<F> * m);
#pragma unroll
      for (int k = 0; k < 2; ++k) {
        if (there) cells[p][k].store(at[p][k], panel_y.width);
      }
    }
    for (int bit = 1; bit < lanes; bit *= 2) add_from<kParts<F>>(sum, bit, mask);
    if (lane == 0) places.add(work, m, sum);
  }
}

template <class F, int C, bool AtOnce>
__device__ __forceinline__ void vjp_work(const Panel<F>& y, const Panel<F>& g, const Work& work,
                                         bool plain, bool undo, int lane, int lanes, unsigned mask,
                                         const real_t<F>* coefficients,
                                         const SumPlaces<F>& places) {
  if (plain) {
    vjp_in_memory<F, C>(y, g, work, undo, lane, lanes, mask, coefficients, places);
    places.finish(work, lane, lanes, mask);
    return;
  }
  switch (work.kind) {
    case WorkKind::xor_block:
      vjp_in_registers<WorkKind::xor_block, F, C, false, AtOnce>(y, g, work, lane, lanes, mask,
                                                                 coefficients, places);
      break;
    case WorkKind::sum_block:
      vjp_in_registers<WorkKind::sum_block, F, C, false, AtOnce>(y, g, work, lane, lanes, mask,
                                                                 coefficients, places);
      break;
    case WorkKind::diamond_block:
      vjp_in_registers<WorkKind::diamond_block, F, C, false, AtOnce>(y, g, work, lane, lanes, mask,
                                                                     coefficients, places);
      break;
    case WorkKind::leaf:
      if (undo) {
        vjp_in_registers<WorkKind::leaf, F, C, true, AtOnce>(y, g, work, lane, lanes, mask,
                                                             coefficients, places);
      } else {
        vjp_in_registers<WorkKind::leaf, F, C, false, AtOnce>(y, g, work, lane, lanes, mask,
                                                              coefficients, places);
      }
      break;
    case WorkKind::pair:
      break;
  }
  places.finish(work, lane, lanes, mask);
}

// --- The diagonal of W ---

// Adds Im W[s, s] of a panel for every slot s.
template <class F>
__device__ void add_diagonal_sums(const Team& team, const Panel<F>& panel_y,
                                  const Panel<F>& panel_g, int slots, const PanelRole& role,
                                  real_t<F>* chain_sums, real_t<F>* sums) {
  for (int slot = team.thread; slot < slots; slot += team.threads) {
    real_t<F> sum = 0;
    for (int c = 0; c < panel_y.width; ++c) {
      real_t<F> y[2], g[2];
      get_place(panel_y, slot, c, y);
      get_place(panel_g, slot, c, g);
      sum += 2 * (g[1] * y[0] - g[0] * y[1]);
    }
    add_in_order(role, sum_so_far(role, chain_sums + slot), sum, chain_sums + slot, sums + slot);
  }
}

// --- The order of panels ---

// Waits for the panels that must have added before; of use to one thread of a block.
class PanelOrder {
 public:
  // `own` is the counter of panel `member` of its chain.
  __device__ PanelOrder(const PanelRole& role, std::int32_t* own, std::int64_t member)
      : own_(own),
        before_(role.starts_chain ? nullptr : own - 1),
        chain_before_(role.ends_chain && !role.first_chain ? own - (member + 1) : nullptr) {}

  // The panel's sums of so many stages are there.
  __device__ void tell(std::int32_t stages) { store_release(own_, stages); }

  // Waits until the sums of one stage more may be added.
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

// Offsets that shared memory has for each column: y, gy, gx; and of the angles' gradients, one for
// each matrix.
inline constexpr int kVjpOperands = 4;

// As rotate_kernel. Panels are dealt out in the order in which blocks begin, so that the one before
// has always begun.
template <class F, int C>
__global__ void __launch_bounds__(kMostThreads, 1) vjp_kernel(const VjpArguments<F> arguments) {
  using R = real_t<F>;
  GIVENS_DYNAMIC_SHARED(shared);
  const Tiling& tiling = arguments.tiling;
  const Program<F>& program = arguments.program;
  const int width = tiling.width;
  const int groups = program.rows.slots / kRowBlock;
  const int panel_reals = program.rows.slots * width * kParts<F>;
  R* const panels = reinterpret_cast<R*>(shared);  // y and g of every matrix
  auto* const places = reinterpret_cast<std::int64_t*>(panels + 2 * tiling.matrices * panel_reals);
  auto* const ticket =
      reinterpret_cast<std::int32_t*>(places + kVjpOperands * tiling.matrices * width);

  if (threadIdx.x == 0) *ticket = atomicAdd(arguments.counters, 1);
  __syncthreads();
  const std::int64_t index = *ticket;
  const std::int64_t panel_index = index % tiling.panels;
  const BlockShare share = share_of(tiling, index, arguments.matrix_count);
  std::int32_t* const own_counter = arguments.counters + 1 + index;
  const std::int64_t chain = panel_index / tiling.chain;
  const std::int64_t member = panel_index % tiling.chain;
  const std::int64_t chains = (tiling.panels + tiling.chain - 1) / tiling.chain;
  const bool last = panel_index == tiling.panels - 1;
  const PanelRole role{member == 0, member == tiling.chain - 1 || last, chain == 0, last};
  PanelOrder order(role, own_counter, member);

  const auto panel_of = [&](int m, int which) {
    return Panel<F>{panels + (2 * m + which) * panel_reals, groups, width};
  };

  for (int m = 0; m < share.matrices; ++m) {
    const auto offsets = arguments.matrices.at(arguments.first_matrix + share.first_matrix + m);
    const std::int64_t of_matrix[3] = {offsets.at[2], offsets.at[3], offsets.at[4]};
    find_columns<3>(block_team(), arguments.vectors, arguments.columns_of_vector, tiling.columns,
                    share.first_column, width, of_matrix, places + kVjpOperands * m * width);
    if (threadIdx.x == 0) places[(kVjpOperands * m + 3) * width] = offsets.at[5];
  }
  __syncthreads();
  for (int m = 0; m < share.matrices; ++m) {
    const RowFactors<F> factors =
        row_factors<F>(arguments, share.first_matrix + m, !arguments.inverse);
    const std::int64_t* const at = places + kVjpOperands * m * width;
    load_panel(block_team(), panel_of(m, 0), program.rows, arguments.y,
               {at, arguments.y_row_stride, arguments.y_columns_are_near}, factors, true);
    load_panel(block_team(), panel_of(m, 1), program.rows, arguments.gy,
               {at + width, arguments.gy_row_stride, arguments.gy_columns_are_near}, factors, true);
  }
  __syncthreads();

  // Beside the stages of the walk, complex rotations have the diagonal of W before them.
  constexpr std::int32_t kBefore = is_complex_v<F> ? 1 : 0;
  if constexpr (is_complex_v<F>) {
    if (threadIdx.x == 0) order.wait(0);
    __syncthreads();
    for (int m = 0; m < share.matrices; ++m) {
      const std::int64_t matrix = share.first_matrix + m;
      add_diagonal_sums(
          block_team(), panel_of(m, 0), panel_of(m, 1), program.rows.slots, role,
          arguments.chain_diagonal_sums + (matrix * chains + chain) * program.rows.slots,
          arguments.diagonal_sums + matrix * program.rows.slots);
    }
  }

  const BlockWalk<F> walk{program, share.first_matrix, share.matrices, tiling.lanes};
  Stage next_stage = walk.stage(0);
  for (std::int32_t s = 0; s < program.stage_count; ++s) {
    __syncthreads();
    if (threadIdx.x == 0) {
      order.tell(s + kBefore);
      order.wait(s + kBefore);
    }
    // Read while the first thread waits.
    const Stage stage = next_stage;
    next_stage = walk.stage(s + 1);
    Item<F> item = walk.item(stage, walk.first());
    walk.read_factor(stage, walk.first(), item);
    __syncthreads();
    const std::int64_t each = arguments.columns_of_vector;
    const ActiveSlots active =
        active_slots(stage, arguments.from_identity, share.first_column / each,
                     (share.last_column + each - 1) / each, program.rows.slots);
    walk.for_each_item(stage, item, [&](const Item<F>& at, int lane) {
      const Work& work = at.work;
      const std::int64_t matrix = share.first_matrix + at.matrix;
      const std::int64_t of_matrix = matrix * arguments.matrix_entries;
      const std::int64_t of_chain = (matrix * chains + chain) * arguments.matrix_entries;
      const SumPlaces<F> sums{role,
                              arguments.sums + kParts<F> * of_matrix,
                              arguments.chain_sums + kParts<F> * of_chain,
                              arguments.weights + of_matrix,
                              program.undo,
                              program.sources,
                              arguments.gangles + places[(kVjpOperands * at.matrix + 3) * width],
                              arguments.gangle_stride};
      const auto lanes = static_cast<unsigned>(tiling.lanes);
      const unsigned mask =
          lanes == 32 ? 0xFFFFFFFFU : ((1U << lanes) - 1) << (threadIdx.x % 32 / lanes * lanes);
      if (!active.has(work)) {
        // Nothing to add: but sums begin at the start of a chain and are handed on at its end.
        const R zero[kParts<F>] = {};
        const bool must = role.starts_chain || role.ends_chain;
        for (int e = lane; must && e < rotations_of(work.kind); e += tiling.lanes) {
          sums.add(work, e, zero);
        }
        sums.finish(work, lane, tiling.lanes, mask);
        return;
      }
      // Of complex128 not all fits into registers.
      vjp_work<F, C, sizeof(F) == 16>(panel_of(at.matrix, 0), panel_of(at.matrix, 1), work,
                                      at.factor == real_t<F>(0), program.undo, lane, tiling.lanes,
                                      mask, walk.coefficients(at), sums);
    });
  }
  __syncthreads();
  if (threadIdx.x == 0) order.tell(program.stage_count + kBefore);

  if (!arguments.gx) return;
  for (int m = 0; m < share.matrices; ++m) {
    store_panel(block_team(), panel_of(m, 1), program.rows, arguments.gx,
                {places + (kVjpOperands * m + 2) * width, arguments.gx_row_stride,
                 arguments.gx_columns_are_near},
                row_factors<F>(arguments, share.first_matrix + m, arguments.inverse));
  }
}

}  // namespace givens::cuda
