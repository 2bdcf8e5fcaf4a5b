// Plane rotations by the formulas of the paper (arXiv 2106.00003, section 2).
#pragma once

#include <cmath>
#include <complex>
#include <vector>

#include "arguments/problem.hpp"

namespace givens::reference {

// conj, real and imaginary part, for real numbers too, which stay real.
template <class R>
R conjugate(R x) {
  return x;
}
template <class R>
std::complex<R> conjugate(const std::complex<R>& x) {
  return std::conj(x);
}
template <class T>
real_t<T> real_part(const T& x) {
  return std::real(x);
}
template <class T>
real_t<T> imaginary_part(const T& x) {
  return std::imag(x);
}

// G[i,i] = G[j,j] = c, G[i,j] = -conj(e) s, G[j,i] = e s, with c = cos t, s = sin t, e = exp(ip).
// Without phases E is real and e is 1, so that an infinite real part does not make the imaginary
// part NaN.
template <class E>
struct PlaneRotation {
  using R = real_t<E>;
  std::size_t i;
  std::size_t j;
  R c;
  R s;
  E e;

  // v <- G v
  template <class T>
  void apply(T* v) const {
    const T vi = v[i];
    const T vj = v[j];
    v[i] = c * vi - conjugate(e) * (s * vj);
    v[j] = e * (s * vi) + c * vj;
  }

  // v <- G^H v
  template <class T>
  void apply_adjoint(T* v) const {
    const T vi = v[i];
    const T vj = v[j];
    v[i] = c * vi + conjugate(e) * (s * vj);
    v[j] = c * vj - e * (s * vi);
  }
};

// The K rotations of one matrix, in schedule order.
template <class E>
std::vector<PlaneRotation<E>> rotations(const std::vector<Pair>& pairs,
                                        const MatrixParameters<real_t<E>>& parameters) {
  std::vector<PlaneRotation<E>> out(pairs.size());
  for (std::size_t k = 0; k < pairs.size(); ++k) {
    const auto index = static_cast<std::int64_t>(k);
    const real_t<E> t = parameters.angles[index];
    E e{1};
    if constexpr (is_complex_v<E>) {
      const real_t<E> p = parameters.phases[index];
      e = E(std::cos(p), std::sin(p));
    }
    out[k] = {static_cast<std::size_t>(pairs[k].i), static_cast<std::size_t>(pairs[k].j),
              std::cos(t), std::sin(t), e};
  }
  return out;
}

// What the rows are multiplied by after all rotations: exp(i d), the signs, or nothing.
template <class T>
class RowFactors {
 public:
  RowFactors(const MatrixParameters<real_t<T>>& parameters, std::int64_t n) {
    for (std::int64_t k = 0; k < n; ++k) {
      if (parameters.signs) signs_.push_back(parameters.signs[k]);
      if constexpr (is_complex_v<T>) {
        if (!parameters.diagonal) continue;
        const real_t<T> d = parameters.diagonal[k];
        factors_.emplace_back(std::cos(d), std::sin(d));
      }
    }
  }

  void apply(T* v) const {
    for (std::size_t k = 0; k < signs_.size(); ++k) v[k] = signs_[k] * v[k];
    for (std::size_t k = 0; k < factors_.size(); ++k) v[k] = factors_[k] * v[k];
  }
  void apply_adjoint(T* v) const {
    for (std::size_t k = 0; k < signs_.size(); ++k) v[k] = signs_[k] * v[k];
    for (std::size_t k = 0; k < factors_.size(); ++k) v[k] = conjugate(factors_[k]) * v[k];
  }

 private:
  // Signs and factors are apart, so that a sign does not mix real and imaginary parts.
  std::vector<real_t<T>> signs_;
  std::vector<T> factors_;
};

// Calls body(matrix, g, factors) for the matrices of a problem: the offsets of its operands, its
// rotations and its row factors.
template <class T, class Problem, class Body>
void for_each_matrix(const Problem& problem, Body&& body) {
  const std::vector<Pair> pairs = problem.schedule.pairs();
  with_phase_type<T>(problem.parameters, [&](auto e) {
    problem.matrices.for_each([&](const auto& matrix) {
      const auto parameters = problem.parameters.at(matrix);
      body(matrix, rotations<decltype(e)>(pairs, parameters),
           RowFactors<T>(parameters, problem.schedule.n()));
    });
  });
}

}  // namespace givens::reference
