// Columns of a row in registers, and the rotation of two such rows.
#pragma once

#include <complex>
#include <cstdint>
#include <type_traits>

#include "givens/view.hpp"
#include "kernels/portable.cuh"

namespace givens::cuda {

// F is the field of the rotations: float, double or std::complex of either. Complex numbers are
// pairs of reals here; std::complex is only the name of the field.

// The reals of a number.
template <class T>
inline constexpr int kReals = is_complex_v<T> ? 2 : 1;

// The coefficients of a rotation; see coefficients.cuh.
template <class F>
inline constexpr int kCoefficients = 2 * kReals<F>;

// C successive reals, aligned so that one access loads or stores them.
template <class R, int C>
struct alignas(C * sizeof(R)) Vector {
  R v[C];
};

template <class R, int C>
__device__ __forceinline__ Vector<R, C> load_vector(const R* p) {
  const auto& vector = *reinterpret_cast<const Vector<R, C>*>(p);  // Clang checks its alignment
  return vector;
}

template <class R, int C>
__device__ __forceinline__ void store_vector(R* p, const Vector<R, C>& x) {
  auto& vector = *reinterpret_cast<Vector<R, C>*>(p);
  vector = x;
}

// C columns of a row. In memory the real parts of the row's W columns come before the imaginary
// parts.
template <class F, int C>
struct Columns {
  using R = real_t<F>;
  Vector<R, C> part[kReals<F>];

  __device__ __forceinline__ static Columns load(const R* p, int W) {
    Columns out;
#pragma unroll
    for (int k = 0; k < kReals<F>; ++k) out.part[k] = load_vector<R, C>(p + k * W);
    return out;
  }

  __device__ __forceinline__ void store(R* p, int W) const {
#pragma unroll
    for (int k = 0; k < kReals<F>; ++k) store_vector<R, C>(p + k * W, part[k]);
  }

  __device__ __forceinline__ void scale(R factor) {
#pragma unroll
    for (int k = 0; k < kReals<F>; ++k) {
#pragma unroll
      for (int c = 0; c < C; ++c) part[k].v[c] *= factor;
    }
  }
};

// A fast (self-scaling) rotation: x <- x - p y, y <- y + q x with the old x. `c` is (p, q), or
// (Re p, Im p, Re q, Im q).
template <class F, int C>
__device__ __forceinline__ void rotate_fast(Columns<F, C>& x, Columns<F, C>& y,
                                            const real_t<F>* c) {
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

// A standard rotation: x <- c x - conj(e) s y, y <- c y + e s x with the old x. `c` is (c, s), or
// (c, Re e s, Im e s).
template <class F, int C>
__device__ __forceinline__ void rotate_standard(Columns<F, C>& x, Columns<F, C>& y,
                                                const real_t<F>* c) {
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

// Adds to `w`, of kReals reals, the sum over columns of g_y conj(y_x) - y_y conj(g_x). The
// gradients by the angle and the phase of a rotation of rows x and y follow from it.
template <class F, int C>
__device__ __forceinline__ void add_products(const Columns<F, C>& yx, const Columns<F, C>& yy,
                                             const Columns<F, C>& gx, const Columns<F, C>& gy,
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
