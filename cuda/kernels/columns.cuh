// Columns of a row in registers, and what a rotation does to two rows of them.
#pragma once

#include <complex>
#include <cstdint>
#include <type_traits>

#include "givens/view.hpp"
#include "kernels/portable.cuh"

namespace givens::cuda {

// F is the field of the rotations: float, double or std::complex of one, which only names it.

// Reals in an element.
template <class F>
inline constexpr int kParts = is_complex_v<F> ? 2 : 1;

// Coefficients of a rotation; see Coefficients.
template <class F>
inline constexpr int kCoefficients = 2 * kParts<F>;

// C reals that follow one another, aligned to their size, in one access.
template <class R, int C>
struct alignas(C * sizeof(R)) Vector {
  R v[C];
};

template <class R, int C>
__device__ __forceinline__ Vector<R, C> load_vector(const R* p) {
  return *reinterpret_cast<const Vector<R, C>*>(p);
}

template <class R, int C>
__device__ __forceinline__ void store_vector(R* p, const Vector<R, C>& x) {
  *reinterpret_cast<Vector<R, C>*>(p) = x;
}

// C columns of a row. In memory all real parts of the row's W columns come first, then all
// imaginary parts.
template <class F, int C>
struct Cell {
  using R = real_t<F>;
  Vector<R, C> part[kParts<F>];

  __device__ __forceinline__ static Cell load(const R* p, int W) {
    Cell out;
#pragma unroll
    for (int k = 0; k < kParts<F>; ++k) out.part[k] = load_vector<R, C>(p + k * W);
    return out;
  }

  __device__ __forceinline__ void store(R* p, int W) const {
#pragma unroll
    for (int k = 0; k < kParts<F>; ++k) store_vector<R, C>(p + k * W, part[k]);
  }

  __device__ __forceinline__ void scale(R factor) {
#pragma unroll
    for (int k = 0; k < kParts<F>; ++k) {
#pragma unroll
      for (int c = 0; c < C; ++c) part[k].v[c] *= factor;
    }
  }
};

// x <- x - p y, y <- y + q x (the old one). c is (p, q), of complex ones (Re p, Im p, Re q, Im q).
template <class F, int C>
__device__ __forceinline__ void rotate_cells(Cell<F, C>& x, Cell<F, C>& y, const real_t<F>* c) {
#pragma unroll
  for (int k = 0; k < C; ++k) {
    if constexpr (is_complex_v<F>) {
      const real_t<F> re = x.part[0].v[k], im = x.part[1].v[k];
      x.part[0].v[k] = re - y.part[0].v[k] * c[0] + y.part[1].v[k] * c[1];
      x.part[1].v[k] = im - y.part[1].v[k] * c[0] - y.part[0].v[k] * c[1];
      y.part[0].v[k] = y.part[0].v[k] + re * c[2] - im * c[3];
      y.part[1].v[k] = y.part[1].v[k] + im * c[2] + re * c[3];
    } else {
      const F old = x.part[0].v[k];
      x.part[0].v[k] = old - y.part[0].v[k] * c[0];
      y.part[0].v[k] = y.part[0].v[k] + old * c[1];
    }
  }
}

// x <- c x - conj(e) s y, y <- c y + e s x (the old one). c is (c, s), of complex ones
// (c, Re e s, Im e s).
template <class F, int C>
__device__ __forceinline__ void rotate_plainly(Cell<F, C>& x, Cell<F, C>& y, const real_t<F>* c) {
#pragma unroll
  for (int k = 0; k < C; ++k) {
    if constexpr (is_complex_v<F>) {
      const real_t<F> re = x.part[0].v[k], im = x.part[1].v[k];
      x.part[0].v[k] = c[0] * re - y.part[0].v[k] * c[1] - y.part[1].v[k] * c[2];
      x.part[1].v[k] = c[0] * im - y.part[1].v[k] * c[1] + y.part[0].v[k] * c[2];
      y.part[0].v[k] = c[0] * y.part[0].v[k] + re * c[1] - im * c[2];
      y.part[1].v[k] = c[0] * y.part[1].v[k] + im * c[1] + re * c[2];
    } else {
      const F old = x.part[0].v[k];
      x.part[0].v[k] = c[0] * old - y.part[0].v[k] * c[1];
      y.part[0].v[k] = c[0] * y.part[0].v[k] + old * c[1];
    }
  }
}

// The sum over columns of g_y conj(y_x) - y_y conj(g_x): what the gradients by the angle and the
// phase of a rotation of rows x and y are made of. `w` has kParts reals.
template <class F, int C>
__device__ __forceinline__ void add_products(const Cell<F, C>& yx, const Cell<F, C>& yy,
                                             const Cell<F, C>& gx, const Cell<F, C>& gy,
                                             real_t<F>* w) {
#pragma unroll
  for (int k = 0; k < C; ++k) {
    if constexpr (is_complex_v<F>) {
      const real_t<F> yxr = yx.part[0].v[k], yxi = yx.part[1].v[k];
      const real_t<F> yyr = yy.part[0].v[k], yyi = yy.part[1].v[k];
      const real_t<F> gxr = gx.part[0].v[k], gxi = gx.part[1].v[k];
      const real_t<F> gyr = gy.part[0].v[k], gyi = gy.part[1].v[k];
      w[0] += gyr * yxr + gyi * yxi - yyr * gxr - yyi * gxi;
      w[1] += gyi * yxr - gyr * yxi - yyi * gxr + yyr * gxi;
    } else {
      w[0] += gy.part[0].v[k] * yx.part[0].v[k];
      w[0] -= gx.part[0].v[k] * yy.part[0].v[k];
    }
  }
}

}  // namespace givens::cuda
