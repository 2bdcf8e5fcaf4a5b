// The steps of a plan on panels: forward on the panel of `rotate` and `matrix`, or backward on the
// two panels of a gradient. Compiled for each instruction set; see engine_headers.hpp.
//
// A gradient's panels y and g hold the states after the rotations and the loss's gradient there. A
// rotation of rows i and j adds the sum over columns of g_j conj(y_i) - y_j conj(g_i) to its sum,
// then both panels are rotated back (arXiv 2106.00003, section 4): by the adjoint of U's rotations,
// or for the gradient through the inverse by the rotations themselves, from the first to the last.
// Both panels have the same scales, so that the sum over true rows is the sum over stored rows
// times Coefficients::weights.
#pragma once

#include "cpu/coefficients/coefficients-inl.hpp"
#include "cpu/kernels/blocks-inl.hpp"
#include "cpu/kernels/sums-inl.hpp"
#include "cpu/simd/vector_pack-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

// What a step works on: one panel, or with Gradient the panels y and g, and the sums of the step's
// rotations, kReals each. The first `width` reals of each row are rotated, a multiple of
// kPackReals.
template <class F, bool Gradient>
struct Panels {
  using R = real_t<F>;
  static constexpr int kCount = Gradient ? 2 : 1;

  R* data[kCount];
  std::int64_t row;  // reals from a row to the next
  std::int64_t width;
  R* sums = nullptr;  // Gradient only
};

// Calls body(k) for the steps, in reverse from the last to the first.
template <class Body>
void for_each_step(Range steps, bool reverse, Body&& body) {
  for (std::int64_t m = steps.first; m < steps.last; ++m) {
    body(reverse ? steps.first + steps.last - 1 - m : m);
  }
}

// Multiplies the H rows in registers from x on by factors[0 .. H - 1].
template <int H, class F>
[[gnu::always_inline]] inline void scale_rows(VectorPack<F>* x, const real_t<F>* factors) {
  unrolled<H>([&](auto k) __attribute__((always_inline)) { x[k].scale(factors[k]); });
}

// Applies the rotations of a register block; see blocks-inl.hpp. Its first rows are a and b, `low`
// and `high` point at the coefficients of its first low and high index, and `scales_a` and
// `scales_b` at the scales that its rows are multiplied by at the end, or are null.
template <class Block, bool Adjoint, class F, bool Gradient>
[[gnu::noinline]] void run_block(const Panels<F, Gradient>& panels, real_t<F>* sums, std::int64_t a,
                                 std::int64_t b, const real_t<F>* low, const real_t<F>* high,
                                 const real_t<F>* scales_a, const real_t<F>* scales_b) {
  using R = real_t<F>;
  constexpr int H = Block::kHalf;
  constexpr int N = Block::kCount;
  constexpr int kPanels = Panels<F, Gradient>::kCount;
  const std::int64_t row = panels.row;
  const std::int64_t width = panels.width;
  R *rows_a[kPanels], *rows_b[kPanels];
  unrolled<kPanels>([&](auto p) __attribute__((always_inline)) {
    rows_a[p] = panels.data[p] + a * row;
    rows_b[p] = panels.data[p] + b * row;
  });
  VectorPack<F> total[Gradient ? N : 1];
  unrolled<Gradient ? N : 1>([&](auto m)
                                 __attribute__((always_inline)) { total[m] = VectorPack<F>{}; });
  for (std::int64_t w = 0; w < width; w += kPackReals<F>) {
    // Keeps the coefficients where they are: hoisted out of this loop they would be spilled.
    asm volatile("" ::: "memory");
    VectorPack<F> x[kPanels][2 * H];
    unrolled<kPanels>([&](auto p) __attribute__((always_inline)) {
      unrolled<H>([&](auto k) __attribute__((always_inline)) {
        x[p][k] = VectorPack<F>::load_from(rows_a[p] + k * row + w);
        x[p][H + k] = VectorPack<F>::load_from(rows_b[p] + k * row + w);
      });
    });
    unrolled<N>([&](auto m) __attribute__((always_inline)) {
      constexpr int n = Adjoint ? N - 1 - m.value : m.value;
      constexpr BlockRotation rotation = Block::at(n);
      constexpr int i = rotation.i;
      constexpr int j = rotation.j;
      const R* c = (rotation.high ? high : low) + kCoefficients<F> * rotation.index;
      if constexpr (Gradient) add_products(total[n], x[0][i], x[0][j], x[1][i], x[1][j]);
      unrolled<kPanels>([&](auto p)
                            __attribute__((always_inline)) { rotate_packs(x[p][i], x[p][j], c); });
    });
    unrolled<kPanels>([&](auto p) __attribute__((always_inline)) {
      if (scales_a) scale_rows<H, F>(x[p], scales_a);
      if (scales_b) scale_rows<H, F>(x[p] + H, scales_b);
    });
    unrolled<kPanels>([&](auto p) __attribute__((always_inline)) {
      unrolled<H>([&](auto k) __attribute__((always_inline)) {
        x[p][k].store_to(rows_a[p] + k * row + w);
        x[p][H + k].store_to(rows_b[p] + k * row + w);
      });
    });
  }
  if constexpr (Gradient) add_sums_of_packs<R, N>(total, sums);
}

