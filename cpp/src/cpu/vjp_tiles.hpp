// The steps of a plan on the two panels of a gradient. Compiled for each instruction set; see
// simd.hpp.
//
// Panels y and g hold the states after the rotations and the loss's gradient there. A rotation of
// rows i and j adds the sum over columns of g_j conj(y_i) - y_j conj(g_i) to its place in `sums`,
// then both panels are rotated back (arXiv 2106.00003, section 4). Both have the same scales, so
// that the sum over true rows is that over stored rows times Program::weights.
//
// The sums of a step are kParts each, in the order in which they are found: see place_of_entry.

namespace givens::cpu::GIVENS_ISA {

// Rows of each group and panel in registers at once: with their sums they fill the registers.
template <class F>
inline constexpr int kReverseBlock = GIVENS_VECTOR_REGISTERS / (8 * static_cast<int>(kParts<F>));

// --- Where the sums are ---

template <class Block>
constexpr void place_block(std::int8_t* places, int first) {
  for (int m = 0; m < Block::kTurns; ++m) {
    places[Block::turn(m).entry] = static_cast<std::int8_t>(first + m);
  }
}

template <Pattern P, int B, int... Q>
constexpr std::array<std::int8_t, kTileEntries> tile_places(std::integer_sequence<int, Q...>) {
  std::array<std::int8_t, kTileEntries> out{};
  constexpr auto order = tile_order<kGroup / B>(P);
  (place_block<TileBlock<P, B, order[Q].k, order[Q].l>>(out.data(), B * B * Q), ...);
  return out;
}

template <int B, int... Q>
constexpr std::array<std::int8_t, kTileEntries> leaf_places(std::integer_sequence<int, Q...>) {
  std::array<std::int8_t, kTileEntries> out{};
  constexpr auto order = tile_order<4 / B>(Pattern::xor_tile);
  (place_block<LeafTileBlock<B, order[Q].k, order[Q].l>>(out.data(), B * B * Q), ...);
  place_block<HalfLeafBlock<0>>(out.data(), 16);
  place_block<HalfLeafBlock<1>>(out.data(), 22);
  return out;
}

template <class F>
struct SumPlaces {
  static constexpr int B = kReverseBlock<F>;
  using Blocks = std::make_integer_sequence<int, (kGroup / B) * (kGroup / B)>;
  static constexpr std::array<std::int8_t, kTileEntries> kTiles[] = {
      tile_places<Pattern::xor_tile, B>(Blocks{}), tile_places<Pattern::sum_tile, B>(Blocks{}),
      tile_places<Pattern::difference_tile, B>(Blocks{}),
      tile_places<Pattern::diamond_tile, B>(Blocks{})};
  static constexpr auto kLeaf =
      leaf_places<B>(std::make_integer_sequence<int, (4 / B) * (4 / B)>{});
};

// The place of each entry's sum among those of its step; null: in the order of the entries.
template <class F>
const std::int8_t* sum_places(const Step& step, Mode mode) {
  if (mode == Mode::plain || step.pattern == Pattern::pairs) return nullptr;
  if (step.pattern == Pattern::xor_leaf) return SumPlaces<F>::kLeaf.data();
  return SumPlaces<F>::kTiles[static_cast<std::size_t>(step.pattern)].data();
}

// --- Sums of lanes ---

// Neighbouring lanes added: those of u, then those of v.
template <class R>
[[gnu::always_inline]] inline Vector<R> add_neighbours(const Vector<R>& u, const Vector<R>& v) {
  typedef std::conditional_t<sizeof(R) == 4, std::int32_t, std::int64_t> Index;
  typedef Index Order __attribute__((vector_size(GIVENS_VECTOR_BYTES)));
  Order even{};
  for (int k = 0; k < static_cast<int>(kLanes<R>); ++k) even[k] = 2 * k;
  return __builtin_shuffle(u, v, even) + __builtin_shuffle(u, v, even + 1);
}

// Adds to out[m] the m-th sum of `Spread` neighbouring lanes of the Vectors vectors, Count sums in
// all.
template <class R, int Vectors, int Spread, int Count>
[[gnu::always_inline]] inline void add_spread_sums(const Vector<R>* v, R* out) {
  constexpr int L = static_cast<int>(kLanes<R>);
  if constexpr (Spread > 1) {
    // Halves their number, with each sum spread over half as many lanes.
    constexpr int kHalf = (Vectors + 1) / 2;
    Vector<R> half[kHalf];
    unrolled<kHalf>([&](auto m) __attribute__((always_inline)) {
      constexpr int second = 2 * m + 1 < Vectors ? 2 * m + 1 : 2 * m;
      half[m] = add_neighbours<R>(v[2 * m], v[second]);
    });
    add_spread_sums<R, kHalf, Spread / 2, Count>(half, out);
  } else if constexpr (Count == L) {
    store(out, load(out) + v[0]);
  } else {
    unrolled<Count>([&](auto m) __attribute__((always_inline)) { out[m] += v[m / L][m % L]; });
  }
}

// Adds to out[m] the sum of the lanes of v[m], for Count vectors.
template <class R, int Count>
[[gnu::always_inline]] inline void add_sums_of_lanes(const Vector<R>* v, R* out) {
  constexpr int L = static_cast<int>(kLanes<R>);
  if constexpr (Count > L) {
    add_sums_of_lanes<R, L>(v, out);
    add_sums_of_lanes<R, Count - L>(v + L, out + L);
  } else if constexpr (Count == 1) {
    *out += sum<R>(*v);
  } else {
    add_spread_sums<R, Count, L, Count>(v, out);
  }
}

// The sums of lanes of Count segments, kParts each.
template <class R, int Count>
[[gnu::always_inline]] inline void add_sums_of_segments(const Segment<R>* total, R* sums) {
  Vector<R> v[Count];
  unrolled<Count>([&](auto m) __attribute__((always_inline)) { v[m] = total[m].v; });
  add_sums_of_lanes<R, Count>(v, sums);
}

template <class R, int Count>
[[gnu::always_inline]] inline void add_sums_of_segments(const Segment<std::complex<R>>* total,
                                                        R* sums) {
  Vector<R> v[2 * Count];
  unrolled<Count>([&](auto m) __attribute__((always_inline)) {
    v[2 * m] = total[m].re;
    v[2 * m + 1] = total[m].im;
  });
  add_sums_of_lanes<R, 2 * Count>(v, sums);
}

// --- Blocks ---

// Rows of a block are multiplied by their factors first where `scales_a` and `scales_b`, for the
// rows of each group, are not null and the block's Scaled says so.
template <class F, class Block, bool Scale, class Scaled>
[[gnu::always_inline]] inline void run_vjp_block(real_t<F>* ya, real_t<F>* yb, real_t<F>* ga,
                                                 real_t<F>* gb, std::int64_t row,
                                                 std::int64_t width, const real_t<F>* coefficients,
                                                 const real_t<F>* scales_a,
                                                 const real_t<F>* scales_b, real_t<F>* sums) {
  using R = real_t<F>;
  constexpr int H = Block::kHalf;
  constexpr int N = Block::kTurns;
  Segment<F> total[N];
  unrolled<N>([&](auto m) __attribute__((always_inline)) { total[m] = Segment<F>{}; });
  for (std::int64_t w = 0; w < width; w += kSegment<F>) {
    asm volatile("" ::: "memory");
    Segment<F> y[2 * H], g[2 * H];
    unrolled<H>([&](auto k) __attribute__((always_inline)) {
      y[k] = Segment<F>::load_from(ya + k * row + w);
      y[H + k] = Segment<F>::load_from(yb + k * row + w);
      g[k] = Segment<F>::load_from(ga + k * row + w);
      g[H + k] = Segment<F>::load_from(gb + k * row + w);
      if constexpr (Scale && Scaled::row(k)) {
        y[k].scale(scales_a[k]);
        g[k].scale(scales_a[k]);
      }
      if constexpr (Scale && Scaled::row(H + k)) {
        y[H + k].scale(scales_b[k]);
        g[H + k].scale(scales_b[k]);
      }
    });
    unrolled<N>([&](auto m) __attribute__((always_inline)) {
      constexpr int n = N - 1 - m.value;
      constexpr Turn turn = Block::turn(n);
      const R* c = coefficients + kCoefficients<F> * turn.entry;
      add_products(total[n], y[turn.i], y[turn.j], g[turn.i], g[turn.j]);
      rotate_segments(y[turn.i], y[turn.j], c);
      rotate_segments(g[turn.i], g[turn.j], c);
    });
    unrolled<H>([&](auto k) __attribute__((always_inline)) {
      y[k].store_to(ya + k * row + w);
      y[H + k].store_to(yb + k * row + w);
      g[k].store_to(ga + k * row + w);
      g[H + k].store_to(gb + k * row + w);
    });
  }
  add_sums_of_segments<R, N>(total, sums);
}

// Which rows of block Q of a tile no block before it has, as the tile is undone.
template <Pattern P, int B, int Q>
struct NewRows {
  // The row of the tile's 16 that is row r of a block.
  static constexpr int tile_row(int q, int r) {
    const RowPair first = block_rows<B>(P, tile_order<kGroup / B>(P)[static_cast<std::size_t>(q)]);
    return r < B ? first.i + r : kGroup + first.j + r - B;
  }
  static constexpr bool row(int r) {
    for (int q = Q + 1; q < (kGroup / B) * (kGroup / B); ++q) {
      for (int other = 0; other < 2 * B; ++other) {
        if (tile_row(q, other) == tile_row(Q, r)) return false;
      }
    }
    return true;
  }
};

struct NoRows {
  static constexpr bool row(int) { return false; }
};

template <class F, Pattern P, bool Scale>
[[gnu::noinline]] void vjp_tile(real_t<F>* ya, real_t<F>* yb, real_t<F>* ga, real_t<F>* gb,
                                std::int64_t row, std::int64_t width, const real_t<F>* coefficients,
                                const real_t<F>* scales, real_t<F>* sums) {
  constexpr int B = kReverseBlock<F>;
  for_each_block<P, kGroup / B, true>([&](auto q, auto k, auto l) __attribute__((always_inline)) {
    constexpr RowPair rows = block_rows<B>(P, {k.value, l.value});
    run_vjp_block<F, TileBlock<P, B, k.value, l.value>, Scale, NewRows<P, B, q.value>>(
        ya + rows.i * row, yb + rows.j * row, ga + rows.i * row, gb + rows.j * row, row, width,
        coefficients, scales + rows.i, scales + kGroup + rows.j, sums + kParts<F> * B * B * q);
  });
}

// All rotations of a tile. `scales` is null, or has the 16 factors that the rows are multiplied by
// first.
template <class F, Pattern P>
void vjp_tile(real_t<F>* ya, real_t<F>* yb, real_t<F>* ga, real_t<F>* gb, std::int64_t row,
              std::int64_t width, const real_t<F>* coefficients, const real_t<F>* scales,
              real_t<F>* sums) {
  if (scales) {
    vjp_tile<F, P, true>(ya, yb, ga, gb, row, width, coefficients, scales, sums);
  } else {
    // Any address that can be offset; not read.
    vjp_tile<F, P, false>(ya, yb, ga, gb, row, width, coefficients, coefficients, sums);
  }
}

template <class F>
[[gnu::noinline]] void vjp_leaf(real_t<F>* y, real_t<F>* g, std::int64_t row, std::int64_t width,
                                const real_t<F>* coefficients, real_t<F>* sums) {
  constexpr int B = kReverseBlock<F>;
  real_t<F>* const y_middle = y + kGroup / 2 * row;
  real_t<F>* const g_middle = g + kGroup / 2 * row;
  for_each_block<Pattern::xor_tile, 4 / B, true>(
      [&](auto q, auto k, auto l) __attribute__((always_inline)) {
        run_vjp_block<F, LeafTileBlock<B, k.value, l.value>, false, NoRows>(
            y + B * k * row, y_middle + B * l * row, g + B * k * row, g_middle + B * l * row, row,
            width, coefficients, nullptr, nullptr, sums + kParts<F> * B * B * q);
      });
  run_vjp_block<F, HalfLeafBlock<0>, false, NoRows>(y, y + 2 * row, g, g + 2 * row, row, width,
                                                    coefficients, nullptr, nullptr,
                                                    sums + kParts<F> * 16);
  run_vjp_block<F, HalfLeafBlock<1>, false, NoRows>(y_middle, y_middle + 2 * row, g_middle,
                                                    g_middle + 2 * row, row, width, coefficients,
                                                    nullptr, nullptr, sums + kParts<F> * 22);
}

// Undoes one rotation, `rotate`, of rows in memory, and returns its sum by lanes.
template <class F, class Rotate>
[[gnu::always_inline]] inline Segment<F> vjp_rows(real_t<F>* yi, real_t<F>* yj, real_t<F>* gi,
                                                  real_t<F>* gj, std::int64_t width,
                                                  Rotate&& rotate) {
  Segment<F> total{};
  for (std::int64_t w = 0; w < width; w += kSegment<F>) {
    Segment<F> y[2] = {Segment<F>::load_from(yi + w), Segment<F>::load_from(yj + w)};
    Segment<F> g[2] = {Segment<F>::load_from(gi + w), Segment<F>::load_from(gj + w)};
    add_products(total, y[0], y[1], g[0], g[1]);
    rotate(y[0], y[1]);
    rotate(g[0], g[1]);
    y[0].store_to(yi + w);
    y[1].store_to(yj + w);
    g[0].store_to(gi + w);
    g[1].store_to(gj + w);
  }
  return total;
}

template <class F>
[[gnu::noinline]] void vjp_pairs(const SlotPair* pairs, std::int32_t count, real_t<F>* y,
                                 real_t<F>* g, std::int64_t row, std::int64_t width,
                                 const real_t<F>* coefficients, const real_t<F>* scales,
                                 real_t<F>* sums) {
  if (scales) {
    for (std::int32_t e = 0; e < count; ++e) {
      for (real_t<F>* panel : {y, g}) {
        multiply_rows(panel + pairs[e].i * row, row, width, scales + 2 * e, 1);
        multiply_rows(panel + pairs[e].j * row, row, width, scales + 2 * e + 1, 1);
      }
    }
  }
  constexpr int kAtOnce = 8;  // their lanes are summed up together
  for (std::int32_t first = 0; first < count; first += kAtOnce) {
    Segment<F> total[kAtOnce] = {};
    const std::int32_t last = std::min(first + kAtOnce, count);
    for (std::int32_t e = first; e < last; ++e) {
      const std::int64_t i = pairs[e].i * row;
      const std::int64_t j = pairs[e].j * row;
      total[e - first] =
          vjp_rows<F>(y + i, y + j, g + i, g + j, width,
                      [&](Segment<F>& a, Segment<F>& b) __attribute__((always_inline)) {
                        rotate_segments(a, b, coefficients + kCoefficients<F> * e);
                      });
    }
    real_t<F> found[kAtOnce * kParts<F>] = {};
    add_sums_of_segments<real_t<F>, kAtOnce>(total, found);
    for (std::int64_t k = 0; k < (last - first) * kParts<F>; ++k) {
      sums[first * kParts<F> + k] += found[k];
    }
  }
}

// Undoes one step on both panels; `program` is one for Undo.
template <class F>
void run_vjp_step(const Plan& plan, const Program<F>& program, std::int64_t index, real_t<F>* y,
                  real_t<F>* g, std::int64_t row, std::int64_t width, real_t<F>* all_sums) {
  using R = real_t<F>;
  const auto k = static_cast<std::size_t>(index);
  const Step& step = plan.steps[k];
  R* sums = all_sums + kParts<F> * step.entry;
  if (program.modes[k] == Mode::plain) {
    const R* rotation = program.extra[k].get();
    for_each_entry<true>(plan, step, [&](std::int32_t i, std::int32_t j, int e) {
      if (source_of(plan, step, e) < 0) return;
      const Segment<F> total =
          vjp_rows<F>(y + i * row, y + j * row, g + i * row, g + j * row, width,
                      [&](Segment<F>& a, Segment<F>& b) { rotate_plainly(a, b, rotation); });
      add_sums_of_segments<R, 1>(&total, sums + kParts<F> * e);
      rotation += 1 + kCoefficients<F>;
    });
    return;
  }
  const R* coefficients = program.coefficients.data() + kCoefficients<F> * step.entry;
  const bool normalised = program.modes[k] == Mode::normalised;
  if (step.pattern == Pattern::pairs) {
    vjp_pairs<F>(plan.pair_slots.data() + step.a, step.count, y, g, row, width, coefficients,
                 normalised ? program.extra[k].get() : nullptr, sums);
    return;
  }
  R* ya = y + step.a * row;
  R* yb = y + step.b * row;
  R* ga = g + step.a * row;
  R* gb = g + step.b * row;
  const R* scales = normalised ? program.scales_of(step) : nullptr;
  switch (step.pattern) {
    case Pattern::xor_tile:
      vjp_tile<F, Pattern::xor_tile>(ya, yb, ga, gb, row, width, coefficients, scales, sums);
      break;
    case Pattern::sum_tile:
      vjp_tile<F, Pattern::sum_tile>(ya, yb, ga, gb, row, width, coefficients, scales, sums);
      break;
    case Pattern::difference_tile:
      vjp_tile<F, Pattern::difference_tile>(ya, yb, ga, gb, row, width, coefficients, scales, sums);
      break;
    case Pattern::diamond_tile:
      vjp_tile<F, Pattern::diamond_tile>(ya, yb, ga, gb, row, width, coefficients, scales, sums);
      break;
    case Pattern::xor_leaf:
      if (scales) {
        for (R* rows : {ya, ga}) multiply_rows(rows, row, width, scales, kGroup);
      }
      vjp_leaf<F>(ya, ga, row, width, coefficients, sums);
      break;
    case Pattern::pairs:
      break;
  }
}

}  // namespace givens::cpu::GIVENS_ISA
