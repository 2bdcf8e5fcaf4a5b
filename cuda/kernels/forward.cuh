// The rotations of one work item on C columns of a panel, by one thread.
#pragma once

#include "kernels/panel.cuh"
#include "kernels/rotations.cuh"

namespace givens::cuda {

// Reads the coefficients of rotation m and those after it, 16 bytes at a time; of complex128 8, for
// which registers are easier to find than four in a row. Rotations are taken in steps of kAtOnce.
template <class F>
struct CoefficientReader {
  using R = real_t<F>;
  static constexpr int kAtOnce = sizeof(R) * kCoefficients<F> < 16 ? 2 : 1;
  R c[kAtOnce * kCoefficients<F>];

  __device__ __forceinline__ CoefficientReader(const R* coefficients, int m) {
    constexpr int kReals = sizeof(F) == 16 ? 1 : 16 / static_cast<int>(sizeof(R));
#pragma unroll
    for (int k = 0; k < kAtOnce * kCoefficients<F>; k += kReals) {
      const auto loaded = load_vector<R, kReals>(coefficients + m * kCoefficients<F> + k);
#pragma unroll
      for (int e = 0; e < kReals; ++e) c[k + e] = loaded.v[e];
    }
  }
};

template <WorkKind Kind>
inline constexpr int kRows = Kind == WorkKind::leaf ? kRowBlock : 2 * kRowBlock;

// The addresses of a work item's rows, at a thread's first column.
template <WorkKind Kind, class F>
class RowPointers {
 public:
  using R = real_t<F>;

  __device__ __forceinline__ RowPointers(const Panel<F>& panel, const Work& work, int column)
      : panel_(panel), work_(work), column_(column) {
    if constexpr (Kind != WorkKind::diamond_block) {
      // Groups are aligned: their rows have equal distances.
      step_a_ = work.reverse_a ? -panel.next_row() : panel.next_row();
      a_ = panel.row(work.reverse_a ? work.a + kRowBlock - 1 : work.a) + column;
      if constexpr (Kind != WorkKind::leaf) {
        step_b_ = work.reverse_b ? -panel.next_row() : panel.next_row();
        b_ = panel.row(work.reverse_b ? work.b + kRowBlock - 1 : work.b) + column;
      }
    }
  }

  // The same, computed once more: kept from loads to stores, addresses take registers that the
  // rotations between them need.
  __device__ __forceinline__ RowPointers again() const {
    RowPointers out = *this;
    hide(out.step_a_);
    hide(out.step_b_);
    hide(out.work_.a);
    hide(out.work_.b);
    return out;
  }

  __device__ __forceinline__ R* operator[](int row) const {
    if constexpr (Kind == WorkKind::diamond_block) {
      return panel_.row(slot_of(work_, row)) + column_;
    } else {
      return row < kRowBlock ? a_ + row * step_a_ : b_ + (row - kRowBlock) * step_b_;
    }
  }

 private:
  const Panel<F>& panel_;
  Work work_;
  int column_;
  R* a_ = nullptr;
  R* b_ = nullptr;
  int step_a_ = 0;
  int step_b_ = 0;
};

template <WorkKind Kind, class F, int C, bool Undo>
__device__ __forceinline__ void rotate_in_registers(const Panel<F>& panel, const Work& work,
                                                    int column,
                                                    const real_t<F>* __restrict__ coefficients) {
  constexpr int kRotations = rotations_of(Kind);
  constexpr int N = kRows<Kind>;
  const RowPointers<Kind, F> rows(panel, work, column);
  Cell<F, C> x[N];
#pragma unroll
  for (int k = 0; k < N; ++k) x[k] = Cell<F, C>::load(rows[k], panel.width);
  constexpr int kAtOnce = CoefficientReader<F>::kAtOnce;
#pragma unroll
  for (int m = 0; m < kRotations; m += kAtOnce) {
    const CoefficientReader<F> reader(coefficients, m);
#pragma unroll
    for (int e = 0; e < kAtOnce; ++e) {
      const Rows pair = rows_of<Kind, Undo>(m + e);
      rotate_cells(x[pair.x], x[pair.y], reader.c + e * kCoefficients<F>);
    }
  }
  const real_t<F>* factors = coefficients + kCoefficients<F> * kRotations;
#pragma unroll
  for (int k = 0; k < N; ++k) {
    x[k].scale(factors[k]);
    x[k].store(rows[k], panel.width);
  }
}

// One rotation after the other.
template <class F, int C>
__device__ __forceinline__ void rotate_in_memory(const Panel<F>& panel, const Work& work, bool undo,
                                                 int column, const real_t<F>* coefficients) {
  for (int m = 0; m < rotations_of(work.kind); ++m) {
    const Rows rows = rows_of(work, undo, m);
    real_t<F>* const at_x = panel.row(slot_of(work, rows.x)) + column;
    real_t<F>* const at_y = panel.row(slot_of(work, rows.y)) + column;
    Cell<F, C> x = Cell<F, C>::load(at_x, panel.width);
    Cell<F, C> y = Cell<F, C>::load(at_y, panel.width);
    rotate_plainly(x, y, coefficients + kCoefficients<F> * m);
    x.store(at_x, panel.width);
    y.store(at_y, panel.width);
  }
}

// The factors of a tile or leaf follow its coefficients. They are zero if those are of the plain
// form.
template <class F>
__device__ __forceinline__ const real_t<F>* first_factor(const Work& work,
                                                         const real_t<F>* coefficients) {
  return coefficients + kCoefficients<F> * rotations_of(work.kind);
}

// Whether a work item's coefficients are those of the plain form.
template <class F>
__device__ __forceinline__ bool is_plain(const Work& work, const real_t<F>* coefficients) {
  return work.kind == WorkKind::pair || *first_factor<F>(work, coefficients) == real_t<F>(0);
}

template <class F, int C>
__device__ __forceinline__ void rotate_work(const Panel<F>& panel, const Work& work, bool plain,
                                            bool undo, int column, const real_t<F>* coefficients) {
  if (plain) {
    rotate_in_memory<F, C>(panel, work, undo, column, coefficients);
    return;
  }
  switch (work.kind) {
    case WorkKind::xor_block:
      rotate_in_registers<WorkKind::xor_block, F, C, false>(panel, work, column, coefficients);
      break;
    case WorkKind::sum_block:
      rotate_in_registers<WorkKind::sum_block, F, C, false>(panel, work, column, coefficients);
      break;
    case WorkKind::diamond_block:
      rotate_in_registers<WorkKind::diamond_block, F, C, false>(panel, work, column, coefficients);
      break;
    case WorkKind::leaf:
      if (undo) {
        rotate_in_registers<WorkKind::leaf, F, C, true>(panel, work, column, coefficients);
      } else {
        rotate_in_registers<WorkKind::leaf, F, C, false>(panel, work, column, coefficients);
      }
      break;
    case WorkKind::pair:
      break;
  }
}

}  // namespace givens::cuda
