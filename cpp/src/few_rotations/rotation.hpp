// One rotation, and a dense matrix that is turned by it. F is double or std::complex<double>.
#pragma once

#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "givens/schedule.hpp"
#include "givens/view.hpp"

namespace givens::few_rotations {

// G[i,i] = G[j,j] = cos t, G[i,j] = -exp(-ip) sin t, G[j,i] = exp(ip) sin t.
struct Rotation {
  Pair pair;
  double angle = 0;
  double phase = 0;  // 0 if F is real
};

inline double conjugate(double x) { return x; }
inline std::complex<double> conjugate(const std::complex<double>& x) { return std::conj(x); }

// The operator * of std::complex asks whether the product is NaN, which takes most of its time.
inline double product(double x, double y) { return x * y; }
inline std::complex<double> product(const std::complex<double>& x, const std::complex<double>& y) {
  return {x.real() * y.real() - x.imag() * y.imag(), x.real() * y.imag() + x.imag() * y.real()};
}

// The entries of a rotation: c = G[i,i] = G[j,j], q = G[j,i].
template <class F>
struct Entries {
  double c;
  F q;

  explicit Entries(const Rotation& rotation) : c(std::cos(rotation.angle)) {
    const double s = std::sin(rotation.angle);
    if constexpr (is_complex_v<F>) {
      q = {s * std::cos(rotation.phase), s * std::sin(rotation.phase)};
    } else {
      q = s;
    }
  }
};

// Row by row.
template <class F>
class SquareMatrix {
 public:
  explicit SquareMatrix(std::int64_t n) : n_(n), entries_(static_cast<std::size_t>(n * n)) {}

  std::int64_t n() const { return n_; }
  F* row(std::int64_t i) { return entries_.data() + i * n_; }
  const F* row(std::int64_t i) const { return entries_.data() + i * n_; }
  F& operator()(std::int64_t i, std::int64_t j) { return row(i)[j]; }
  const F& operator()(std::int64_t i, std::int64_t j) const { return row(i)[j]; }

  // M <- G M.
  void rotate_rows(const Rotation& rotation) { rotate_rows(rotation, 1.0); }
  // M <- G^H M.
  void rotate_rows_back(const Rotation& rotation) { rotate_rows(rotation, -1.0); }

  // M <- M G, and the same for rotations of disjoint pairs at once.
  void rotate_columns(const Rotation& rotation) { rotate_columns(&rotation, 1, 1.0); }
  void rotate_columns(const std::vector<Rotation>& rotations) {
    rotate_columns(rotations.data(), rotations.size(), 1.0);
  }
  // M <- M G^H.
  void rotate_columns_back(const Rotation& rotation) { rotate_columns(&rotation, 1, -1.0); }

 private:
  // G^H is G with the opposite q.
  void rotate_rows(const Rotation& rotation, double sign) {
    const Entries<F> g(rotation);
    const F q = sign * g.q;
    const F p = -conjugate(q);
    F* const x = row(rotation.pair.i);
    F* const y = row(rotation.pair.j);
    for (std::int64_t k = 0; k < n_; ++k) {
      const F a = x[k];
      const F b = y[k];
      x[k] = g.c * a + product(p, b);
      y[k] = g.c * b + product(q, a);
    }
  }

  void rotate_columns(const Rotation* rotations, std::size_t count, double sign) {
    entries_of_rotations_.clear();
    for (std::size_t r = 0; r < count; ++r) entries_of_rotations_.emplace_back(rotations[r]);
    for (std::int64_t k = 0; k < n_; ++k) {
      F* const x = row(k);
      for (std::size_t r = 0; r < count; ++r) {
        const Entries<F>& g = entries_of_rotations_[r];
        const auto [i, j] = rotations[r].pair;
        const F q = sign * g.q;
        const F a = x[i];
        const F b = x[j];
        x[i] = g.c * a + product(q, b);
        x[j] = g.c * b - product(conjugate(q), a);
      }
    }
  }

  std::int64_t n_;
  std::vector<F> entries_;
  std::vector<Entries<F>> entries_of_rotations_;
};

}  // namespace givens::few_rotations
