// The steps over a strip: forward on the strip of `rotate`, or backward on the two strips of a
// gradient, as kernels/steps-inl.hpp has them for panels. Compiled for each instruction set; see
// engine_headers.hpp.
#pragma once

#include "cpu/simd/shuffle-inl.hpp"
#include "cpu/strips/coefficients-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

// Some rows of vectors, on their way through the steps.
template <class R>
struct Strip {
  // The first step reads row r at from + r * from_row, later ones where it was written.
  const R* from = nullptr;
  std::int64_t from_row = 0;
  R* to = nullptr;
  std::int64_t to_row = 0;

  void skip(std::int64_t rows) {
    from += rows * from_row;
    to += rows * to_row;
  }
};

// What steps work on: one strip, or with Gradient the strips y and g, and the sums of all packs of
// rotations, kReals vectors each. Unless StripProgram::is_complete, each row ends with a pack of
// zeros.
template <class F, bool Gradient>
struct Strips {
  static constexpr int kCount = Gradient ? 2 : 1;

  Strip<real_t<F>> strip[kCount];
  real_t<F>* sums = nullptr;  // Gradient only
};

// The most rows that share a load of coefficients. With four packs of each, they take half of the
// registers.
template <class F, bool Gradient>
inline constexpr int kStripRows = std::max<int>(
    1, GIVENS_VECTOR_REGISTERS / (8 * static_cast<int>(kReals<F>) * (Gradient ? 2 : 1)));

template <int Bit>
struct LanesThatMeet {
  static constexpr int at(int k, int) { return k ^ (1 << Bit); }
};

// The lanes that the lanes of x meet.
template <int Bit, class R>
[[gnu::always_inline]] inline VectorPack<R> partners_of(const VectorPack<R>& x) {
  return {shuffle<LanesThatMeet<Bit>>(x.v, x.v)};
}
template <int Bit, class R>
[[gnu::always_inline]] inline VectorPack<std::complex<R>> partners_of(
    const VectorPack<std::complex<R>>& x) {
  return {shuffle<LanesThatMeet<Bit>>(x.re, x.re), shuffle<LanesThatMeet<Bit>>(x.im, x.im)};
}

// A vector of cosines and a pack of sines; see StripCoefficients.
template <class F>
struct LaneRotations {
  Vector<real_t<F>> cosine;
  VectorPack<F> sine;

  [[gnu::always_inline]] static LaneRotations load_from(const real_t<F>* p) {
    return {load(p), VectorPack<F>::load_from(p + kLanes<real_t<F>>)};
  }
};

// x <- c x + s y.
template <class R>
[[gnu::always_inline]] inline void rotate_lanes(VectorPack<R>& x, const VectorPack<R>& y,
                                                const LaneRotations<R>& c) {
  x.v = fma(y.v, c.sine.v, x.v * c.cosine);
}
template <class R>
[[gnu::always_inline]] inline void rotate_lanes(VectorPack<std::complex<R>>& x,
                                                const VectorPack<std::complex<R>>& y,
                                                const LaneRotations<std::complex<R>>& c) {
  x.re = fnma(y.im, c.sine.im, fma(y.re, c.sine.re, x.re * c.cosine));
  x.im = fma(y.re, c.sine.im, fma(y.im, c.sine.re, x.im * c.cosine));
}

// x <- c x - conj(s) y, y <- c y + s x (the old one).
template <class R>
[[gnu::always_inline]] inline void rotate_two(VectorPack<R>& x, VectorPack<R>& y,
                                              const LaneRotations<R>& c) {
  const VectorPack<R> old = x;
  x.v = fnma(y.v, c.sine.v, x.v * c.cosine);
  rotate_lanes(y, old, c);
}
template <class R>
[[gnu::always_inline]] inline void rotate_two(VectorPack<std::complex<R>>& x,
                                              VectorPack<std::complex<R>>& y,
                                              const LaneRotations<std::complex<R>>& c) {
  const VectorPack<std::complex<R>> old = x;
  x.re = fnma(y.im, c.sine.im, fnma(y.re, c.sine.re, x.re * c.cosine));
  x.im = fma(y.re, c.sine.im, fnma(y.im, c.sine.re, x.im * c.cosine));
  rotate_lanes(y, old, c);
}

// Adds a pack to kReals vectors in memory.
template <class F>
[[gnu::always_inline]] inline void add_to_memory(const VectorPack<F>& x, real_t<F>* sums) {
  VectorPack<F> total = VectorPack<F>::load_from(sums);
  if constexpr (is_complex_v<F>) {
    total.re += x.re;
    total.im += x.im;
  } else {
    total.v += x.v;
  }
  total.store_to(sums);
}

// The packs in registers at once: a set of each of Rows rows.
template <class F, bool Gradient, int Rows>
class PacksInRegisters {
 public:
  using R = real_t<F>;
  static constexpr int kCount = Strips<F, Gradient>::kCount;

  // `strips` is a copy, as what is stored to rows could else be the strips themselves.
  [[gnu::always_inline]] PacksInRegisters(const Strips<F, Gradient>& strips, const R* coefficients,
                                          R* sums)
      : strips_(strips), coefficients_(coefficients), sums_(sums) {}

