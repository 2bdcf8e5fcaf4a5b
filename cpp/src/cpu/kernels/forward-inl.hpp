// The steps of a plan on a panel. Compiled for each instruction set; see engine_headers.hpp.
//
// A panel holds the slots' rows one after the other, `row` reals apart. The functions here turn the
// first `width` reals of each row, a multiple of kSegment.
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
// one; see Block.
struct Turn {
  int i;
  int j;
  bool high;
  int entry;
};

// The rotations of a block: it has kHalf rows of group a and kHalf of group b, in this order.

// Of B x B of a tile.
template <Pattern P, int B>
struct TileTurns {
  static constexpr int kHalf = B;
  static constexpr int kCount = B * B;
  static constexpr Turn at(int m) {
    const TileIndex index = tile_order<B>(P)[static_cast<std::size_t>(m)];
    const RowPair rows = tile_rows<B>(P, index);
    const EntryPlace place = entry_place<B>(P, index.k, index.l);
    return {rows.i, rows.j, place.row >= B, 8 * (place.row % B) + place.lane};
  }
};

// Of a whole leaf.
struct LeafTurns {
  static constexpr int kHalf = kGroup / 2;
  static constexpr int kCount = kLeafEntries;
  static constexpr Turn at(int m) {
    const RowPair rows = leaf_order()[static_cast<std::size_t>(m)];
    return {rows.i, rows.j, false, m};
  }
};

// Of a leaf in parts: rounds 1, 2, 3 within its first half, or with all entries 2 later its second
// ...
struct HalfLeafTurns {
  static constexpr int kHalf = kGroup / 4;
  static constexpr int kCount = 6;
  static constexpr Turn at(int m) {
    const int entry = m / 2 * 4 + m % 2;
    const RowPair rows = leaf_order()[static_cast<std::size_t>(entry)];
    return {rows.i, rows.j, false, entry};
  }
};

// ... and B x B of rounds 4 .. 7, a tile of 4 x 4 between the halves.
template <int B>
struct LeafTileTurns {
  static constexpr int kHalf = B;
  static constexpr int kCount = B * B;
  static constexpr Turn at(int m) {
    const TileIndex index = tile_order<B>(Pattern::xor_tile)[static_cast<std::size_t>(m)];
    return {index.k, B + index.l, false, 4 * (index.k ^ index.l) + index.k};
  }
};

// The first entry of block (K, L) of that tile.
template <int B>
constexpr int leaf_tile_entry(TileIndex block) {
  return 12 + B * (4 * (block.k ^ block.l) + block.k);
}

// Calls visit(K, L) for the B x B blocks of that tile in the order of doing, or of undoing.
template <int B, bool Undo, class Visit>
void for_each_leaf_block(Visit&& visit) {
  static constexpr auto kOrder = tile_order<4 / B>(Pattern::xor_tile);
  for (std::size_t m = 0; m < kOrder.size(); ++m) {
    visit(kOrder[Undo ? kOrder.size() - 1 - m : m]);
  }
}

// Rows of each group in registers at once: they fill half of the registers.
template <class F>
inline constexpr int kForwardBlock = GIVENS_VECTOR_REGISTERS / (4 * static_cast<int>(kParts<F>));

// Multiplies the H rows in registers from x on by factors[0 .. H - 1].
template <int H, class F>
[[gnu::always_inline]] inline void scale_rows(Segment<F>* x, const real_t<F>* factors) {
  unrolled<H>([&](auto k) __attribute__((always_inline)) { x[k].scale(factors[k]); });
}

// --- Forward ---

