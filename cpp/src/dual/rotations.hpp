// Plane rotations and row factors whose angles have tangents.
#pragma once

#include <cmath>
#include <vector>

#include "arguments/problem.hpp"
#include "dual/dual.hpp"

namespace givens::dual {

// The numbers of vectors of type T: one number, or one for each of several columns.
template <class T>
struct Numbers {
  using One = T;
  using Many = Lanes<T>;
};
template <class R>
struct Numbers<std::complex<R>> {
  using One = Complex<R>;
  using Many = Complex<Lanes<R>>;
};
template <class T>
using One = typename Numbers<T>::One;
template <class T>
using Many = typename Numbers<T>::Many;

template <class R>
Dual<R> dual(const Strided<const R>& value, const Strided<const R>& tangent, std::int64_t k) {
  return {value[k], tangent ? tangent[k] : R(0)};
}

template <class R>
Dual<R> cosine(const Dual<R>& t) {
  return {std::cos(t.v), -std::sin(t.v) * t.d};
}
template <class R>
Dual<R> sine(const Dual<R>& t) {
  return {std::sin(t.v), std::cos(t.v) * t.d};
}
// exp(i t)
template <class R>
Dual<Complex<R>> unit(const Dual<R>& t) {
  const Dual<R> c = cosine(t);
  const Dual<R> s = sine(t);
  return {{c.v, s.v}, {c.d, s.d}};
}

// G[i,i] = G[j,j] = c, G[j,i] = b, G[i,j] = -conj(b), with c = cos t and b = exp(ip) sin t.
// Without phases E is real, as in reference::PlaneRotation.
template <class E>
struct PlaneRotation {
  std::size_t i;
  std::size_t j;
  Dual<real_t<E>> c;
  Dual<One<E>> b;

  // v <- G v
  template <class V>
  void apply(Dual<V>* v) const {
    const Dual<V> vi = v[i];
    const Dual<V> vj = v[j];
    v[i] = c * vi - conjugate(b) * vj;
    v[j] = b * vi + c * vj;
  }

  // v <- G^H v
  template <class V>
  void apply_adjoint(Dual<V>* v) const {
    const Dual<V> vi = v[i];
    const Dual<V> vj = v[j];
    v[i] = c * vi + conjugate(b) * vj;
    v[j] = c * vj - b * vi;
  }
};

template <class E, class R = real_t<E>>
std::vector<PlaneRotation<E>> rotations(const std::vector<Pair>& pairs,
                                        const MatrixParameters<R>& parameters,
                                        const MatrixParameters<R>& tangents) {
  std::vector<PlaneRotation<E>> out(pairs.size());
  for (std::size_t k = 0; k < pairs.size(); ++k) {
    const auto index = static_cast<std::int64_t>(k);
    const Dual<R> t = dual(parameters.angles, tangents.angles, index);
    out[k] = {
        static_cast<std::size_t>(pairs[k].i), static_cast<std::size_t>(pairs[k].j), cosine(t), {}};
    if constexpr (is_complex_v<E>) {
      out[k].b = sine(t) * unit(dual(parameters.phases, tangents.phases, index));
    } else {
      out[k].b = sine(t);
    }
  }
  return out;
}

// What the rows are multiplied by after all rotations: exp(i d), the signs, or nothing.
template <class T>
class RowFactors {
  using R = real_t<T>;

 public:
  RowFactors(const MatrixParameters<R>& parameters, const MatrixParameters<R>& tangents,
             std::int64_t n) {
    for (std::int64_t k = 0; k < n; ++k) {
      if (parameters.signs) signs_.push_back({parameters.signs[k], R(0)});
      if constexpr (is_complex_v<T>) {
        if (parameters.diagonal)
          factors_.push_back(unit(dual(parameters.diagonal, tangents.diagonal, k)));
      }
    }
  }

  void apply(Dual<Many<T>>* v) const {
    for (std::size_t k = 0; k < signs_.size(); ++k) v[k] = signs_[k] * v[k];
    if constexpr (is_complex_v<T>) {
      for (std::size_t k = 0; k < factors_.size(); ++k) v[k] = factors_[k] * v[k];
    }
  }
  void apply_adjoint(Dual<Many<T>>* v) const {
    for (std::size_t k = 0; k < signs_.size(); ++k) v[k] = signs_[k] * v[k];
    if constexpr (is_complex_v<T>) {
      for (std::size_t k = 0; k < factors_.size(); ++k) v[k] = conjugate(factors_[k]) * v[k];
    }
  }

 private:
  std::vector<Dual<R>> signs_;
  std::vector<Dual<Complex<R>>> factors_;  // empty for real T
};

}  // namespace givens::dual