  [[gnu::always_inline]] void load(const std::int64_t* offsets) {
    each([&](auto p, auto m, auto r) __attribute__((always_inline)) {
      x_[p][m][r] = VectorPack<F>::load_from(strips_.strip[p].from + offsets[m] +
                                             r.value * strips_.strip[p].from_row);
    });
  }
  [[gnu::always_inline]] void store(const std::int64_t* offsets) const {
    each([&](auto p, auto m, auto r) __attribute__((always_inline)) {
      x_[p][m][r].store_to(strips_.strip[p].to + offsets[m] + r.value * strips_.strip[p].to_row);
    });
  }

  // A round of lanes of the same packs.
  template <int Bit>
  [[gnu::always_inline]] void rotate_within() {
    constexpr int kPacks = Bit < kLaneBits<R> ? kStepPacks : 0;
    unrolled<kPacks>([&](auto m) __attribute__((always_inline)) {
      const auto c = LaneRotations<F>::load_from(coefficients_);
      VectorPack<F> total{};
      unrolled<Rows>([&](auto r) __attribute__((always_inline)) {
        VectorPack<F> met[kCount];
        unrolled<kCount>(
            [&](auto p) __attribute__((always_inline)) { met[p] = partners_of<Bit>(x_[p][m][r]); });
        if constexpr (Gradient) add_products(total, x_[0][m][r], met[0], x_[1][m][r], met[1]);
        unrolled<kCount>(
            [&](auto p) __attribute__((always_inline)) { rotate_lanes(x_[p][m][r], met[p], c); });
      });
      next(total);
    });
  }

  // A round of packs whose numbers differ in the step's bit `Bit`.
  template <int Bit>
  [[gnu::always_inline]] void rotate_between() {
    unrolled<kStepPacks>([&](auto m) __attribute__((always_inline)) {
      constexpr int k = m.value;
      constexpr int l = k + (1 << Bit);
      if constexpr ((k >> Bit & 1) == 0) {
        const auto c = LaneRotations<F>::load_from(coefficients_);
        VectorPack<F> total{};
        unrolled<Rows>([&](auto r) __attribute__((always_inline)) {
          if constexpr (Gradient) {
            add_products(total, x_[0][k][r], x_[0][l][r], x_[1][k][r], x_[1][l][r]);
          }
          unrolled<kCount>([&](auto p) __attribute__((always_inline)) {
            rotate_two(x_[p][k][r], x_[p][l][r], c);
          });
        });
        next(total);
      }
    });
  }

  const R* coefficients() const { return coefficients_; }
  R* sums() const { return sums_; }

 private:
  template <class Body>
  [[gnu::always_inline]] static void each(Body&& body) {
    unrolled<kCount>([&](auto p) __attribute__((always_inline)) {
      unrolled<kStepPacks>([&](auto m) __attribute__((always_inline)) {
        unrolled<Rows>([&](auto r) __attribute__((always_inline)) { body(p, m, r); });
      });
    });
  }

  // Goes on to the next pack of rotations.
  [[gnu::always_inline]] void next(const VectorPack<F>& total) {
    coefficients_ += StripCoefficients<F>::kOfPack;
    if constexpr (Gradient) {
      add_to_memory<F>(total, sums_);
      sums_ += kPackReals<F>;
    }
  }

  const Strips<F, Gradient> strips_;
  const R* coefficients_;
  R* sums_;
  VectorPack<F> x_[kCount][kStepPacks][Rows];
};

// Runs a step on Rows rows. Returns where the next step has its coefficients and sums.
template <int Rows, class F, bool Gradient>
[[gnu::noinline]] std::pair<const real_t<F>*, real_t<F>*> run_strip_step(
    const Strips<F, Gradient>& strips, const StripProgram<F>& program, const StripStep& step,
    const real_t<F>* coefficients, real_t<F>* sums) {
  const StripRound* const first = program.rounds.data() + step.rounds.first;
  const StripRound* const last = program.rounds.data() + step.rounds.last;
  program.for_each_set(step, [&](std::int64_t base) __attribute__((always_inline)) {
    std::int64_t offsets[kStepPacks];
    for (int m = 0; m < kStepPacks; ++m) {
      offsets[m] = kPackReals<F> * program.pack_of(step, base, m);
    }
    PacksInRegisters<F, Gradient, Rows> packs(strips, coefficients, sums);
    packs.load(offsets);
    for (const StripRound* round = first; round != last; ++round) {
      switch (round->kind) {
        case 0:
          packs.template rotate_within<0>();
          break;
        case 1:
          packs.template rotate_within<1>();
          break;
        case 2:
          packs.template rotate_within<2>();
          break;
        case 3:
          packs.template rotate_within<3>();
          break;
        case kBetweenPacks:
          packs.template rotate_between<0>();
          break;
        default:
          packs.template rotate_between<1>();
      }
    }
    packs.store(offsets);
    coefficients = packs.coefficients();
    sums = packs.sums();
  });
  return {coefficients, sums};
}

}  // namespace givens::cpu::GIVENS_ISA
