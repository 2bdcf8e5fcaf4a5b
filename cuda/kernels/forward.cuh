// The rotations of one step on C columns of a panel, by one thread.
#pragma once

#include "kernels/panel.cuh"
#include "kernels/rotations.cuh"

namespace givens::cuda {

// The coefficients of the kAtOnce rotations from m on, loaded 16 bytes at a time. For complex128 it
// is 8 bytes, because single registers are easier to find than four in a row.
template <class F>
struct CoefficientReader {
  using R = real_t<F>;
  static constexpr int kAtOnce = sizeof(R) * kCoefficients<F> < 16 ? 2 : 1;
  R c[kAtOnce * kCoefficients<F>];

  __device__ __forceinline__ CoefficientReader(const R* coefficients, int m) {
    constexpr int kLoaded = sizeof(F) == 16 ? 1 : 16 / static_cast<int>(sizeof(R));
#pragma unroll
    for (int k = 0; k < kAtOnce * kCoefficients<F>; k += kLoaded) {
      const auto loaded = load_vector<R, kLoaded>(coefficients + m * kCoefficients<F> + k);
#pragma unroll
      for (int e = 0; e < kLoaded; ++e) c[k + e] = loaded.v[e];
    }
  }
};

// A rotation block or diagonal block as a type. Only a diagonal block has an order of its own for
// the adjoint; other blocks reverse their rows (Step::reverse_a and reverse_b).
template <Pattern P, bool Adjoint>
struct Block {
  static constexpr Pattern kPattern = P;
  static constexpr bool kAdjoint = Adjoint;
  static constexpr int kRotations = rotations_of(P);
  static constexpr int kRows = scales_of(P);
};

// Calls visit(Block) for a step that is not a pair.
template <class Visit>
__device__ __forceinline__ void with_block(const Step& step, bool adjoint, Visit&& visit) {
  switch (step.pattern) {
    case Pattern::xor_block:
      visit(Block<Pattern::xor_block, false>{});
      break;
    case Pattern::sum_block:
      visit(Block<Pattern::sum_block, false>{});
      break;
    case Pattern::diamond_block:
      visit(Block<Pattern::diamond_block, false>{});
      break;
    case Pattern::diagonal_block:
      if (adjoint) {
        visit(Block<Pattern::diagonal_block, true>{});
      } else {
        visit(Block<Pattern::diagonal_block, false>{});
      }
      break;
    case Pattern::pairs:
      break;
  }
}

// The addresses of a step's rows, at a thread's first column.
template <Pattern P, class F>
class RowPointers {
 public:
  using R = real_t<F>;

  __device__ __forceinline__ RowPointers(const Panel<F>& panel, const Step& step, int column)
      : panel_(panel), step_(step), column_(column) {
    if constexpr (P != Pattern::diamond_block) {
      // The rows of a row block have equal distances.
      step_a_ = step.reverse_a ? -panel.next_row() : panel.next_row();
      a_ = panel.row(step.reverse_a ? step.a + kRowBlock - 1 : step.a) + column;
      if constexpr (P != Pattern::diagonal_block) {
        step_b_ = step.reverse_b ? -panel.next_row() : panel.next_row();
        b_ = panel.row(step.reverse_b ? step.b + kRowBlock - 1 : step.b) + column;
      }
    }
  }

  // The same addresses, computed once more. Addresses that are kept from loads to stores take
  // registers that the rotations between them need.
  __device__ __forceinline__ RowPointers again() const {
    RowPointers out = *this;
    hide(out.step_a_);
    hide(out.step_b_);
    hide(out.step_.a);
    hide(out.step_.b);
    return out;
  }

  __device__ __forceinline__ R* operator[](int row) const {
    if constexpr (P == Pattern::diamond_block) {
      return panel_.row(panel_row(step_, row)) + column_;
    } else {
      return row < kRowBlock ? a_ + row * step_a_ : b_ + (row - kRowBlock) * step_b_;
    }
  }

 private:
  const Panel<F>& panel_;
  Step step_;
  int column_;
  R* a_ = nullptr;
  R* b_ = nullptr;
  int step_a_ = 0;
  int step_b_ = 0;
};

template <class B, class F, int C>
__device__ __forceinline__ void rotate_in_registers(const Panel<F>& panel, const Step& step,
                                                    int column,
                                                    const real_t<F>* __restrict__ coefficients) {
  const RowPointers<B::kPattern, F> rows(panel, step, column);
  Columns<F, C> x[B::kRows];
#pragma unroll
  for (int k = 0; k < B::kRows; ++k) x[k] = Columns<F, C>::load(rows[k], panel.width);
  constexpr int kAtOnce = CoefficientReader<F>::kAtOnce;
#pragma unroll
  for (int m = 0; m < B::kRotations; m += kAtOnce) {
    const CoefficientReader<F> reader(coefficients, m);
#pragma unroll
    for (int e = 0; e < kAtOnce; ++e) {
      const RowPair pair = rows_of(B::kPattern, B::kAdjoint, m + e);
      rotate_fast(x[pair.i], x[pair.j], reader.c + e * kCoefficients<F>);
    }
  }
  const real_t<F>* scales = coefficients + kCoefficients<F> * B::kRotations;
#pragma unroll
  for (int k = 0; k < B::kRows; ++k) {
    x[k].scale(scales[k]);
    x[k].store(rows[k], panel.width);
  }
}

// Applies standard rotations, each to rows in memory.
template <class F, int C>
__device__ __forceinline__ void rotate_in_memory(const Panel<F>& panel, const Step& step,
                                                 bool adjoint, int column,
                                                 const real_t<F>* coefficients) {
  for (int m = 0; m < rotations_of(step.pattern); ++m) {
    const RowPair rows = rows_of(step.pattern, adjoint, m);
    real_t<F>* const at_x = panel.row(panel_row(step, rows.i)) + column;
    real_t<F>* const at_y = panel.row(panel_row(step, rows.j)) + column;
    Columns<F, C> x = Columns<F, C>::load(at_x, panel.width);
    Columns<F, C> y = Columns<F, C>::load(at_y, panel.width);
    rotate_standard(x, y, coefficients + kCoefficients<F> * m);
    x.store(at_x, panel.width);
    y.store(at_y, panel.width);
  }
}

// The row scales of a block follow its coefficients. They are zero if its rotations are standard
// ones.
template <class F>
__device__ __forceinline__ const real_t<F>* first_scale(const Step& step,
                                                        const real_t<F>* coefficients) {
  return coefficients + kCoefficients<F> * rotations_of(step.pattern);
}

// Whether the coefficients of a step are for standard rotations.
template <class F>
__device__ __forceinline__ bool is_standard(const Step& step, const real_t<F>* coefficients) {
  return step.pattern == Pattern::pairs || *first_scale<F>(step, coefficients) == real_t<F>(0);
}

template <class F, int C>
__device__ __forceinline__ void rotate_step(const Panel<F>& panel, const Step& step, bool standard,
                                            bool adjoint, int column,
                                            const real_t<F>* coefficients) {
  if (standard) {
    rotate_in_memory<F, C>(panel, step, adjoint, column, coefficients);
    return;
  }
  with_block(step, adjoint, [&](auto block) {
    rotate_in_registers<decltype(block), F, C>(panel, step, column, coefficients);
  });
}

}  // namespace givens::cuda
