// Moving vectors between the caller's memory, where each is contiguous, and the rows of strips.
// Compiled for each instruction set; see engine_headers.hpp.
#pragma once

#include "cpu/panels/packing-inl.hpp"
#include "cpu/strips/program-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

// The rows of F that a vector of T takes: where F is real and T complex one with the real parts and
// one with the imaginary parts.
template <class T, class F>
inline constexpr std::int64_t kRowsOfVector = kReals<T> / kReals<F>;

// Calls move(elements, place) for each kLanes elements of a vector and their place in a row. What
// is left over at the end is moved by way of memory with zeros behind it.
template <class T, class F, class S, class Move>
[[gnu::always_inline]] inline void for_each_pack_of_vector(S* vector, std::int64_t n, Move&& move) {
  constexpr std::int64_t L = kLanes<real_t<T>>;
  std::int64_t k = 0;
  for (; k + L <= n; k += L) move(vector + k * kReals<T>, k * kReals<F>);
  if (k == n) return;
  std::remove_const_t<S> rest[L * kReals<T>] = {};
  S* const from = vector + k * kReals<T>;
  const std::int64_t count = (n - k) * kReals<T>;
  if constexpr (std::is_const_v<S>) {
    std::copy_n(from, count, rest);
    move(static_cast<S*>(rest), k * kReals<F>);
  } else {
    move(static_cast<S*>(rest), k * kReals<F>);
    std::copy_n(rest, count, from);
  }
}

// Fills the rows of a vector, and the pack of zeros behind each.
template <class T, class F>
void pack_strip(const storage_t<T>* vector, std::int64_t n, real_t<F>* row, std::int64_t stride) {
  using R = real_t<F>;
  for_each_pack_of_vector<T, F>(
      vector, n, [&](const storage_t<T>* from, std::int64_t place) __attribute__((always_inline)) {
        if constexpr (kRowsOfVector<T, F> == 2) {
          const auto x = load_elements<std::complex<R>>(from);
          store(row + place, x.re);
          store(row + stride + place, x.im);
        } else {
          load_elements<F>(from).store_to(row + place);
        }
      });
  for (std::int64_t k = 0; k < kRowsOfVector<T, F>; ++k) {
    std::fill_n(row + (k + 1) * stride - kPackReals<F>, kPackReals<F>, R(0));
  }
}

// Writes the rows of a vector back.
template <class T, class F>
void unpack_strip(const real_t<F>* row, std::int64_t stride, std::int64_t n, storage_t<T>* vector) {
  using R = real_t<F>;
  for_each_pack_of_vector<T, F>(
      vector, n, [&](storage_t<T>* to, std::int64_t place) __attribute__((always_inline)) {
        if constexpr (kRowsOfVector<T, F> == 2) {
          store_elements<std::complex<R>>(
              to, VectorPack<std::complex<R>>{load(row + place), load(row + stride + place)});
        } else {
          store_elements<F>(to, VectorPack<F>::load_from(row + place));
        }
      });
}

// Multiplies `rows` rows by the diagonal, or with Conjugate by its conjugate.
template <bool Conjugate, class F>
void multiply_strip(const real_t<F>* diagonal, std::int64_t reals, real_t<F>* row,
                    std::int64_t stride, std::int64_t rows) {
  for (std::int64_t r = 0; r < rows; ++r, row += stride) {
    for (std::int64_t k = 0; k < reals; k += kPackReals<F>) {
      auto x = VectorPack<F>::load_from(row + k);
      const auto d = VectorPack<F>::load_from(diagonal + k);
      if constexpr (is_complex_v<F>) {
        const auto im = Conjugate ? -d.im : d.im;
        x = {fma(x.re, d.re, -(x.im * im)), fma(x.im, d.re, x.re * im)};
      } else {
        x.v = x.v * d.v;
      }
      x.store_to(row + k);
    }
  }
}

// Whether all numbers of some rows are finite.
template <class R>
bool strip_is_finite(const R* row, std::int64_t reals) {
  Bits<R> excessive{};
  for (std::int64_t k = 0; k < reals; k += kLanes<R>) {
    const Vector<R> x = load(row + k);
    excessive |= ~(x - x == R(0));
  }
  return none<R>(excessive);
}

}  // namespace givens::cpu::GIVENS_ISA
