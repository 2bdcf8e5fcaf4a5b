// The steps of a plan on the two panels of a gradient. Compiled for each instruction set; see
// simd.hpp.
//
// Panels y and g hold the states after the rotations and the loss's gradient there. A rotation of
// rows i and j adds sum over columns of (g_j y_i - g_i y_j) to its entry in `sums`, then both
// panels are rotated back (arXiv 2106.00003, section 4). Both have the same scales, so that the
// gradient of the angle is the sum times Program::weights.

namespace givens::cpu::GIVENS_ISA {

// Rows of each group and panel in registers at once: 4 x 4 rows and 16 sums fill 32 registers.
#if GIVENS_VECTOR_REGISTERS >= 32
inline constexpr int kReverseBlock = 4;
#else
inline constexpr int kReverseBlock = 2;
#endif

// Neighbouring lanes added: those of u, then those of v.
template <class R>
[[gnu::always_inline]] inline Vector<R> add_neighbours(const Vector<R>& u, const Vector<R>& v) {
  typedef std::conditional_t<sizeof(R) == 4, std::int32_t, std::int64_t> Index;
  typedef Index Order __attribute__((vector_size(GIVENS_VECTOR_BYTES)));
  Order even{};
  for (int k = 0; k < static_cast<int>(kLanes<R>); ++k) even[k] = 2 * k;
  return __builtin_shuffle(u, v, even) + __builtin_shuffle(u, v, even + 1);
}

// out[m] = sum of the lanes of v[m], for Count (a power of two) vectors.
template <class R, int Count>
[[gnu::always_inline]] inline void sums_of_lanes(Vector<R>* v, R* out) {
  constexpr int kFew = static_cast<int>(kLanes<R>);
  if constexpr (Count > kFew) {
    sums_of_lanes<R, Count / 2>(v, out);
    sums_of_lanes<R, Count / 2>(v + Count / 2, out + Count / 2);
  } else {
#pragma GCC unroll 8
    for (int left = Count; left > 1; left /= 2) {
#pragma GCC unroll 16
      for (int m = 0; m < left / 2; ++m) v[m] = add_neighbours<R>(v[2 * m], v[2 * m + 1]);
    }
    // Each sum is now spread over neighbouring lanes.
    constexpr int spread = kFew / Count;
#pragma GCC unroll 16
    for (int m = 0; m < Count; ++m) {
      R total = v[0][m * spread];
#pragma GCC unroll 16
      for (int k = 1; k < spread; ++k) total += v[0][m * spread + k];
      out[m] = total;
    }
  }
}

template <class R>
[[gnu::always_inline]] inline void add_sum(Vector<R>& sum, const Vector<R>& yi, const Vector<R>& yj,
                                           const Vector<R>& gi, const Vector<R>& gj) {
  sum = sum + gj * yi;
  sum = sum - gi * yj;
}

// Places of a block's rotations among the entries of its step.
struct XorTileEntry {
  static constexpr Pattern pattern = Pattern::xor_tile;
  static constexpr int at(int k, int l) { return entry_of<Pattern::xor_tile>(k, l); }
};
struct SumTileEntry {
  static constexpr Pattern pattern = Pattern::sum_tile;
  static constexpr int at(int k, int l) { return entry_of<Pattern::sum_tile>(k, l); }
};
// Rounds 4..7 of a leaf: a 4 x 4 tile between its halves.
struct LeafTileEntry {
  static constexpr Pattern pattern = Pattern::xor_tile;
  static constexpr int at(int k, int l) { return 12 + 4 * (k ^ l) + k; }
};

// Rounds First .. Last - 1 of the rotations between two blocks of B rows.
template <class R, class Entry, int B, int First, int Last>
[[gnu::always_inline]] inline void vjp_rounds(R* ya, R* yb, R* ga, R* gb, std::int64_t width,
                                              const R* pq, R* sums, int first_k, int first_l) {
  constexpr int kMost = 16;  // rotations, rounded up to a power of two
  Vector<R> total[kMost] = {};
  for (std::int64_t w = 0; w < width; w += kLanes<R>) {
    asm volatile("" ::: "memory");
    Vector<R> yx[B], yy[B], gx[B], gy[B];
#pragma GCC unroll 4
    for (int k = 0; k < B; ++k) {
      yx[k] = load(ya + k * width + w);
      yy[k] = load(yb + k * width + w);
      gx[k] = load(ga + k * width + w);
      gy[k] = load(gb + k * width + w);
    }
    int count = 0;
    for_each_in_block<Entry::pattern, B, true, First, Last>(
        [&](int k, int l) __attribute__((always_inline)) {
          const R* c = pq + 2 * Entry::at(first_k + k, first_l + l);
          add_sum<R>(total[count++], yx[k], yy[l], gx[k], gy[l]);
          rotate_rows<R>(yx[k], yy[l], c);
          rotate_rows<R>(gx[k], gy[l], c);
        });
#pragma GCC unroll 4
    for (int k = 0; k < B; ++k) {
      store(ya + k * width + w, yx[k]);
      store(yb + k * width + w, yy[k]);
      store(ga + k * width + w, gx[k]);
      store(gb + k * width + w, gy[k]);
    }
  }
  constexpr int kCount = Entry::pattern == Pattern::xor_tile ? B * (Last - First) : kMost;
  R out[kCount];
  sums_of_lanes<R, kCount>(total, out);
  int count = 0;
  for_each_in_block<Entry::pattern, B, true, First, Last>(
      [&](int k, int l) __attribute__((always_inline)) {
        sums[Entry::at(first_k + k, first_l + l)] += out[count++];
      });
}

// All rotations between two blocks. In two halves where one would need more registers than there
// are: its rows and sums fill 32, and a rotation needs one more.
template <class R, class Entry, int B>
[[gnu::always_inline]] inline void vjp_block(R* ya, R* yb, R* ga, R* gb, std::int64_t width,
                                             const R* pq, R* sums, int first_k, int first_l) {
  constexpr int rounds = kRounds<Entry::pattern, B>;
  constexpr int half = rounds;
  vjp_rounds<R, Entry, B, 0, half>(ya, yb, ga, gb, width, pq, sums, first_k, first_l);
  if constexpr (half < rounds) {
    vjp_rounds<R, Entry, B, half, rounds>(ya, yb, ga, gb, width, pq, sums, first_k, first_l);
  }
}

// All rotations between `Size` rows of a and of b.
template <class R, class Entry, int Size>
[[gnu::noinline]] void vjp_tile(R* ya, R* yb, R* ga, R* gb, std::int64_t width, const R* pq,
                                R* sums) {
  constexpr int B = kReverseBlock;
  for_each_in_block<Entry::pattern, Size / B, true>(
      [&](int k, int l) __attribute__((always_inline)) {
        vjp_block<R, Entry, B>(ya + B * k * width, yb + B * l * width, ga + B * k * width,
                               gb + B * l * width, width, pq, sums, B * k, B * l);
      });
}

// Rounds 3, 2, 1 of a leaf within one of its halves.
template <class R>
[[gnu::noinline]] void vjp_half_leaf(R* y, R* g, std::int64_t width, const R* pq, R* sums,
                                     int half) {
  Vector<R> total[8] = {};
  for (std::int64_t w = 0; w < width; w += kLanes<R>) {
    asm volatile("" ::: "memory");
    Vector<R> yx[4], gx[4];
#pragma GCC unroll 4
    for (int k = 0; k < 4; ++k) {
      yx[k] = load(y + k * width + w);
      gx[k] = load(g + k * width + w);
    }
#pragma GCC unroll 3
    for (int r = 3; r >= 1; --r) {
#pragma GCC unroll 2
      for (int t = 0; t < 2; ++t) {
        const int i = r == 1 ? 2 * t : t;
        const int j = i ^ r;
        const R* c = pq + 2 * (4 * (r - 1) + 2 * half + t);
        add_sum<R>(total[2 * (r - 1) + t], yx[i], yx[j], gx[i], gx[j]);
        rotate_rows<R>(yx[i], yx[j], c);
        rotate_rows<R>(gx[i], gx[j], c);
      }
    }
#pragma GCC unroll 4
    for (int k = 0; k < 4; ++k) {
      store(y + k * width + w, yx[k]);
      store(g + k * width + w, gx[k]);
    }
  }
  R out[8];
  sums_of_lanes<R, 8>(total, out);
  for (int r = 1; r <= 3; ++r) {
    for (int t = 0; t < 2; ++t) sums[4 * (r - 1) + 2 * half + t] += out[2 * (r - 1) + t];
  }
}

template <class R>
void vjp_leaf(R* y, R* g, std::int64_t width, const R* pq, R* sums) {
  vjp_tile<R, LeafTileEntry, 4>(y, y + 4 * width, g, g + 4 * width, width, pq, sums);
  vjp_half_leaf(y, g, width, pq, sums, 0);
  vjp_half_leaf(y + 4 * width, g + 4 * width, width, pq, sums, 1);
}

template <class R>
R plain_sum(const R* yi, const R* yj, const R* gi, const R* gj, std::int64_t width) {
  Vector<R> total{};
  for (std::int64_t w = 0; w < width; w += kLanes<R>) {
    add_sum<R>(total, load(yi + w), load(yj + w), load(gi + w), load(gj + w));
  }
  return sum<R>(total);
}

// Undoes one step on both panels; `program` is one for Undo.
template <class R>
void run_vjp_step(const Plan& plan, const Program<R>& program, std::int64_t index, R* y, R* g,
                  std::int64_t width, R* all_sums) {
  const auto k = static_cast<std::size_t>(index);
  const Step& step = plan.steps[k];
  R* sums = all_sums + step.entry;
  if (program.modes[k] == Mode::plain) {
    const R* rotation = program.plain.data() + program.starts[k];
    for_each_entry<true>(plan, step, [&](std::int32_t i, std::int32_t j, int e) {
      if (source_of(plan, step, e) < 0) return;
      R* yi = y + i * width;
      R* yj = y + j * width;
      R* gi = g + i * width;
      R* gj = g + j * width;
      sums[e] += plain_sum(yi, yj, gi, gj, width);
      plain_rotation(yi, yj, width, rotation);
      plain_rotation(gi, gj, width, rotation);
      rotation += 3;
    });
    return;
  }
  const R* coefficients = program.coefficients.data() + 2 * step.entry;
  R* ya = y + step.a * width;
  R* yb = y + step.b * width;
  R* ga = g + step.a * width;
  R* gb = g + step.b * width;
  if (program.modes[k] == Mode::normalised) {
    const R* scales = program.scales.data() + program.starts[k];
    for (R* rows : {ya, ga}) multiply_rows(rows, width, scales, kGroup);
    if (step.pattern != Pattern::xor_leaf) {
      for (R* rows : {yb, gb}) multiply_rows(rows, width, scales + kGroup, kGroup);
    }
  }
  switch (step.pattern) {
    case Pattern::xor_tile:
      vjp_tile<R, XorTileEntry, 8>(ya, yb, ga, gb, width, coefficients, sums);
      break;
    case Pattern::sum_tile:
      vjp_tile<R, SumTileEntry, 8>(ya, yb, ga, gb, width, coefficients, sums);
      break;
    case Pattern::xor_leaf:
      vjp_leaf(ya, ga, width, coefficients, sums);
      break;
    case Pattern::pairs:
      break;  // always plain
  }
}

}  // namespace givens::cpu::GIVENS_ISA
