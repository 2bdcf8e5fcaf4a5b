// Rotations of kLanes small matrices at once, each in a lane of its own. Compiled for each
// instruction set; see engine_headers.hpp.
//
// A block holds kLanes matrices: vector r * row_step + c has their numbers in row r and column c.
// A column of complex numbers takes two columns of the block, for real and imaginary parts. F is
// the field of the rotations; real ones rotate the two columns like any others.
#pragma once

#include "cpu/simd/vector_pack-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

struct BlockShape {
  std::int64_t rows;
  std::int64_t columns;
  std::int64_t columns_at_once;  // go through all rotations before the next columns do
  std::int64_t row_step;         // in vectors

  std::int64_t vectors() const { return rows * row_step; }
};

// `blocks` are swept together: `columns_at_once` columns of all of them stay in the first-level
// cache.
template <class F>
BlockShape block_shape(std::int64_t rows, std::int64_t columns, std::int64_t blocks) {
  constexpr std::int64_t kBytes = 36 * 1024;
  const std::int64_t fitting =
      std::max<std::int64_t>(kBytes / (blocks * rows * GIVENS_VECTOR_BYTES), 4);
  const std::int64_t parts = std::max<std::int64_t>((columns + fitting - 1) / fitting, 1);
  const std::int64_t each = (columns + parts - 1) / parts;
  // An odd row_step spreads the rows over the lines of the cache.
  return {rows, columns, (each + kReals<F> - 1) / kReals<F> * kReals<F>, columns | 1};
}

// A rotation, and the columns first .. last - 1 in which its rows may differ from zero.
struct BatchRotation {
  std::int32_t i;
  std::int32_t j;
  std::int32_t first;
  std::int32_t last;
};

