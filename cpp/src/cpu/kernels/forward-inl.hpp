// The steps of a plan on a panel. Compiled for each instruction set; see engine_headers.hpp.
//
// A panel holds the slots' rows one after the other, `row` reals apart. The functions here turn the
// first `width` reals of each row, a multiple of kPackReals.
#if defined(GIVENS_CPU_KERNELS_FORWARD_INL_HPP) == defined(GIVENS_TARGET_TOGGLE)
#ifdef GIVENS_CPU_KERNELS_FORWARD_INL_HPP
#undef GIVENS_CPU_KERNELS_FORWARD_INL_HPP
#else
#define GIVENS_CPU_KERNELS_FORWARD_INL_HPP
#endif

#include "cpu/coefficients/coefficients-inl.hpp"
#include "cpu/simd/vector_pack-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

// --- Blocks: rotations of rows that are all in registers ---

// A rotation of rows i and j of a block, and its entry, counted from the block's first low or high
// one; see RegisterBlock.
struct BlockRotation {
  int i;
  int j;
  bool high;
  int index;
};

// The rotations of a block: it has kHalf rows of group a and kHalf of group b, in this order.

// Of B x B of a tile.
template <Pattern P, int B>
struct RotationBlock {
  static constexpr int kHalf = B;
  static constexpr int kCount = B * B;
  static constexpr BlockRotation at(int m) {
    const BlockIndex index = block_order<B>(P)[static_cast<std::size_t>(m)];
    const RowPair rows = rows_of_rotation<B>(P, index);
    const LanePosition place = lane_position<B>(P, index.k, index.l);
    return {rows.i, rows.j, place.row >= B, 8 * (place.row % B) + place.lane};
  }
};

// Of a whole leaf.
struct DiagonalBlock {
  static constexpr int kHalf = kRowBlock / 2;
  static constexpr int kCount = kDiagonalBlockRotations;
  static constexpr BlockRotation at(int m) {
    const RowPair rows = diagonal_block_order()[static_cast<std::size_t>(m)];
    return {rows.i, rows.j, false, m};
  }
};

// Of a leaf in parts: rounds 1, 2, 3 within its first half, or with all entries 2 later its second
// ...
struct HalfDiagonalBlock {
  static constexpr int kHalf = kRowBlock / 4;
  static constexpr int kCount = 6;
  static constexpr BlockRotation at(int m) {
    const int index = m / 2 * 4 + m % 2;
    const RowPair rows = diagonal_block_order()[static_cast<std::size_t>(index)];
    return {rows.i, rows.j, false, index};
  }
};

// ... and B x B of rounds 4 .. 7, a tile of 4 x 4 between the halves.
template <int B>
struct InnerBlock {
  static constexpr int kHalf = B;
  static constexpr int kCount = B * B;
  static constexpr BlockRotation at(int m) {
    const BlockIndex index = block_order<B>(Pattern::xor_block)[static_cast<std::size_t>(m)];
    return {index.k, B + index.l, false, 4 * (index.k ^ index.l) + index.k};
  }
};

// The first entry of block (K, L) of that tile.
template <int B>
constexpr int inner_block_index(BlockIndex block) {
  return 12 + B * (4 * (block.k ^ block.l) + block.k);
}

// Calls visit(K, L) for the B x B blocks of that tile in the order of doing, or of undoing.
template <int B, bool Adjoint, class Visit>
void for_each_inner_block(Visit&& visit) {
  static constexpr auto kOrder = block_order<4 / B>(Pattern::xor_block);
  for (std::size_t m = 0; m < kOrder.size(); ++m) {
    visit(kOrder[Adjoint ? kOrder.size() - 1 - m : m]);
  }
}

// Rows of each group in registers at once: they fill half of the registers.
template <class F>
inline constexpr int kForwardBlock = GIVENS_VECTOR_REGISTERS / (4 * static_cast<int>(kReals<F>));

// Multiplies the H rows in registers from x on by factors[0 .. H - 1].
template <int H, class F>
[[gnu::always_inline]] inline void scale_rows(VectorPack<F>* x, const real_t<F>* factors) {
  unrolled<H>([&](auto k) __attribute__((always_inline)) { x[k].scale(factors[k]); });
}

// --- Forward ---

