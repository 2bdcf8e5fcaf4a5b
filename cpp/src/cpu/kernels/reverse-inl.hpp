// The steps of a plan on the two panels of a gradient. Compiled for each instruction set; see
// engine_headers.hpp.
//
// Panels y and g hold the states after the rotations and the loss's gradient there. A rotation of
// rows i and j adds the sum over columns of g_j conj(y_i) - y_j conj(g_i) to its place in `sums`,
// then both panels are rotated back (arXiv 2106.00003, section 4). Back is U's rotations undone,
// with Undo, or for the gradient through the inverse done, from the first on. Both have the same
// scales, so that the sum over true rows is that over stored rows times Program::weights.
//
// The sums of a step are kParts each, in the order in which they are found: see place_of_entry.
#if defined(GIVENS_CPU_KERNELS_REVERSE_INL_HPP) == defined(GIVENS_TARGET_TOGGLE)
#ifdef GIVENS_CPU_KERNELS_REVERSE_INL_HPP
#undef GIVENS_CPU_KERNELS_REVERSE_INL_HPP
#else
#define GIVENS_CPU_KERNELS_REVERSE_INL_HPP
#endif

#include "cpu/kernels/forward-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

// Rows of each group and panel in registers at once: with their sums they fill the registers.
template <class F>
inline constexpr int kReverseBlock = GIVENS_VECTOR_REGISTERS / (8 * static_cast<int>(kParts<F>));

// --- Where the sums are ---

// By entry, the place of its sum among those of its step.
using SumPlaces = std::array<std::int8_t, kTileEntries>;

// The sums of a block follow one another in the order of its Turns.
template <class Turns>
constexpr void place_block(SumPlaces& places, int low, int high, int first) {
  for (int m = 0; m < Turns::kCount; ++m) {
    const Turn turn = Turns::at(m);
    places[static_cast<std::size_t>((turn.high ? high : low) + turn.entry)] =
        static_cast<std::int8_t>(first + m);
  }
}

// Those of blocks in the order in which they are done or undone ...
template <Pattern P, int B, bool Undo>
constexpr SumPlaces tile_places() {
  SumPlaces out{};
  int first = 0;
  for (const Block& block : tile_blocks<B, Undo>(P)) {
    place_block<TileTurns<P, B>>(out, block.low, block.high, first);
    first += B * B;
  }
  return out;
}

template <int B, bool Undo>
constexpr SumPlaces leaf_places() {
  SumPlaces out{};
  int first = 0;
  const auto place_halves = [&] {
    for (const int entry : {0, 2}) {
      place_block<HalfLeafTurns>(out, entry, 0, first);
      first += HalfLeafTurns::kCount;
    }
  };
  if (!Undo) place_halves();
  const auto order = tile_order<4 / B>(Pattern::xor_tile);
  for (std::size_t m = 0; m < order.size(); ++m) {
    const TileIndex at = order[Undo ? order.size() - 1 - m : m];
    place_block<LeafTileTurns<B>>(out, leaf_tile_entry<B>(at), 0, first);
    first += B * B;
  }
  if (Undo) place_halves();
  return out;
}

// By pattern, those that sum_places has.
template <class F, bool Undo>
inline constexpr SumPlaces kSumPlaces[] = {
    tile_places<Pattern::xor_tile, kReverseBlock<F>, Undo>(),
    tile_places<Pattern::sum_tile, kReverseBlock<F>, Undo>(),
    tile_places<Pattern::difference_tile, kReverseBlock<F>, Undo>(),
    tile_places<Pattern::diamond_tile, kReverseBlock<F>, Undo>(),
    leaf_places<kReverseBlock<F>, Undo>()};

