// The steps of a plan on a panel. Compiled for each instruction set; see simd.hpp.
//
// A panel holds the slots' rows one after the other, `row` reals apart. The functions here turn the
// first `width` reals of each row, a multiple of kSegment.

namespace givens::cpu::GIVENS_ISA {

// --- Blocks: rotations of rows that are all in registers ---

// A rotation of rows i and j of a block, and its entry.
struct Turn {
  int i;
  int j;
  int entry;
};

// A block has kHalf rows of group a and kHalf of group b, in this order, and kTurns rotations.

// Block (K, L) of B x B rotations of a tile.
template <Pattern P, int B, int K, int L>
struct TileBlock {
  static constexpr int kHalf = B;
  static constexpr int kTurns = B * B;
  static constexpr Turn turn(int m) {
    const TileIndex at = tile_order<B>(P)[static_cast<std::size_t>(m)];
    const RowPair rows = tile_rows<B>(P, at);
    return {rows.i, rows.j, tile_entry(P, B * K + at.k, B * L + at.l)};
  }
};

// A whole leaf.
struct LeafBlock {
  static constexpr int kHalf = kGroup / 2;
  static constexpr int kTurns = kLeafEntries;
  static constexpr Turn turn(int m) {
    const RowPair rows = leaf_order()[static_cast<std::size_t>(m)];
    return {rows.i, rows.j, m};
  }
};

// A leaf in parts: rounds 1, 2, 3 within each of its halves ...
template <int Half>
struct HalfLeafBlock {
  static constexpr int kHalf = kGroup / 4;
  static constexpr int kTurns = 6;
  static constexpr Turn turn(int m) {
    const int entry = m / 2 * 4 + 2 * Half + m % 2;
    const RowPair rows = leaf_order()[static_cast<std::size_t>(entry)];
    return {rows.i - 4 * Half, rows.j - 4 * Half, entry};
  }
};

// ... and rounds 4 .. 7, a tile of 4 x 4 between them, in blocks.
template <int B, int K, int L>
struct LeafTileBlock {
  static constexpr int kHalf = B;
  static constexpr int kTurns = B * B;
  static constexpr Turn turn(int m) {
    const TileIndex at = tile_order<B>(Pattern::xor_tile)[static_cast<std::size_t>(m)];
    const int k = B * K + at.k;
    const int l = B * L + at.l;
    return {at.k, B + at.l, 12 + 4 * (k ^ l) + k};
  }
};

// Calls visit(block number, K, L), integral constants, for the Blocks x Blocks blocks of a tile in
// the order of doing, or of undoing.
template <Pattern P, int Blocks, bool Undo, class Visit>
[[gnu::always_inline]] inline void for_each_block(Visit&& visit) {
  unrolled<Blocks * Blocks>([&](auto m) __attribute__((always_inline)) {
    constexpr int q = Undo ? Blocks * Blocks - 1 - m.value : m.value;
    constexpr TileIndex at = tile_order<Blocks>(P)[static_cast<std::size_t>(q)];
    visit(std::integral_constant<int, q>{}, std::integral_constant<int, at.k>{},
          std::integral_constant<int, at.l>{});
  });
}

// --- Forward ---

// Rows of each group in registers at once: they fill half of the registers.
template <class F>
inline constexpr int kForwardBlock = GIVENS_VECTOR_REGISTERS / (4 * static_cast<int>(kParts<F>));

// `a` and `b` point at the block's rows; `scales`, with Scale, at the factors of the rows.
template <class F, class Block, bool Undo, bool Scale>
[[gnu::always_inline]] inline void run_block(real_t<F>* a, real_t<F>* b, std::int64_t row,
                                             std::int64_t width, const real_t<F>* coefficients,
                                             const real_t<F>* scales_a, const real_t<F>* scales_b) {
  constexpr int H = Block::kHalf;
  for (std::int64_t w = 0; w < width; w += kSegment<F>) {
    // Keeps the coefficients where they are: hoisted out of this loop they would be spilled.
    asm volatile("" ::: "memory");
    Segment<F> x[2 * H];
    unrolled<H>([&](auto k) __attribute__((always_inline)) {
      x[k] = Segment<F>::load_from(a + k * row + w);
      x[H + k] = Segment<F>::load_from(b + k * row + w);
      if constexpr (Scale) {
        x[k].scale(scales_a[k]);
        x[H + k].scale(scales_b[k]);
      }
    });
    unrolled<Block::kTurns>([&](auto m) __attribute__((always_inline)) {
      constexpr Turn turn = Block::turn(Undo ? Block::kTurns - 1 - m.value : m.value);
      rotate_segments(x[turn.i], x[turn.j], coefficients + kCoefficients<F> * turn.entry);
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
[[gnu::noinline]] void tile(real_t<F>* a, real_t<F>* b, std::int64_t row, std::int64_t width,
                            const real_t<F>* coefficients, const real_t<F>* scales) {
  constexpr int B = kForwardBlock<F>;
  if constexpr (B == kGroup) {
    using Block = TileBlock<P, B, 0, 0>;
    if (scales) {
      run_block<F, Block, Undo, true>(a, b, row, width, coefficients, scales, scales + kGroup);
    } else {
      run_block<F, Block, Undo, false>(a, b, row, width, coefficients, nullptr, nullptr);
    }
  } else {
    if (scales) {
      multiply_rows(a, row, width, scales, kGroup);
      multiply_rows(b, row, width, scales + kGroup, kGroup);
    }
    for_each_block<P, kGroup / B, Undo>([&](auto, auto k, auto l) __attribute__((always_inline)) {
      constexpr RowPair rows = block_rows<B>(P, {k.value, l.value});
      run_block<F, TileBlock<P, B, k.value, l.value>, Undo, false>(
          a + rows.i * row, b + rows.j * row, row, width, coefficients, nullptr, nullptr);
    });
  }
}

// The 28 rotations within a group. `scales` is null or has 8 factors.
template <class F, bool Undo>
[[gnu::noinline]] void leaf(real_t<F>* rows, std::int64_t row, std::int64_t width,
                            const real_t<F>* coefficients, const real_t<F>* scales) {
  using R = real_t<F>;
  R* const middle = rows + kGroup / 2 * row;
  if constexpr (kGroup * kParts<F> <= GIVENS_VECTOR_REGISTERS / 2) {
    if (scales) {
      run_block<F, LeafBlock, Undo, true>(rows, middle, row, width, coefficients, scales,
                                          scales + kGroup / 2);
    } else {
      run_block<F, LeafBlock, Undo, false>(rows, middle, row, width, coefficients, nullptr,
                                           nullptr);
    }
  } else {
    if (scales) multiply_rows(rows, row, width, scales, kGroup);
    const auto halves = [&]() __attribute__((always_inline)) {
      run_block<F, HalfLeafBlock<0>, Undo, false>(rows, rows + 2 * row, row, width, coefficients,
                                                  nullptr, nullptr);
      run_block<F, HalfLeafBlock<1>, Undo, false>(middle, middle + 2 * row, row, width,
                                                  coefficients, nullptr, nullptr);
    };
    if constexpr (!Undo) halves();
    constexpr int B = kForwardBlock<F>;
    for_each_block<Pattern::xor_tile, 4 / B, Undo>(
        [&](auto, auto k, auto l) __attribute__((always_inline)) {
          run_block<F, LeafTileBlock<B, k.value, l.value>, Undo, false>(
              rows + B * k * row, middle + B * l * row, row, width, coefficients, nullptr, nullptr);
        });
    if constexpr (Undo) halves();
  }
}

// Rotations of disjoint pairs of rows. `scales` is null, or has the factors of the rows of each.
template <class F>
[[gnu::noinline]] void rotate_pairs(const SlotPair* pairs, std::int32_t count, real_t<F>* panel,
                                    std::int64_t row, std::int64_t width,
                                    const real_t<F>* coefficients, const real_t<F>* scales) {
  if (scales) {
    for (std::int32_t e = 0; e < count; ++e) {
      multiply_rows(panel + pairs[e].i * row, row, width, scales + 2 * e, 1);
      multiply_rows(panel + pairs[e].j * row, row, width, scales + 2 * e + 1, 1);
    }
  }
  for (std::int32_t e = 0; e < count; ++e) {
    real_t<F>* const row_i = panel + pairs[e].i * row;
    real_t<F>* const row_j = panel + pairs[e].j * row;
    for (std::int64_t w = 0; w < width; w += kSegment<F>) {
      Segment<F> x = Segment<F>::load_from(row_i + w);
      Segment<F> y = Segment<F>::load_from(row_j + w);
      rotate_segments(x, y, coefficients + kCoefficients<F> * e);
      x.store_to(row_i + w);
      y.store_to(row_j + w);
    }
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

// Runs one step on a panel.
template <class F, bool Undo>
void run_step(const Plan& plan, const Program<F>& program, std::int64_t index, real_t<F>* panel,
              std::int64_t row, std::int64_t width) {
  using R = real_t<F>;
  const auto k = static_cast<std::size_t>(index);
  const Step& step = plan.steps[k];
  if (program.modes[k] == Mode::plain) {
    rotate_rows_plainly<F, Undo>(plan, step, program.extra[k].get(), panel, row, width);
    return;
  }
  const bool normalised = program.modes[k] == Mode::normalised;
  const R* coefficients = program.coefficients.data() + kCoefficients<F> * step.entry;
  if (step.pattern == Pattern::pairs) {
    rotate_pairs<F>(plan.pair_slots.data() + step.a, step.count, panel, row, width, coefficients,
                    normalised ? program.extra[k].get() : nullptr);
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