// `a` and `b` point at the block's rows, `low` and `high` at the coefficients of its first low and
// high entry, `scales_a` and `scales_b` at the factors that its rows are multiplied by first, or
// are null.
template <class F, class Block, bool Adjoint>
[[gnu::noinline]] void run_block(real_t<F>* a, real_t<F>* b, std::int64_t row, std::int64_t width,
                                 const real_t<F>* low, const real_t<F>* high,
                                 const real_t<F>* scales_a, const real_t<F>* scales_b) {
  constexpr int H = Block::kHalf;
  for (std::int64_t w = 0; w < width; w += kPackReals<F>) {
    // Keeps the coefficients where they are: hoisted out of this loop they would be spilled.
    asm volatile("" ::: "memory");
    VectorPack<F> x[2 * H];
    unrolled<H>([&](auto k) __attribute__((always_inline)) {
      x[k] = VectorPack<F>::load_from(a + k * row + w);
      x[H + k] = VectorPack<F>::load_from(b + k * row + w);
    });
    if (scales_a) scale_rows<H, F>(x, scales_a);
    if (scales_b) scale_rows<H, F>(x + H, scales_b);
    unrolled<Block::kCount>([&](auto m) __attribute__((always_inline)) {
      constexpr BlockRotation turn = Block::at(Adjoint ? Block::kCount - 1 - m.value : m.value);
      rotate_packs(x[turn.i], x[turn.j], (turn.high ? high : low) + kCoefficients<F> * turn.index);
    });
    unrolled<H>([&](auto k) __attribute__((always_inline)) {
      x[k].store_to(a + k * row + w);
      x[H + k].store_to(b + k * row + w);
    });
  }
}

template <class R>
void multiply_rows(R* rows, std::int64_t row, std::int64_t width, const R* factors, int count) {
  for (int k = 0; k < count; ++k) {
    for (std::int64_t w = 0; w < width; w += kLanes<R>) {
      store(rows + k * row + w, load(rows + k * row + w) * factors[k]);
    }
  }
}

// `scales` is null, or has the 16 factors that the rows are multiplied by first.
template <class F, Pattern P, bool Adjoint>
void rotation_block(real_t<F>* a, real_t<F>* b, std::int64_t row, std::int64_t width,
                    const real_t<F>* coefficients, const real_t<F>* scales) {
  constexpr int B = kForwardBlock<F>;
  static constexpr auto kBlocks = register_blocks<B, Adjoint>(P);
  for (const RegisterBlock& block : kBlocks) {
    run_block<F, RotationBlock<P, B>, Adjoint>(
        a + block.rows.i * row, b + block.rows.j * row, row, width,
        coefficients + kCoefficients<F> * block.low, coefficients + kCoefficients<F> * block.high,
        scales && block.new_a ? scales + block.rows.i : nullptr,
        scales && block.new_b ? scales + kRowBlock + block.rows.j : nullptr);
  }
}

// The 28 rotations within a group. `scales` is null or has 8 factors.
template <class F, bool Adjoint>
void diagonal_block(real_t<F>* rows, std::int64_t row, std::int64_t width,
                    const real_t<F>* coefficients, const real_t<F>* scales) {
  using R = real_t<F>;
  R* const middle = rows + kRowBlock / 2 * row;
  if constexpr (kRowBlock * kReals<F> <= GIVENS_VECTOR_REGISTERS / 2) {
    run_block<F, DiagonalBlock, Adjoint>(rows, middle, row, width, coefficients, nullptr, scales,
                                         scales ? scales + kRowBlock / 2 : nullptr);
  } else {
    if (scales) multiply_rows(rows, row, width, scales, kRowBlock);
    const auto block = [&](auto turns, R* a, R* b, int index) {
      run_block<F, decltype(turns), Adjoint>(
          a, b, row, width, coefficients + kCoefficients<F> * index, nullptr, nullptr, nullptr);
    };
    const auto halves = [&] {
      block(HalfDiagonalBlock{}, rows, rows + 2 * row, 0);
      block(HalfDiagonalBlock{}, middle, middle + 2 * row, 2);
    };
    if constexpr (!Adjoint) halves();
    constexpr int B = kForwardBlock<F>;
    for_each_inner_block<B, Adjoint>([&](BlockIndex at) {
      block(InnerBlock<B>{}, rows + B * at.k * row, middle + B * at.l * row,
            inner_block_index<B>(at));
    });
    if constexpr (Adjoint) halves();
  }
}

// Calls body(first, last) for the reals of a row of which `turned` has the parts, or for all
// without Masked. Small matrices notice the loop over parts.
template <bool Masked, class Body>
[[gnu::always_inline]] inline void for_each_rotated_run([[maybe_unused]] const ColumnMask* rotated,
                                                        std::int64_t width, Body&& body) {
  if constexpr (Masked) {
    for_each_run(*rotated, width, body);
  } else {
    body(std::int64_t{0}, width);
  }
}