template <Pattern P, bool Adjoint, class F, bool Gradient>
void run_rotation_block(const Panels<F, Gradient>& panels, const Step& step,
                        const Coefficients<F>& coefficients) {
  constexpr int B = kRegisterBlock<F, Gradient>;
  static constexpr auto kBlocks = register_blocks<B, Adjoint>(P);
  const real_t<F>* const values = coefficients.of(step);
  const real_t<F>* const scales = coefficients.scales_of(step);
  real_t<F>* sums = panels.sums;
  for (const RegisterBlock& block : kBlocks) {
    run_block<PartOfRotationBlock<P, B>, Adjoint>(
        panels, sums, step.a + block.rows.i, step.b + block.rows.j,
        values + kCoefficients<F> * block.low, values + kCoefficients<F> * block.high,
        block.last_a ? scales + block.rows.i : nullptr,
        block.last_b ? scales + kRowBlock + block.rows.j : nullptr);
    if (Gradient) sums += kReals<F> * B * B;
  }
}

template <bool Adjoint, class F, bool Gradient>
void run_diagonal_block(const Panels<F, Gradient>& panels, const Step& step,
                        const Coefficients<F>& coefficients) {
  const real_t<F>* const values = coefficients.of(step);
  const real_t<F>* const scales = coefficients.scales_of(step);
  real_t<F>* sums = panels.sums;
  const auto run = [&](auto part, int a, int b, int index, bool last) {
    run_block<decltype(part), Adjoint>(panels, sums, step.a + a, step.a + b,
                                       values + kCoefficients<F> * index, nullptr,
                                       last ? scales + a : nullptr, last ? scales + b : nullptr);
    if (Gradient) sums += kReals<F> * part.kCount;
  };
  if constexpr (!Gradient && kRowBlock * kReals<F> <= GIVENS_VECTOR_REGISTERS / 2) {
    run(WholeDiagonalBlock{}, 0, kRowBlock / 2, 0, true);
  } else {
    for_each_part_of_diagonal_block<kRegisterBlock<F, Gradient>, Adjoint>(run);
  }
}

// Calls body(first, last) for runs of reals, of `width` in a row, that are rotated: with Masked the
// columns of `rotated`, else all.
template <bool Masked, class Body>
[[gnu::always_inline]] inline void for_each_rotated_run([[maybe_unused]] const ColumnMask* rotated,
                                                        std::int64_t width, Body&& body) {
  if constexpr (Masked) {
    for_each_run(*rotated, width, body);
  } else {
    body(std::int64_t{0}, width);
  }
}

// Applies one rotation in standard form to rows i and j in memory. With Gradient it returns the
// lanes of its sum.
template <bool Masked, class F, bool Gradient>
[[gnu::always_inline]] inline VectorPack<F> rotate_rows(const Panels<F, Gradient>& panels,
                                                        std::int64_t i, std::int64_t j,
                                                        const real_t<F>* coefficients,
                                                        const ColumnMask* rotated) {
  constexpr int kPanels = Panels<F, Gradient>::kCount;
  real_t<F>*row_i[kPanels], *row_j[kPanels];
  unrolled<kPanels>([&](auto p) __attribute__((always_inline)) {
    row_i[p] = panels.data[p] + i * panels.row;
    row_j[p] = panels.data[p] + j * panels.row;
  });
  VectorPack<F> total{};
  for_each_rotated_run<Masked>(rotated, panels.width, [&](std::int64_t from, std::int64_t to) {
    for (std::int64_t w = from; w < to; w += kPackReals<F>) {
      VectorPack<F> x[kPanels], y[kPanels];
      unrolled<kPanels>([&](auto p) __attribute__((always_inline)) {
        x[p] = VectorPack<F>::load_from(row_i[p] + w);
        y[p] = VectorPack<F>::load_from(row_j[p] + w);
      });
      if constexpr (Gradient) add_products(total, x[0], y[0], x[1], y[1]);
      unrolled<kPanels>([&](auto p) __attribute__((always_inline)) {
        rotate_standard(x[p], y[p], coefficients);
        x[p].store_to(row_i[p] + w);
        y[p].store_to(row_j[p] + w);
      });
    }
  });
  return total;
}

