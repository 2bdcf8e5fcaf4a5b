// The steps of a plan on the two panels of a gradient. Compiled for each instruction set; see
// engine_headers.hpp.
//
// Panels y and g hold the states after the rotations and the loss's gradient there. A rotation of
// rows i and j adds the sum over columns of g_j conj(y_i) - y_j conj(g_i) to its place in `sums`,
// then both panels are rotated back (arXiv 2106.00003, section 4). Back is U's rotations undone,
// with Adjoint, or for the gradient through the inverse done, from the first on. Both have the same
// scales, so that the sum over true rows is that over stored rows times Coefficients::weights.
//
// The sums of a step are kReals each, in the order in which they are found: see place_of_entry.
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
inline constexpr int kReverseBlock = GIVENS_VECTOR_REGISTERS / (8 * static_cast<int>(kReals<F>));

// --- Where the sums are ---

// By entry, the place of its sum among those of its step.
using SumOffsets = std::array<std::int8_t, kBlockRotations>;

// The sums of a block follow one another in the order of its Block.
template <class Block>
constexpr void add_block_offsets(SumOffsets& offsets, int low, int high, int first) {
  for (int m = 0; m < Block::kCount; ++m) {
    const BlockRotation turn = Block::at(m);
    offsets[static_cast<std::size_t>((turn.high ? high : low) + turn.index)] =
        static_cast<std::int8_t>(first + m);
  }
}

// Those of blocks in the order in which they are done or undone ...
template <Pattern P, int B, bool Adjoint>
constexpr SumOffsets rotation_block_offsets() {
  SumOffsets out{};
  int first = 0;
  for (const RegisterBlock& block : register_blocks<B, Adjoint>(P)) {
    add_block_offsets<RotationBlock<P, B>>(out, block.low, block.high, first);
    first += B * B;
  }
  return out;
}

template <int B, bool Adjoint>
constexpr SumOffsets diagonal_block_offsets() {
  SumOffsets out{};
  int first = 0;
  const auto place_halves = [&] {
    for (const int index : {0, 2}) {
      add_block_offsets<HalfDiagonalBlock>(out, index, 0, first);
      first += HalfDiagonalBlock::kCount;
    }
  };
  if (!Adjoint) place_halves();
  const auto order = block_order<4 / B>(Pattern::xor_block);
  for (std::size_t m = 0; m < order.size(); ++m) {
    const BlockIndex at = order[Adjoint ? order.size() - 1 - m : m];
    add_block_offsets<InnerBlock<B>>(out, inner_block_index<B>(at), 0, first);
    first += B * B;
  }
  if (Adjoint) place_halves();
  return out;
}

// By pattern, those that sum_offsets has.
template <class F, bool Adjoint>
inline constexpr SumOffsets kSumOffsets[] = {
    rotation_block_offsets<Pattern::xor_block, kReverseBlock<F>, Adjoint>(),
    rotation_block_offsets<Pattern::sum_block, kReverseBlock<F>, Adjoint>(),
    rotation_block_offsets<Pattern::diamond_block, kReverseBlock<F>, Adjoint>(),
    diagonal_block_offsets<kReverseBlock<F>, Adjoint>()};