// Rotations of disjoint pairs of rows. `scales` is null, or has the factors of the rows of each;
// `turned`, with Masked, has the parts of the panel that each turns.
template <class F, bool Masked>
[[gnu::noinline]] void rotate_pairs(const RowPair* pairs, std::int32_t count, real_t<F>* panel,
                                    std::int64_t row, std::int64_t width,
                                    const real_t<F>* coefficients, const real_t<F>* scales,
                                    const ColumnMask* rotated) {
  if (scales) {
    for (std::int32_t e = 0; e < count; ++e) {
      multiply_rows(panel + pairs[e].i * row, row, width, scales + 2 * e, 1);
      multiply_rows(panel + pairs[e].j * row, row, width, scales + 2 * e + 1, 1);
    }
  }
  for (std::int32_t e = 0; e < count; ++e) {
    real_t<F>* const row_i = panel + pairs[e].i * row;
    real_t<F>* const row_j = panel + pairs[e].j * row;
    for_each_rotated_run<Masked>(Masked ? rotated + e : nullptr, width,
                                 [&](std::int64_t from, std::int64_t to) {
                                   for (std::int64_t w = from; w < to; w += kPackReals<F>) {
                                     VectorPack<F> x = VectorPack<F>::load_from(row_i + w);
                                     VectorPack<F> y = VectorPack<F>::load_from(row_j + w);
                                     rotate_packs(x, y, coefficients + kCoefficients<F> * e);
                                     x.store_to(row_i + w);
                                     y.store_to(row_j + w);
                                   }
                                 });
  }
}

// The rotations of a plain step, one after the other.
template <class F, bool Adjoint>
void rotate_rows_standard(const Plan& plan, const Step& step, const real_t<F>* rotation,
                          real_t<F>* panel, std::int64_t row, std::int64_t width) {
  for_each_rotation<Adjoint>(plan, step, [&](std::int32_t i, std::int32_t j, int e) {
    if (angle_of(plan, step, e) < 0) return;
    real_t<F>* const row_i = panel + i * row;
    real_t<F>* const row_j = panel + j * row;
    for (std::int64_t w = 0; w < width; w += kPackReals<F>) {
      VectorPack<F> x = VectorPack<F>::load_from(row_i + w);
      VectorPack<F> y = VectorPack<F>::load_from(row_j + w);
      rotate_standard(x, y, rotation);
      x.store_to(row_i + w);
      y.store_to(row_j + w);
    }
    rotation += 1 + kCoefficients<F>;
  });
}

// Runs one step on a panel. `turned`, which only a step of pairs may have, says which parts of the
// panel each pair turns, null: all; it may turn others too, in which its rows are zero.
template <class F, bool Adjoint>
void run_step(const Plan& plan, const Coefficients<F>& coefficients, std::int64_t index,
              real_t<F>* panel, std::int64_t row, std::int64_t width,
              const ColumnMask* rotated = nullptr) {
  using R = real_t<F>;
  const auto k = static_cast<std::size_t>(index);
  const Step& step = plan.steps[k];
  if (coefficients.modes[k] == Mode::standard) {
    rotate_rows_standard<F, Adjoint>(plan, step, coefficients.extra[k].get(), panel, row, width);
    return;
  }
  const bool rescaled = coefficients.modes[k] == Mode::rescaled;
  const R* values = coefficients.of(step);
  if (step.pattern == Pattern::pairs) {
    const auto rotate = rotated ? rotate_pairs<F, true> : rotate_pairs<F, false>;
    rotate(plan.row_pairs.data() + step.a, step.count, panel, row, width, values,
           rescaled ? coefficients.extra[k].get() : nullptr, rotated);
    return;
  }
  const R* scales = rescaled ? coefficients.scales_of(step) : nullptr;
  R* a = panel + step.a * row;
  R* b = panel + step.b * row;
  switch (step.pattern) {
    case Pattern::xor_block:
      rotation_block<F, Pattern::xor_block, Adjoint>(a, b, row, width, values, scales);
      break;
    case Pattern::sum_block:
      rotation_block<F, Pattern::sum_block, Adjoint>(a, b, row, width, values, scales);
      break;
    case Pattern::diamond_block:
      rotation_block<F, Pattern::diamond_block, Adjoint>(a, b, row, width, values, scales);
      break;
    case Pattern::diagonal_block:
      diagonal_block<F, Adjoint>(a, row, width, values, scales);
      break;
    case Pattern::pairs:
      break;
  }
}

}  // namespace givens::cpu::GIVENS_ISA

#endif