// `a` and `b` point at the block's rows, `low` and `high` at the coefficients of its first low and
// high entry, `scales_a` and `scales_b` at the factors that its rows are multiplied by first, or
// are null.
template <class F, class Turns, bool Undo>
[[gnu::noinline]] void run_block(real_t<F>* a, real_t<F>* b, std::int64_t row, std::int64_t width,
                                 const real_t<F>* low, const real_t<F>* high,
                                 const real_t<F>* scales_a, const real_t<F>* scales_b) {
  constexpr int H = Turns::kHalf;
  for (std::int64_t w = 0; w < width; w += kSegment<F>) {
    // Keeps the coefficients where they are: hoisted out of this loop they would be spilled.
    asm volatile("" ::: "memory");
    Segment<F> x[2 * H];
    unrolled<H>([&](auto k) __attribute__((always_inline)) {
      x[k] = Segment<F>::load_from(a + k * row + w);
      x[H + k] = Segment<F>::load_from(b + k * row + w);
    });
    if (scales_a) scale_rows<H, F>(x, scales_a);
    if (scales_b) scale_rows<H, F>(x + H, scales_b);
    unrolled<Turns::kCount>([&](auto m) __attribute__((always_inline)) {
      constexpr Turn turn = Turns::at(Undo ? Turns::kCount - 1 - m.value : m.value);
      rotate_segments(x[turn.i], x[turn.j],
                      (turn.high ? high : low) + kCoefficients<F> * turn.entry);
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
template <class F, Pattern P, bool Undo>
void tile(real_t<F>* a, real_t<F>* b, std::int64_t row, std::int64_t width,
          const real_t<F>* coefficients, const real_t<F>* scales) {
  constexpr int B = kForwardBlock<F>;
  static constexpr auto kBlocks = tile_blocks<B, Undo>(P);
  for (const Block& block : kBlocks) {
    run_block<F, TileTurns<P, B>, Undo>(
        a + block.rows.i * row, b + block.rows.j * row, row, width,
        coefficients + kCoefficients<F> * block.low, coefficients + kCoefficients<F> * block.high,
        scales && block.new_a ? scales + block.rows.i : nullptr,
        scales && block.new_b ? scales + kGroup + block.rows.j : nullptr);
  }
}

// The 28 rotations within a group. `scales` is null or has 8 factors.
template <class F, bool Undo>
void leaf(real_t<F>* rows, std::int64_t row, std::int64_t width, const real_t<F>* coefficients,
          const real_t<F>* scales) {
  using R = real_t<F>;
  R* const middle = rows + kGroup / 2 * row;
  if constexpr (kGroup * kParts<F> <= GIVENS_VECTOR_REGISTERS / 2) {
    run_block<F, LeafTurns, Undo>(rows, middle, row, width, coefficients, nullptr, scales,
                                  scales ? scales + kGroup / 2 : nullptr);
  } else {
    if (scales) multiply_rows(rows, row, width, scales, kGroup);
    const auto block = [&](auto turns, R* a, R* b, int entry) {
      run_block<F, decltype(turns), Undo>(a, b, row, width, coefficients + kCoefficients<F> * entry,
                                          nullptr, nullptr, nullptr);
    };
    const auto halves = [&] {
      block(HalfLeafTurns{}, rows, rows + 2 * row, 0);
      block(HalfLeafTurns{}, middle, middle + 2 * row, 2);
    };
    if constexpr (!Undo) halves();
    constexpr int B = kForwardBlock<F>;
    for_each_leaf_block<B, Undo>([&](TileIndex at) {
      block(LeafTileTurns<B>{}, rows + B * at.k * row, middle + B * at.l * row,
            leaf_tile_entry<B>(at));
    });
    if constexpr (Undo) halves();
  }
}

// Calls body(first, last) for the reals of a row of which `turned` has the parts, or for all
// without InParts. Small matrices notice the loop over parts.
template <bool InParts, class Body>
[[gnu::always_inline]] inline void for_each_turned_run([[maybe_unused]] const Parts* turned,
                                                       std::int64_t width, Body&& body) {
  if constexpr (InParts) {
    for_each_run(*turned, width, body);
  } else {
    body(std::int64_t{0}, width);
  }
}

// Rotations of disjoint pairs of rows. `scales` is null, or has the factors of the rows of each;
// `turned`, with InParts, has the parts of the panel that each turns.
template <class F, bool InParts>
[[gnu::noinline]] void rotate_pairs(const SlotPair* pairs, std::int32_t count, real_t<F>* panel,
                                    std::int64_t row, std::int64_t width,
                                    const real_t<F>* coefficients, const real_t<F>* scales,
                                    const Parts* turned) {
  if (scales) {
    for (std::int32_t e = 0; e < count; ++e) {
      multiply_rows(panel + pairs[e].i * row, row, width, scales + 2 * e, 1);
      multiply_rows(panel + pairs[e].j * row, row, width, scales + 2 * e + 1, 1);
    }
  }
  for (std::int32_t e = 0; e < count; ++e) {
    real_t<F>* const row_i = panel + pairs[e].i * row;
    real_t<F>* const row_j = panel + pairs[e].j * row;
    for_each_turned_run<InParts>(InParts ? turned + e : nullptr, width,
                                 [&](std::int64_t from, std::int64_t to) {
                                   for (std::int64_t w = from; w < to; w += kSegment<F>) {
                                     Segment<F> x = Segment<F>::load_from(row_i + w);
                                     Segment<F> y = Segment<F>::load_from(row_j + w);
                                     rotate_segments(x, y, coefficients + kCoefficients<F> * e);
                                     x.store_to(row_i + w);
                                     y.store_to(row_j + w);
                                   }
                                 });
  }
}

// The rotations of a plain step, one after the other.
template <class F, bool Undo>
void rotate_rows_plainly(const Plan& plan, const Step& step, const real_t<F>* rotation,
                         real_t<F>* panel, std::int64_t row, std::int64_t width) {
  for_each_entry<Undo>(plan, step, [&](std::int32_t i, std::int32_t j, int e) {
    if (source_of(plan, step, e) < 0) return;
    real_t<F>* const row_i = panel + i * row;
    real_t<F>* const row_j = panel + j * row;
    for (std::int64_t w = 0; w < width; w += kSegment<F>) {
      Segment<F> x = Segment<F>::load_from(row_i + w);
      Segment<F> y = Segment<F>::load_from(row_j + w);
      rotate_plainly(x, y, rotation);
      x.store_to(row_i + w);
      y.store_to(row_j + w);
    }
    rotation += 1 + kCoefficients<F>;
  });
}

// Runs one step on a panel. `turned`, which only a step of pairs may have, says which parts of the
// panel each pair turns, null: all; it may turn others too, in which its rows are zero.
template <class F, bool Undo>
void run_step(const Plan& plan, const Program<F>& program, std::int64_t index, real_t<F>* panel,
              std::int64_t row, std::int64_t width, const Parts* turned = nullptr) {
  using R = real_t<F>;
  const auto k = static_cast<std::size_t>(index);
  const Step& step = plan.steps[k];
  if (program.modes[k] == Mode::plain) {
    rotate_rows_plainly<F, Undo>(plan, step, program.extra[k].get(), panel, row, width);
    return;
  }
  const bool normalised = program.modes[k] == Mode::normalised;
  const R* coefficients = program.coefficients_of(step);
  if (step.pattern == Pattern::pairs) {
    const auto rotate = turned ? rotate_pairs<F, true> : rotate_pairs<F, false>;
    rotate(plan.pair_slots.data() + step.a, step.count, panel, row, width, coefficients,
           normalised ? program.extra[k].get() : nullptr, turned);
    return;
  }
  const R* scales = normalised ? program.scales_of(step) : nullptr;
  R* a = panel + step.a * row;
  R* b = panel + step.b * row;
  switch (step.pattern) {
    case Pattern::xor_tile:
      tile<F, Pattern::xor_tile, Undo>(a, b, row, width, coefficients, scales);
      break;
    case Pattern::sum_tile:
      tile<F, Pattern::sum_tile, Undo>(a, b, row, width, coefficients, scales);
      break;
    case Pattern::difference_tile:
      tile<F, Pattern::difference_tile, Undo>(a, b, row, width, coefficients, scales);
      break;
    case Pattern::diamond_tile:
      tile<F, Pattern::diamond_tile, Undo>(a, b, row, width, coefficients, scales);
      break;
    case Pattern::xor_leaf:
      leaf<F, Undo>(a, row, width, coefficients, scales);
      break;
    case Pattern::pairs:
      break;
  }
}

}  // namespace givens::cpu::GIVENS_ISA

#endif