// Rotates the rows of disjoint pairs. `rotated`, with Masked, has the columns that each rotates.
template <bool Masked, class F, bool Gradient>
[[gnu::noinline]] void rotate_pairs(const Panels<F, Gradient>& panels, const RowPair* pairs,
                                    std::int32_t count, const real_t<F>* coefficients,
                                    const ColumnMask* rotated) {
  const auto rotate_pair = [&](std::int32_t e) __attribute__((always_inline)) {
    return rotate_rows<Masked>(panels, pairs[e].i, pairs[e].j, coefficients + kCoefficients<F> * e,
                               Masked ? rotated + e : nullptr);
  };
  if constexpr (!Gradient) {
    for (std::int32_t e = 0; e < count; ++e) rotate_pair(e);
  } else {
    constexpr int kAtOnce = 8;  // pairs whose lanes are summed up together
    for (std::int32_t first = 0; first < count; first += kAtOnce) {
      VectorPack<F> total[kAtOnce] = {};
      const std::int32_t last = std::min(first + kAtOnce, count);
      for (std::int32_t e = first; e < last; ++e) total[e - first] = rotate_pair(e);
      real_t<F> found[kAtOnce * kReals<F>] = {};
      add_sums_of_packs<real_t<F>, kAtOnce>(total, found);
      for (std::int64_t k = 0; k < (last - first) * kReals<F>; ++k) {
        panels.sums[first * kReals<F> + k] += found[k];
      }
    }
  }
}

// Applies the rotations of a block in standard form, one after the other.
template <bool Adjoint, class F, bool Gradient>
void run_standard_block(const Panels<F, Gradient>& panels, const Plan& plan, const Step& step,
                        const real_t<F>* coefficients) {
  for_each_rotation<Adjoint>(plan, step, [&](std::int32_t i, std::int32_t j, int index) {
    if (angle_of(plan, step, index) < 0) return;
    [[maybe_unused]] const VectorPack<F> total =
        rotate_rows<false>(panels, i, j, coefficients + kCoefficients<F> * index, nullptr);
    if constexpr (Gradient) {
      add_sums_of_packs<real_t<F>, 1>(&total, panels.sums + kReals<F> * index);
    }
  });
}

// Runs one step. `rotated`, which only a step of pairs may have, names the columns that each pair
// rotates; null stands for all.
template <bool Adjoint, class F, bool Gradient>
void run_step(const Plan& plan, const Coefficients<F>& coefficients, std::int64_t index,
              const Panels<F, Gradient>& panels, const ColumnMask* rotated = nullptr) {
  const auto k = static_cast<std::size_t>(index);
  const Step& step = plan.steps[k];
  if (step.pattern == Pattern::pairs) {
    const auto rotate =
        rotated ? rotate_pairs<true, F, Gradient> : rotate_pairs<false, F, Gradient>;
    return rotate(panels, plan.row_pairs.data() + step.a, step.count, coefficients.of(step),
                  rotated);
  }
  if (coefficients.modes[k] == Mode::standard) {
    return run_standard_block<Adjoint>(panels, plan, step, coefficients.of(step));
  }
  switch (step.pattern) {
    case Pattern::xor_block:
      return run_rotation_block<Pattern::xor_block, Adjoint>(panels, step, coefficients);
    case Pattern::sum_block:
      return run_rotation_block<Pattern::sum_block, Adjoint>(panels, step, coefficients);
    case Pattern::diamond_block:
      return run_rotation_block<Pattern::diamond_block, Adjoint>(panels, step, coefficients);
    case Pattern::diagonal_block:
      return run_diagonal_block<Adjoint>(panels, step, coefficients);
    case Pattern::pairs:
      return;
  }
}

}  // namespace givens::cpu::GIVENS_ISA