// The place of each entry's sum among those of its step; null: in the order of the entries.
template <class F>
const std::int8_t* sum_offsets(const Step& step, Mode mode, bool undo) {
  if (mode == Mode::standard || step.pattern == Pattern::pairs) return nullptr;
  const SumOffsets* offsets = undo ? kSumOffsets<F, true> : kSumOffsets<F, false>;
  return offsets[static_cast<std::size_t>(step.pattern)].data();
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

// The sums of lanes of Count segments, kReals each.
template <class R, int Count>
[[gnu::always_inline]] inline void add_sums_of_packs(const VectorPack<R>* total, R* sums) {
  Vector<R> v[Count];
  unrolled<Count>([&](auto m) __attribute__((always_inline)) { v[m] = total[m].v; });
  add_sums_of_lanes<R, Count>(v, sums);
}

template <class R, int Count>
[[gnu::always_inline]] inline void add_sums_of_packs(const VectorPack<std::complex<R>>* total,
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
template <class F, class Block, bool Adjoint>
[[gnu::noinline]] void run_vjp_block(real_t<F>* ya, real_t<F>* yb, real_t<F>* ga, real_t<F>* gb,
                                     std::int64_t row, std::int64_t width, const real_t<F>* low,
                                     const real_t<F>* high, const real_t<F>* scales_a,
                                     const real_t<F>* scales_b, real_t<F>* sums) {
  using R = real_t<F>;
  constexpr int H = Block::kHalf;
  constexpr int N = Block::kCount;
  VectorPack<F> total[N];
  unrolled<N>([&](auto m) __attribute__((always_inline)) { total[m] = VectorPack<F>{}; });
  for (std::int64_t w = 0; w < width; w += kPackReals<F>) {
    asm volatile("" ::: "memory");
    VectorPack<F> y[2 * H], g[2 * H];
    unrolled<H>([&](auto k) __attribute__((always_inline)) {
      y[k] = VectorPack<F>::load_from(ya + k * row + w);
      y[H + k] = VectorPack<F>::load_from(yb + k * row + w);
      g[k] = VectorPack<F>::load_from(ga + k * row + w);
      g[H + k] = VectorPack<F>::load_from(gb + k * row + w);
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
      constexpr int n = Adjoint ? N - 1 - m.value : m.value;
      constexpr BlockRotation turn = Block::at(n);
      const R* c = (turn.high ? high : low) + kCoefficients<F> * turn.index;
      add_products(total[n], y[turn.i], y[turn.j], g[turn.i], g[turn.j]);
      rotate_packs(y[turn.i], y[turn.j], c);
      rotate_packs(g[turn.i], g[turn.j], c);
    });
    unrolled<H>([&](auto k) __attribute__((always_inline)) {
      y[k].store_to(ya + k * row + w);
      y[H + k].store_to(yb + k * row + w);
      g[k].store_to(ga + k * row + w);
      g[H + k].store_to(gb + k * row + w);
    });
  }
  add_sums_of_packs<R, N>(total, sums);
}

// All rotations of a tile. `scales` is null, or has the 16 factors that the rows are multiplied by
// first.
template <class F, Pattern P, bool Adjoint>
void vjp_rotation_block(real_t<F>* ya, real_t<F>* yb, real_t<F>* ga, real_t<F>* gb,
                        std::int64_t row, std::int64_t width, const real_t<F>* coefficients,
                        const real_t<F>* scales, real_t<F>* sums) {
  constexpr int B = kReverseBlock<F>;
  static constexpr auto kBlocks = register_blocks<B, Adjoint>(P);
  for (const RegisterBlock& block : kBlocks) {
    const std::int64_t a = block.rows.i * row;
    const std::int64_t b = block.rows.j * row;
    run_vjp_block<F, RotationBlock<P, B>, Adjoint>(
        ya + a, yb + b, ga + a, gb + b, row, width, coefficients + kCoefficients<F> * block.low,
        coefficients + kCoefficients<F> * block.high,
        scales && block.new_a ? scales + block.rows.i : nullptr,
        scales && block.new_b ? scales + kRowBlock + block.rows.j : nullptr, sums);
    sums += kReals<F> * B * B;
  }
}

template <class F, bool Adjoint>
void vjp_diagonal_block(real_t<F>* y, real_t<F>* g, std::int64_t row, std::int64_t width,
                        const real_t<F>* coefficients, real_t<F>* sums) {
  constexpr int B = kReverseBlock<F>;
  const auto block = [&](auto turns, std::int64_t a, std::int64_t b, int index) {
    run_vjp_block<F, decltype(turns), Adjoint>(y + a * row, y + b * row, g + a * row, g + b * row,
                                               row, width, coefficients + kCoefficients<F> * index,
                                               nullptr, nullptr, nullptr, sums);
    sums += kReals<F> * turns.kCount;
  };
  const auto halves = [&] {
    block(HalfDiagonalBlock{}, 0, 2, 0);
    block(HalfDiagonalBlock{}, 4, 6, 2);
  };
  if constexpr (!Adjoint) halves();
  for_each_inner_block<B, Adjoint>([&](BlockIndex at) {
    block(InnerBlock<B>{}, B * at.k, kRowBlock / 2 + B * at.l, inner_block_index<B>(at));
  });
  if constexpr (Adjoint) halves();
}

// Does one rotation, `rotate`, of parts of rows in memory, and returns its sum by lanes.
template <class F, bool Masked, class Rotate>
[[gnu::always_inline]] inline VectorPack<F> vjp_rows(real_t<F>* yi, real_t<F>* yj, real_t<F>* gi,
                                                     real_t<F>* gj, const ColumnMask* rotated,
                                                     std::int64_t width, Rotate&& rotate) {
  VectorPack<F> total{};
  for_each_rotated_run<Masked>(rotated, width, [&](std::int64_t from, std::int64_t to) {
    for (std::int64_t w = from; w < to; w += kPackReals<F>) {
      VectorPack<F> y[2] = {VectorPack<F>::load_from(yi + w), VectorPack<F>::load_from(yj + w)};
      VectorPack<F> g[2] = {VectorPack<F>::load_from(gi + w), VectorPack<F>::load_from(gj + w)};
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

template <class F, bool Masked>
[[gnu::noinline]] void vjp_pairs(const RowPair* pairs, std::int32_t count, real_t<F>* y,
                                 real_t<F>* g, std::int64_t row, std::int64_t width,
                                 const real_t<F>* coefficients, const real_t<F>* scales,
                                 const ColumnMask* rotated, real_t<F>* sums) {
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
    VectorPack<F> total[kAtOnce] = {};
    const std::int32_t last = std::min(first + kAtOnce, count);
    for (std::int32_t e = first; e < last; ++e) {
      const std::int64_t i = pairs[e].i * row;
      const std::int64_t j = pairs[e].j * row;
      total[e - first] = vjp_rows<F, Masked>(
          y + i, y + j, g + i, g + j, Masked ? rotated + e : nullptr, width,
          [&](VectorPack<F>& a, VectorPack<F>& b) __attribute__((always_inline)) {
            rotate_packs(a, b, coefficients + kCoefficients<F> * e);
          });
    }
    real_t<F> found[kAtOnce * kReals<F>] = {};
    add_sums_of_packs<real_t<F>, kAtOnce>(total, found);
    for (std::int64_t k = 0; k < (last - first) * kReals<F>; ++k) {
      sums[first * kReals<F> + k] += found[k];
    }
  }
}

// Runs one step on both panels and adds to its sums; `program` is one for gradients, `turned` as in
// run_step, but the pairs turn no other parts, whose rows in g may be anything.
template <class F, bool Adjoint>
void run_vjp_step(const Plan& plan, const Coefficients<F>& coefficients, std::int64_t index,
                  real_t<F>* y, real_t<F>* g, std::int64_t row, std::int64_t width, real_t<F>* sums,
                  const ColumnMask* rotated = nullptr) {
  using R = real_t<F>;
  const auto k = static_cast<std::size_t>(index);
  const Step& step = plan.steps[k];
  if (coefficients.modes[k] == Mode::standard) {
    const R* rotation = coefficients.extra[k].get();
    for_each_rotation<Adjoint>(plan, step, [&](std::int32_t i, std::int32_t j, int e) {
      if (angle_of(plan, step, e) < 0) return;
      const auto rotate = [&](VectorPack<F>& a, VectorPack<F>& b) {
        rotate_standard(a, b, rotation);
      };
      const VectorPack<F> total = rotated
                                      ? vjp_rows<F, true>(y + i * row, y + j * row, g + i * row,
                                                          g + j * row, rotated + e, width, rotate)
                                      : vjp_rows<F, false>(y + i * row, y + j * row, g + i * row,
                                                           g + j * row, nullptr, width, rotate);
      add_sums_of_packs<R, 1>(&total, sums + kReals<F> * e);
      rotation += 1 + kCoefficients<F>;
    });
    return;
  }
  const R* values = coefficients.of(step);
  const bool rescaled = coefficients.modes[k] == Mode::rescaled;
  if (step.pattern == Pattern::pairs) {
    const auto run = rotated ? vjp_pairs<F, true> : vjp_pairs<F, false>;
    run(plan.row_pairs.data() + step.a, step.count, y, g, row, width, values,
        rescaled ? coefficients.extra[k].get() : nullptr, rotated, sums);
    return;
  }
  R* ya = y + step.a * row;
  R* yb = y + step.b * row;
  R* ga = g + step.a * row;
  R* gb = g + step.b * row;
  const R* scales = rescaled ? coefficients.scales_of(step) : nullptr;
  switch (step.pattern) {
    case Pattern::xor_block:
      vjp_rotation_block<F, Pattern::xor_block, Adjoint>(ya, yb, ga, gb, row, width, values, scales,
                                                         sums);
      break;
    case Pattern::sum_block:
      vjp_rotation_block<F, Pattern::sum_block, Adjoint>(ya, yb, ga, gb, row, width, values, scales,
                                                         sums);
      break;
    case Pattern::diamond_block:
      vjp_rotation_block<F, Pattern::diamond_block, Adjoint>(ya, yb, ga, gb, row, width, values,
                                                             scales, sums);
      break;
    case Pattern::diagonal_block:
      if (scales) {
        for (R* rows : {ya, ga}) multiply_rows(rows, row, width, scales, kRowBlock);
      }
      vjp_diagonal_block<F, Adjoint>(ya, ga, row, width, values, sums);
      break;
    case Pattern::pairs:
      break;
  }
}

}  // namespace givens::cpu::GIVENS_ISA

#endif