// The place of each entry's sum among those of its step; null: in the order of the entries.
template <class F>
const std::int8_t* sum_places(const Step& step, Mode mode, bool undo) {
  if (mode == Mode::plain || step.pattern == Pattern::pairs) return nullptr;
  const SumPlaces* places = undo ? kSumPlaces<F, true> : kSumPlaces<F, false>;
  return places[static_cast<std::size_t>(step.pattern)].data();
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

// Runs a block of both panels; see run_block.
template <class F, class Turns, bool Undo>
[[gnu::noinline]] void run_vjp_block(real_t<F>* ya, real_t<F>* yb, real_t<F>* ga, real_t<F>* gb,
                                     std::int64_t row, std::int64_t width, const real_t<F>* low,
                                     const real_t<F>* high, const real_t<F>* scales_a,
                                     const real_t<F>* scales_b, real_t<F>* sums) {
  using R = real_t<F>;
  constexpr int H = Turns::kHalf;
  constexpr int N = Turns::kCount;
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
    });
    if (scales_a) {
      scale_rows<H, F>(y, scales_a);
      scale_rows<H, F>(g, scales_a);
    }
    if (scales_b) {
      scale_rows<H, F>(y + H, scales_b);
      scale_rows<H, F>(g + H, scales_b);
    }
    unrolled<N>([&](auto m) __attribute__((always_inline)) {
      constexpr int n = Undo ? N - 1 - m.value : m.value;
      constexpr Turn turn = Turns::at(n);
      const R* c = (turn.high ? high : low) + kCoefficients<F> * turn.entry;
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

// All rotations of a tile. `scales` is null, or has the 16 factors that the rows are multiplied by
// first.
template <class F, Pattern P, bool Undo>
void vjp_tile(real_t<F>* ya, real_t<F>* yb, real_t<F>* ga, real_t<F>* gb, std::int64_t row,
              std::int64_t width, const real_t<F>* coefficients, const real_t<F>* scales,
              real_t<F>* sums) {
  constexpr int B = kReverseBlock<F>;
  static constexpr auto kBlocks = tile_blocks<B, Undo>(P);
  for (const Block& block : kBlocks) {
    const std::int64_t a = block.rows.i * row;
    const std::int64_t b = block.rows.j * row;
    run_vjp_block<F, TileTurns<P, B>, Undo>(
        ya + a, yb + b, ga + a, gb + b, row, width, coefficients + kCoefficients<F> * block.low,
        coefficients + kCoefficients<F> * block.high,
        scales && block.new_a ? scales + block.rows.i : nullptr,
        scales && block.new_b ? scales + kGroup + block.rows.j : nullptr, sums);
    sums += kParts<F> * B * B;
  }
}

template <class F, bool Undo>
void vjp_leaf(real_t<F>* y, real_t<F>* g, std::int64_t row, std::int64_t width,
              const real_t<F>* coefficients, real_t<F>* sums) {
  constexpr int B = kReverseBlock<F>;
  const auto block = [&](auto turns, std::int64_t a, std::int64_t b, int entry) {
    run_vjp_block<F, decltype(turns), Undo>(y + a * row, y + b * row, g + a * row, g + b * row, row,
                                            width, coefficients + kCoefficients<F> * entry, nullptr,
                                            nullptr, nullptr, sums);
    sums += kParts<F> * turns.kCount;
  };
  const auto halves = [&] {
    block(HalfLeafTurns{}, 0, 2, 0);
    block(HalfLeafTurns{}, 4, 6, 2);
  };
  if constexpr (!Undo) halves();
  for_each_leaf_block<B, Undo>([&](TileIndex at) {
    block(LeafTileTurns<B>{}, B * at.k, kGroup / 2 + B * at.l, leaf_tile_entry<B>(at));
  });
  if constexpr (Undo) halves();
}

// Does one rotation, `rotate`, of parts of rows in memory, and returns its sum by lanes.
template <class F, bool InParts, class Rotate>
[[gnu::always_inline]] inline Segment<F> vjp_rows(real_t<F>* yi, real_t<F>* yj, real_t<F>* gi,
                                                  real_t<F>* gj, const Parts* turned,
                                                  std::int64_t width, Rotate&& rotate) {
  Segment<F> total{};
  for_each_turned_run<InParts>(turned, width, [&](std::int64_t from, std::int64_t to) {
    for (std::int64_t w = from; w < to; w += kSegment<F>) {
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
  });
  return total;
}

template <class F, bool InParts>
[[gnu::noinline]] void vjp_pairs(const SlotPair* pairs, std::int32_t count, real_t<F>* y,
                                 real_t<F>* g, std::int64_t row, std::int64_t width,
                                 const real_t<F>* coefficients, const real_t<F>* scales,
                                 const Parts* turned, real_t<F>* sums) {
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
          vjp_rows<F, InParts>(y + i, y + j, g + i, g + j, InParts ? turned + e : nullptr, width,
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

// Runs one step on both panels and adds to its sums; `program` is one for gradients, `turned` as in
// run_step, but the pairs turn no other parts, whose rows in g may be anything.
template <class F, bool Undo>
void run_vjp_step(const Plan& plan, const Program<F>& program, std::int64_t index, real_t<F>* y,
                  real_t<F>* g, std::int64_t row, std::int64_t width, real_t<F>* sums,
                  const Parts* turned = nullptr) {
  using R = real_t<F>;
  const auto k = static_cast<std::size_t>(index);
  const Step& step = plan.steps[k];
  if (program.modes[k] == Mode::plain) {
    const R* rotation = program.extra[k].get();
    for_each_entry<Undo>(plan, step, [&](std::int32_t i, std::int32_t j, int e) {
      if (source_of(plan, step, e) < 0) return;
      const auto rotate = [&](Segment<F>& a, Segment<F>& b) { rotate_plainly(a, b, rotation); };
      const Segment<F> total = turned ? vjp_rows<F, true>(y + i * row, y + j * row, g + i * row,
                                                          g + j * row, turned + e, width, rotate)
                                      : vjp_rows<F, false>(y + i * row, y + j * row, g + i * row,
                                                           g + j * row, nullptr, width, rotate);
      add_sums_of_segments<R, 1>(&total, sums + kParts<F> * e);
      rotation += 1 + kCoefficients<F>;
    });
    return;
  }
  const R* coefficients = program.coefficients_of(step);
  const bool normalised = program.modes[k] == Mode::normalised;
  if (step.pattern == Pattern::pairs) {
    const auto run = turned ? vjp_pairs<F, true> : vjp_pairs<F, false>;
    run(plan.pair_slots.data() + step.a, step.count, y, g, row, width, coefficients,
        normalised ? program.extra[k].get() : nullptr, turned, sums);
    return;
  }
  R* ya = y + step.a * row;
  R* yb = y + step.b * row;
  R* ga = g + step.a * row;
  R* gb = g + step.b * row;
  const R* scales = normalised ? program.scales_of(step) : nullptr;
  switch (step.pattern) {
    case Pattern::xor_tile:
      vjp_tile<F, Pattern::xor_tile, Undo>(ya, yb, ga, gb, row, width, coefficients, scales, sums);
      break;
    case Pattern::sum_tile:
      vjp_tile<F, Pattern::sum_tile, Undo>(ya, yb, ga, gb, row, width, coefficients, scales, sums);
      break;
    case Pattern::difference_tile:
      vjp_tile<F, Pattern::difference_tile, Undo>(ya, yb, ga, gb, row, width, coefficients, scales,
                                                  sums);
      break;
    case Pattern::diamond_tile:
      vjp_tile<F, Pattern::diamond_tile, Undo>(ya, yb, ga, gb, row, width, coefficients, scales,
                                               sums);
      break;
    case Pattern::xor_leaf:
      if (scales) {
        for (R* rows : {ya, ga}) multiply_rows(rows, row, width, scales, kGroup);
      }
      vjp_leaf<F, Undo>(ya, ga, row, width, coefficients, sums);
      break;
    case Pattern::pairs:
      break;
  }
}

}  // namespace givens::cpu::GIVENS_ISA

#endif
