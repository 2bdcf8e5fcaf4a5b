// Rotations of kLanes small matrices at once, each in a lane of its own. Compiled for each
// instruction set; see simd.hpp.
//
// A block holds kLanes matrices: vector r * row_step + c has their entries of row r and column c.

namespace givens::cpu::GIVENS_ISA {

// A rotation, and the columns first .. last - 1 in which it has something to turn.
struct BatchRotation {
  std::int32_t i;
  std::int32_t j;
  std::int32_t first;
  std::int32_t last;
};

// The rotations of a schedule on `columns` columns. `from_identity`: those of the identity, of
// which a row is zero outside an interval that the rotations widen.
inline std::vector<BatchRotation> batch_rotations(const Schedule& schedule, std::int64_t columns,
                                                  bool from_identity) {
  const auto all = static_cast<std::int32_t>(columns);
  struct Interval {
    std::int32_t first;
    std::int32_t last;
  };
  std::vector<Interval> filled;
  for (std::int32_t row = 0; row < schedule.n(); ++row) {
    filled.push_back({0, all});
    if (!from_identity) continue;
    filled.back() = row < all ? Interval{row, row + 1} : Interval{all, 0};  // empty
  }
  std::vector<BatchRotation> out;
  for (const Pair& pair : schedule.pairs()) {
    Interval& a = filled[static_cast<std::size_t>(pair.i)];
    Interval& b = filled[static_cast<std::size_t>(pair.j)];
    a = b = {std::min(a.first, b.first), std::max(a.last, b.last)};
    out.push_back({pair.i, pair.j, a.first, a.last});
  }
  return out;
}

// Widths of the parts in which the columns of a block are taken through all rotations, so that a
// part of `blocks` blocks stays in the first-level cache.
inline std::int64_t batch_columns_at_once(std::int64_t n, std::int64_t columns,
                                          std::int64_t blocks) {
  constexpr std::int64_t kBytes = 36 * 1024;
  const std::int64_t fitting =
      std::max<std::int64_t>(kBytes / (blocks * n * GIVENS_VECTOR_BYTES), 4);
  const std::int64_t parts = std::max<std::int64_t>((columns + fitting - 1) / fitting, 1);
  return (columns + parts - 1) / parts;
}

// The vectors from one row to the next: odd, lest the rows of a part fall on the same lines of the
// cache.
inline std::int64_t batch_row_step(std::int64_t columns) { return columns | 1; }

// The sines and cosines of a chunk's angles: vector k is for rotation k.
template <class R>
struct BatchAngles {
  const R* sines;
  const R* cosines;
};

// Calls body(rotation, its index, columns first, last) in the order of doing or of undoing, for
// one part of the columns after the other.
template <bool Undo, class Body>
[[gnu::always_inline]] inline void for_each_rotation(const std::vector<BatchRotation>& rotations,
                                                     std::int64_t columns,
                                                     std::int64_t columns_at_once, Body&& body) {
  const auto count = static_cast<std::int64_t>(rotations.size());
  for (std::int64_t from = 0; from < columns; from += columns_at_once) {
    const std::int64_t to = std::min(from + columns_at_once, columns);
    for (std::int64_t m = 0; m < count; ++m) {
      const std::int64_t k = Undo ? count - 1 - m : m;
      const BatchRotation& rotation = rotations[static_cast<std::size_t>(k)];
      body(rotation, k, std::max<std::int64_t>(rotation.first, from),
           std::min<std::int64_t>(rotation.last, to));
    }
  }
}

// Rotates a block by all angles, or with Undo back.
template <class R, bool Undo>
void batch_sweep(const std::vector<BatchRotation>& rotations, const BatchAngles<R>& angles,
                 std::int64_t columns, std::int64_t columns_at_once, std::int64_t row_step,
                 R* block) {
  constexpr std::int64_t L = kLanes<R>;
  for_each_rotation<Undo>(
      rotations, columns, columns_at_once,
      [&](const BatchRotation& rotation, std::int64_t k, std::int64_t first, std::int64_t last) {
        const Vector<R> c = load(angles.cosines + k * L);
        const Vector<R> sine = load(angles.sines + k * L);
        const Vector<R> s = Undo ? -sine : sine;
        R* row_i = block + rotation.i * row_step * L;
        R* row_j = block + rotation.j * row_step * L;
#pragma GCC unroll 4
        for (std::int64_t q = first; q < last; ++q) {
          const Vector<R> x = load(row_i + q * L);
          const Vector<R> y = load(row_j + q * L);
          store(row_i + q * L, c * x - s * y);
          store(row_j + q * L, s * x + c * y);
        }
      });
}

// Takes the blocks y and g, of outputs and of the gradient by them, through the rotations, with
// Undo back, and adds to `sums` for each the sum of g_j y_i - g_i y_j over its columns. Turning the
// rows i and j by the rotation itself does not change it.
template <class R, bool Undo>
void batch_vjp_sweep(const std::vector<BatchRotation>& rotations, const BatchAngles<R>& angles,
                     std::int64_t columns, std::int64_t columns_at_once, std::int64_t row_step,
                     R* y, R* g, R* sums) {
  constexpr std::int64_t L = kLanes<R>;
  for_each_rotation<Undo>(
      rotations, columns, columns_at_once,
      [&](const BatchRotation& rotation, std::int64_t k, std::int64_t first, std::int64_t last) {
        const Vector<R> c = load(angles.cosines + k * L);
        const Vector<R> sine = load(angles.sines + k * L);
        const Vector<R> s = Undo ? -sine : sine;
        const std::int64_t i = rotation.i * row_step * L;
        const std::int64_t j = rotation.j * row_step * L;
        // Two sums, so that neither waits for the other.
        Vector<R> positive{};
        Vector<R> negative{};
#pragma GCC unroll 2
        for (std::int64_t q = first; q < last; ++q) {
          const Vector<R> yi = load(y + i + q * L);
          const Vector<R> yj = load(y + j + q * L);
          const Vector<R> gi = load(g + i + q * L);
          const Vector<R> gj = load(g + j + q * L);
          positive += gj * yi;
          negative += gi * yj;
          store(y + i + q * L, c * yi - s * yj);
          store(y + j + q * L, s * yi + c * yj);
          store(g + i + q * L, c * gi - s * gj);
          store(g + j + q * L, s * gi + c * gj);
        }
        store(sums + k * L, load(sums + k * L) + (positive - negative));
      });
}

// Multiplies the rows of a block by their signs.
template <class R>
void batch_multiply_by_signs(const R* signs, std::int64_t n, std::int64_t columns,
                             std::int64_t row_step, R* block) {
  constexpr std::int64_t L = kLanes<R>;
  for (std::int64_t r = 0; r < n; ++r) {
    const Vector<R> sign = load(signs + r * L);
    for (std::int64_t q = 0; q < columns; ++q) {
      R* entry = block + (r * row_step + q) * L;
      store(entry, sign * load(entry));
    }
  }
}

}  // namespace givens::cpu::GIVENS_ISA
