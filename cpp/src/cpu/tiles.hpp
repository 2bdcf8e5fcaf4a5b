// The steps of a plan on a panel. Compiled for each instruction set; see simd.hpp.
//
// A panel holds the slots' rows one after the other, `width` columns each, a multiple of kLanes.
// Rotation (p, q) of rows x and y: x <- x - p y, y <- y + q x.

namespace givens::cpu::GIVENS_ISA {

// Rows of each group that are in registers at once: 8 + 8 where there are 32 registers.
#if GIVENS_VECTOR_REGISTERS >= 32
inline constexpr int kForwardBlock = 8;
#else
inline constexpr int kForwardBlock = 4;
#endif

template <class R>
[[gnu::always_inline]] inline void rotate_rows(Vector<R>& x, Vector<R>& y, const R* pq) {
  const Vector<R> old = x;
  x = x - y * pq[0];
  y = y + old * pq[1];
}

// The entry of row k of group a and row l of group b.
template <Pattern P>
constexpr int entry_of(int k, int l) {
  return P == Pattern::xor_tile ? 8 * (k ^ l) + k : 8 * ((k + l) % 8) + k;
}

// The rounds that the rotations between two blocks of B rows fall into.
template <Pattern P, int B>
inline constexpr int kRounds = P == Pattern::xor_tile ? B : 2 * B - 1;

// Calls visit(k, l) for rows k, l < B of two blocks, in the order of pattern P, for the rounds
// First .. Last - 1 of that order.
template <Pattern P, int B, bool Undo, int First = 0, int Last = kRounds<P, B>, class Visit>
[[gnu::always_inline]] inline void for_each_in_block(Visit&& visit) {
#pragma GCC unroll 16
  for (int m = First; m < Last; ++m) {
    const int round = Undo ? kRounds<P, B> - 1 - m : m;
#pragma GCC unroll 8
    for (int k = 0; k < B; ++k) {
      const int l = P == Pattern::xor_tile ? (k ^ round) : round - k;
      if (l >= 0 && l < B) visit(k, l);
    }
  }
}

// The blocks of B rows that a tile falls into, in order: visit(first row of a, first row of b).
template <Pattern P, int B, bool Undo, class Visit>
[[gnu::always_inline]] inline void for_each_block(Visit&& visit) {
  for_each_in_block<P, 8 / B, Undo>([&](int k, int l) { visit(B * k, B * l); });
}

template <class R, Pattern P, int B, bool Undo, bool Scale>
[[gnu::always_inline]] inline void block(R* a, R* b, std::int64_t width, const R* pq,
                                         const R* scale_a, const R* scale_b, int first_k,
                                         int first_l) {
  for (std::int64_t w = 0; w < width; w += kLanes<R>) {
    // Keeps the coefficients where they are: hoisted out of this loop they would be spilled.
    asm volatile("" ::: "memory");
    Vector<R> x[B], y[B];
#pragma GCC unroll 8
    for (int k = 0; k < B; ++k) {
      x[k] = load(a + k * width + w);
      y[k] = load(b + k * width + w);
      if constexpr (Scale) {
        x[k] *= scale_a[k];
        y[k] *= scale_b[k];
      }
    }
    for_each_in_block<P, B, Undo>([&](int k, int l) __attribute__((always_inline)) {
      rotate_rows<R>(x[k], y[l], pq + 2 * entry_of<P>(first_k + k, first_l + l));
    });
#pragma GCC unroll 8
    for (int k = 0; k < B; ++k) {
      store(a + k * width + w, x[k]);
      store(b + k * width + w, y[k]);
    }
  }
}

template <class R>
void multiply_rows(R* rows, std::int64_t width, const R* factors, int count) {
  for (int k = 0; k < count; ++k) {
    for (std::int64_t w = 0; w < width; w += kLanes<R>) {
      store(rows + k * width + w, load(rows + k * width + w) * factors[k]);
    }
  }
}

// `scales` is null, or has the 16 factors that the rows are multiplied by first.
template <class R, Pattern P, bool Undo>
[[gnu::noinline]] void tile(R* a, R* b, std::int64_t width, const R* pq, const R* scales) {
  constexpr int B = kForwardBlock;
  if constexpr (B == kGroup) {
    if (scales) {
      block<R, P, B, Undo, true>(a, b, width, pq, scales, scales + 8, 0, 0);
    } else {
      block<R, P, B, Undo, false>(a, b, width, pq, nullptr, nullptr, 0, 0);
    }
  } else {
    if (scales) {
      multiply_rows(a, width, scales, kGroup);
      multiply_rows(b, width, scales + 8, kGroup);
    }
    for_each_block<P, B, Undo>([&](int k, int l) __attribute__((always_inline)) {
      block<R, P, B, Undo, false>(a + k * width, b + l * width, width, pq, nullptr, nullptr, k, l);
    });
  }
}

// The 28 rotations within a group.
template <class R, bool Undo>
[[gnu::noinline]] void leaf(R* rows, std::int64_t width, const R* pq, const R* scales) {
  for (std::int64_t w = 0; w < width; w += kLanes<R>) {
    asm volatile("" ::: "memory");
    Vector<R> x[8];
#pragma GCC unroll 8
    for (int k = 0; k < 8; ++k) x[k] = load(rows + k * width + w);
    if (scales) {
#pragma GCC unroll 8
      for (int k = 0; k < 8; ++k) x[k] *= scales[k];
    }
#pragma GCC unroll 8
    for (int m = 0; m < 7; ++m) {
      const int r = Undo ? 7 - m : m + 1;
      const int high = r >= 4 ? 4 : r >= 2 ? 2 : 1;
#pragma GCC unroll 4
      for (int t = 0; t < 4; ++t) {
        const int i = (t & (high - 1)) | (t & ~(high - 1)) << 1;
        rotate_rows<R>(x[i], x[i ^ r], pq + 2 * (4 * (r - 1) + t));
      }
    }
#pragma GCC unroll 8
    for (int k = 0; k < 8; ++k) store(rows + k * width + w, x[k]);
  }
}

// One rotation [c p; q c] of two rows in memory.
template <class R>
[[gnu::always_inline]] inline void plain_rotation(R* x, R* y, std::int64_t width, const R* cpq) {
  for (std::int64_t w = 0; w < width; w += kLanes<R>) {
    const Vector<R> old_x = load(x + w);
    const Vector<R> old_y = load(y + w);
    store(x + w, old_x * cpq[0] + old_y * cpq[1]);
    store(y + w, old_x * cpq[2] + old_y * cpq[0]);
  }
}

// Runs one step on a panel.
template <class R, bool Undo>
void run_step(const Plan& plan, const Program<R>& program, std::int64_t index, R* panel,
              std::int64_t width) {
  const auto k = static_cast<std::size_t>(index);
  const Step& step = plan.steps[k];
  if (program.modes[k] == Mode::plain) {
    const R* rotation = program.plain.data() + program.starts[k];
    for_each_entry<Undo>(plan, step, [&](std::int32_t i, std::int32_t j, int e) {
      if (source_of(plan, step, e) < 0) return;
      plain_rotation(panel + i * width, panel + j * width, width, rotation);
      rotation += 3;
    });
    return;
  }
  const R* scales =
      program.modes[k] == Mode::normalised ? program.scales.data() + program.starts[k] : nullptr;
  const R* coefficients = program.coefficients.data() + 2 * step.entry;
  R* a = panel + step.a * width;
  R* b = panel + step.b * width;
  switch (step.pattern) {
    case Pattern::xor_tile:
      tile<R, Pattern::xor_tile, Undo>(a, b, width, coefficients, scales);
      break;
    case Pattern::sum_tile:
      tile<R, Pattern::sum_tile, Undo>(a, b, width, coefficients, scales);
      break;
    case Pattern::xor_leaf:
      leaf<R, Undo>(a, width, coefficients, scales);
      break;
    case Pattern::pairs:
      break;  // always plain
  }
}

}  // namespace givens::cpu::GIVENS_ISA