// The rotations of a schedule on `columns` columns, of which `reals` belong to a number each. With
// `from_identity` the block starts as the identity: a row is zero outside an interval, which the
// rotations widen.
inline std::vector<BatchRotation> batch_rotations(const Schedule& schedule, std::int64_t columns,
                                                  std::int64_t reals, bool from_identity) {
  const auto all = static_cast<std::int32_t>(columns);
  const auto width = static_cast<std::int32_t>(reals);
  struct Interval {
    std::int32_t first;
    std::int32_t last;
  };
  std::vector<Interval> filled;
  for (std::int32_t row = 0; row < schedule.n(); ++row) {
    filled.push_back({0, all});
    if (!from_identity) continue;
    const std::int32_t first = row * width;
    filled.back() = first < all ? Interval{first, first + width} : Interval{all, 0};  // empty
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

// The sines and cosines of a chunk's angles, and of its phases if it has any. Vector k belongs to
// rotation k.
template <class R>
struct BatchAngles {
  const R* sines;
  const R* cosines;
  const R* phase_sines;
  const R* phase_cosines;
};

// A rotation, or with Adjoint its inverse: x <- c x - conj(e) s y, y <- e s x + c y, e = exp(ip).
template <class F, bool Adjoint>
class LaneRotation {
 public:
  using R = real_t<F>;

  [[gnu::always_inline]] LaneRotation(const BatchAngles<R>& angles, std::int64_t k)
      : c_(load(angles.cosines + k * kLanes<R>)) {
    const Vector<R> sine = load(angles.sines + k * kLanes<R>);
    const Vector<R> s = Adjoint ? -sine : sine;
    if constexpr (is_complex_v<F>) {
      es_ = {s * load(angles.phase_cosines + k * kLanes<R>),
             s * load(angles.phase_sines + k * kLanes<R>)};
    } else {
      es_ = {s};
    }
  }

  [[gnu::always_inline]] void apply(R* x, R* y) const {
    const auto a = VectorPack<F>::load_from(x);
    const auto b = VectorPack<F>::load_from(y);
    apply(a, b, x, y);
  }

  // The same, with what x and y hold in a and b.
  [[gnu::always_inline]] void apply(const VectorPack<F>& a, const VectorPack<F>& b, R* x,
                                    R* y) const {
    if constexpr (is_complex_v<F>) {
      VectorPack<F>{fnma(es_.im, b.im, fma(c_, a.re, -(es_.re * b.re))),
                    fma(es_.im, b.re, fma(c_, a.im, -(es_.re * b.im)))}
          .store_to(x);
      VectorPack<F>{fma(c_, b.re, fma(es_.re, a.re, -(es_.im * a.im))),
                    fma(c_, b.im, fma(es_.re, a.im, es_.im * a.re))}
          .store_to(y);
    } else {
      VectorPack<F>{fma(c_, a.v, -(es_.v * b.v))}.store_to(x);
      VectorPack<F>{fma(es_.v, a.v, c_ * b.v)}.store_to(y);
    }
  }

 private:
  Vector<R> c_;
  VectorPack<F> es_;
};

// Calls body(rotation, its index, first column, last column) for all rotations, in the order of U
// or with Adjoint backwards, on `columns_at_once` columns after the other.
template <bool Adjoint, class Body>
[[gnu::always_inline]] inline void for_each_rotation(const std::vector<BatchRotation>& rotations,
                                                     const BlockShape& shape, Body&& body) {
  const auto count = static_cast<std::int64_t>(rotations.size());
  for (std::int64_t from = 0; from < shape.columns; from += shape.columns_at_once) {
    const std::int64_t to = std::min(from + shape.columns_at_once, shape.columns);
    for (std::int64_t m = 0; m < count; ++m) {
      const std::int64_t k = Adjoint ? count - 1 - m : m;
      const BatchRotation& rotation = rotations[static_cast<std::size_t>(k)];
      body(rotation, k, std::max<std::int64_t>(rotation.first, from),
           std::min<std::int64_t>(rotation.last, to));
    }
  }
}

// Applies all rotations to a block, or with Adjoint their inverses.
template <class F, bool Adjoint>
void batch_sweep(const std::vector<BatchRotation>& rotations, const BatchAngles<real_t<F>>& angles,
                 const BlockShape& shape, real_t<F>* block) {
  using R = real_t<F>;
  constexpr std::int64_t L = kLanes<R>;
  for_each_rotation<Adjoint>(
      rotations, shape,
      [&](const BatchRotation& rotation, std::int64_t k, std::int64_t first, std::int64_t last) {
        const LaneRotation<F, Adjoint> rotate(angles, k);
        R* row_i = block + rotation.i * shape.row_step * L;
        R* row_j = block + rotation.j * shape.row_step * L;
        GIVENS_UNROLL(4)
        for (std::int64_t q = first; q < last; q += kReals<F>) {
          rotate.apply(row_i + q * L, row_j + q * L);
        }
      });
}

// Sums over columns from which the gradients of a rotation of rows i and j follow: W[j, i] with
// W = g y^H - y g^H, and for complex numbers also Im (W[j, j] - W[i, i]) / 2.
template <class F>
class BatchProducts {
 public:
  using R = real_t<F>;
  static constexpr std::int64_t kSums = is_complex_v<F> ? 3 : 1;

  [[gnu::always_inline]] void add(const VectorPack<F>& yi, const VectorPack<F>& yj,
                                  const VectorPack<F>& gi, const VectorPack<F>& gj) {
    if constexpr (is_complex_v<F>) {
      add_products(w_, yi, yj, gi, gj);
      other_ = fnma(gj.re, yj.im, fma(gj.im, yj.re, other_));
      other_ = fma(gi.re, yi.im, fnma(gi.im, yi.re, other_));
    } else {
      // There are two sums, so that neither addition waits for the other.
      w_.v = fma(gj.v, yi.v, w_.v);
      other_ = fma(gi.v, yj.v, other_);
    }
  }

  // Adds them to vectors 0, step and 2 step of `sums`.
  [[gnu::always_inline]] void add_to(R* sums, std::int64_t step) const {
    if constexpr (is_complex_v<F>) {
      add_one(sums, w_.re);
      add_one(sums + step * kLanes<R>, w_.im);
      add_one(sums + 2 * step * kLanes<R>, other_);
    } else {
      add_one(sums, w_.v - other_);
    }
  }

 private:
  [[gnu::always_inline]] static void add_one(R* sum, const Vector<R>& v) {
    store(sum, load(sum) + v);
  }

  VectorPack<F> w_{};
  Vector<R> other_{};
};

// Takes the outputs y and the gradients g by them through all rotations, or with Adjoint through
// their inverses from the last on, and sums the products before each. Vector
// p * count + k of `sums` gets sum p of rotation k.
template <class F, bool Adjoint>
void batch_vjp_sweep(const std::vector<BatchRotation>& rotations,
                     const BatchAngles<real_t<F>>& angles, const BlockShape& shape, real_t<F>* y,
                     real_t<F>* g, real_t<F>* sums) {
  using R = real_t<F>;
  constexpr std::int64_t L = kLanes<R>;
  const auto count = static_cast<std::int64_t>(rotations.size());
  for_each_rotation<Adjoint>(
      rotations, shape,
      [&](const BatchRotation& rotation, std::int64_t k, std::int64_t first, std::int64_t last) {
        const LaneRotation<F, Adjoint> rotate(angles, k);
        const std::int64_t i = rotation.i * shape.row_step * L;
        const std::int64_t j = rotation.j * shape.row_step * L;
        BatchProducts<F> products;
        GIVENS_UNROLL(2)
        for (std::int64_t q = first * L; q < last * L; q += kPackReals<F>) {
          const auto yi = VectorPack<F>::load_from(y + i + q);
          const auto yj = VectorPack<F>::load_from(y + j + q);
          const auto gi = VectorPack<F>::load_from(g + i + q);
          const auto gj = VectorPack<F>::load_from(g + j + q);
          products.add(yi, yj, gi, gj);
          rotate.apply(yi, yj, y + i + q, y + j + q);
          rotate.apply(gi, gj, g + i + q, g + j + q);
        }
        products.add_to(sums + k * L, count);
      });
}

// Turns the sums of batch_vjp_sweep into the gradients by `count` angles and, behind them, by the
// phases. With z = exp(-ip) W[j, i] the gradient by an angle t is Re z, by its phase p
//   sin t cos t Im z + (sin t)^2 Im (W[j, j] - W[i, i]) / 2,
// after an Adjoint sweep. After a forward sweep W is the one of the inverse rotations' outputs, and
// the gradients through the inverse are the same with -t for t.
template <class F, bool Adjoint>
void batch_gradients(const BatchAngles<real_t<F>>& angles, std::int64_t count, real_t<F>* sums) {
  using R = real_t<F>;
  constexpr std::int64_t L = kLanes<R>;
  for (std::int64_t k = 0; k < count * L; k += L) {
    Vector<R> re = load(sums + k);
    if constexpr (is_complex_v<F>) {
      R* of_phase = sums + count * L + k;
      const Vector<R> im_w = load(of_phase);
      const Vector<R> ps = load(angles.phase_sines + k);
      const Vector<R> pc = load(angles.phase_cosines + k);
      const Vector<R> im = fma(pc, im_w, -(ps * re));
      re = fma(pc, re, ps * im_w);
      const Vector<R> sine = load(angles.sines + k);
      const Vector<R> s = Adjoint ? sine : -sine;
      store(of_phase, s * fma(load(angles.cosines + k), im, s * load(of_phase + count * L)));
    }
    store(sums + k, Adjoint ? re : -re);
  }
}

// The gradients by the diagonal, from outputs y and the gradients g by them: Im (g conj(y)), summed
// over the columns of each row.
template <class R>
void batch_diagonal_gradients(const BlockShape& shape, R sign, const R* y, const R* g,
                              R* gradients) {
  constexpr std::int64_t L = kLanes<R>;
  for (std::int64_t r = 0; r < shape.rows; ++r) {
    Vector<R> sum{};
    const std::int64_t first = r * shape.row_step * L;
    for (std::int64_t q = first; q < first + shape.columns * L; q += 2 * L) {
      const auto a = VectorPack<std::complex<R>>::load_from(y + q);
      const auto b = VectorPack<std::complex<R>>::load_from(g + q);
      sum += fma(b.im, a.re, -(b.re * a.im));
    }
    store(gradients + r * L, sign * sum);
  }
}

// Multiplies the rows of a block of complex numbers by exp(id), or with Adjoint by exp(-id).
template <bool Adjoint, class R>
void batch_multiply_by_phases(const R* sines, const R* cosines, const BlockShape& shape, R* block) {
  constexpr std::int64_t L = kLanes<R>;
  for (std::int64_t r = 0; r < shape.rows; ++r) {
    const Vector<R> c = load(cosines + r * L);
    const Vector<R> sine = load(sines + r * L);
    const Vector<R> s = Adjoint ? -sine : sine;
    const std::int64_t first = r * shape.row_step * L;
    for (std::int64_t q = first; q < first + shape.columns * L; q += 2 * L) {
      const auto x = VectorPack<std::complex<R>>::load_from(block + q);
      VectorPack<std::complex<R>>{fma(c, x.re, -(s * x.im)), fma(c, x.im, s * x.re)}.store_to(
          block + q);
    }
  }
}

// Multiplies the rows of a block by their signs.
template <class R>
void batch_multiply_by_signs(const R* signs, const BlockShape& shape, R* block) {
  constexpr std::int64_t L = kLanes<R>;
  for (std::int64_t r = 0; r < shape.rows; ++r) {
    const Vector<R> sign = load(signs + r * L);
    const std::int64_t first = r * shape.row_step * L;
    for (std::int64_t q = first; q < first + shape.columns * L; q += L) {
      store(block + q, sign * load(block + q));
    }
  }
}

}  // namespace givens::cpu::GIVENS_ISA
