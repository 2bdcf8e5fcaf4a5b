// The elimination of the entries below the diagonal by rotations of neighbouring coordinates.
// Compiled for each instruction set; see engine_headers.hpp.
//
// What decides about the next rotations is turned at once, the rest by several chains at a time. A
// chain turns neighbours: the first and second, the second and third, and so on. kChains chains
// follow one another a step apart, so that what one has turned goes to the next in a register. In
// each step they have a rotation each, which is none where a chain has not begun or has ended.
#pragma once

#include "cpu/simd/transpose-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

// Whether neither this sum of squares nor a product of two such lost digits to subnormal numbers.
inline bool is_in_range(double square) { return square > 1e-140 && square < 1e140; }

// c = cos t and q = exp(ip) sin t of the rotation whose adjoint makes `other` zero:
// pivot' = c pivot + conj(q) other, other' = c other - q pivot. They are computed from the entries,
// scaled where these may be subnormal, so that the rotation is orthogonal. Rotations by multiples
// of pi/2 are exact, so that zeros stay zeros.
inline Rotation<double> rotation_of(double pivot, double other, RotationAngles& angles) {
  angles = {std::atan2(other + 0.0, pivot + 0.0), 0};  // -0.0 + 0.0 is +0.0
  double square = pivot * pivot + other * other;
  if (!is_in_range(square)) {
    const double larger = std::max(std::abs(pivot), std::abs(other));
    if (larger == 0) return {};
    pivot /= larger;
    other /= larger;
    square = pivot * pivot + other * other;
  }
  const double length = std::sqrt(square);
  return {pivot / length, other / length};
}

inline Rotation<std::complex<double>> rotation_of(const std::complex<double>& pivot,
                                                  const std::complex<double>& other,
                                                  RotationAngles& angles) {
  angles = {};
  if (other == 0.0) return {};
  const double a = std::norm(pivot);
  const double b = std::norm(other);
  if (is_in_range(a) && is_in_range(b)) {
    const Rotation<double> sizes = rotation_of(std::sqrt(a), std::sqrt(b), angles);
    const double re = other.real() * pivot.real() + other.imag() * pivot.imag();
    const double im = other.imag() * pivot.real() - other.real() * pivot.imag();
    angles.phase = std::atan2(im, re);
    const double factor = sizes.q / std::sqrt(a * b);
    return {sizes.c, {re * factor, im * factor}};
  }
  const Rotation<double> sizes = rotation_of(std::abs(pivot), std::abs(other), angles);
  angles.phase = std::arg(other) - (pivot == 0.0 ? 0.0 : std::arg(pivot));
  return {sizes.c, std::polar(sizes.q, angles.phase)};
}

// Changes the angles of G into the angles of G', where G diag(a, b) = diag(a, b) G'. Numbers are
// given by their phases.
template <class F>
void pass(RotationAngles& angles, double a, double b) {
  constexpr double kPi = 3.141592653589793;
  if (is_complex_v<F>) {
    if (angles.angle != 0) angles.phase += a - b;
  } else if (a != b && std::abs(angles.angle) < kPi) {
    angles.angle = 0.0 - angles.angle;
  }
}

template <class F>
class Eliminator {
 public:
  explicit Eliminator(Elimination<F>& elimination)
      : e_(elimination), n_(e_.n), width_(round_up(e_.columns)) {}

  double error() const {
    double largest = 0;
    each_strip(0, [&](auto packs, std::int64_t k) { add_error<packs.value>(k, largest); });
    return largest;
  }

  void run() const {
    if (e_.is_brickwall) {
      run_brickwall();
    } else {
      run_wavefront();
    }
  }

 private:
  using Pack = VectorPack<F>;
  static constexpr std::int64_t N = kLanes<double>;
  static constexpr int kChains = Elimination<F>::kChains;
  static constexpr int kStrip = GIVENS_VECTOR_REGISTERS / (is_complex_v<F> ? 16 : 8);  // packs

  static std::int64_t round_up(std::int64_t x) { return (x + N - 1) / N * N; }

  Pack load_pack(const double* p) const {
    if constexpr (is_complex_v<F>) {
      return {load(p), load(p + e_.part)};
    } else {
      return {load(p)};
    }
  }

  void store_pack(double* p, const Pack& x) const {
    if constexpr (is_complex_v<F>) {
      store(p, x.re);
      store(p + e_.part, x.im);
    } else {
      store(p, x.v);
    }
  }

  // Calls body(packs, k) for strips of columns, `packs` packs from column k on, a constant.
  template <class Body>
  void each_strip(std::int64_t first, const Body& body) const {
    for (; first + kStrip * N <= width_; first += kStrip * N) {
      body(std::integral_constant<int, kStrip>{}, first);
    }
    for (; first < width_; first += N) body(std::integral_constant<int, 1>{}, first);
  }

  // --- U^H U - I ---

  // Compares columns k to k + V N - 1, from the first row to the diagonal, with `largest`.
  template <int V>
  void add_error(std::int64_t k, double& largest) const {
    constexpr int kRows = 4;
    const std::int64_t end = std::min(k + V * N, e_.columns);
    for (std::int64_t i = 0; i < end; i += kRows) {
      Pack sums[kRows][V] = {};
      for (std::int64_t r = 0; r < n_; ++r) {
        const double* u = e_.row(r);
        Pack x[V];
        for (int v = 0; v < V; ++v) x[v] = load_pack(u + k + v * N);
        for (int j = 0; j < kRows; ++j) {
          for (int v = 0; v < V; ++v) add_product(sums[j][v], u + i + j, x[v]);
        }
      }
      for (int j = 0; j < kRows; ++j) {
        double lanes[V][kPackReals<F>];
        for (int v = 0; v < V; ++v) sums[j][v].store_to(lanes[v]);
        for (std::int64_t c = std::max(k, i + j); c < end; ++c) {
          const double* sum = lanes[(c - k) / N] + c % N;
          const double re = sum[0] - (c == i + j ? 1 : 0);
          const double size =
              is_complex_v<F> ? std::hypot(re, sum[kPackReals<F> - N]) : std::abs(re);
          // Sums of huge numbers may be infinite, or NaN.
          largest =
              std::max(largest, std::isnan(size) ? std::numeric_limits<double>::infinity() : size);
        }
      }
    }
  }

  // sum += conj(u) x
  void add_product(Pack& sum, const double* u, const Pack& x) const {
    if constexpr (is_complex_v<F>) {
      sum.re = fma(x.im, u[e_.part], fma(x.re, u[0], sum.re));
      sum.im = fnma(x.re, u[e_.part], fma(x.im, u[0], sum.im));
    } else {
      sum.v = fma(x.v, u[0], sum.v);
    }
  }

  // --- Applying rotations ---

  [[gnu::always_inline]] static void rotate(const Rotation<F>& rotation, Pack& x, Pack& y) {
    rotate_standard(x, y, reinterpret_cast<const double*>(&rotation));
  }

  // Turns entries x and y of a row.
  void turn_entries(std::int64_t r, std::int64_t x, std::int64_t y,
                    const Rotation<F>& rotation) const {
    const F a = e_.entry(r, x);
    const F b = e_.entry(r, y);
    e_.set_entry(r, x, plus_product(rotation.c * a, -conjugate(rotation.q), b));
    e_.set_entry(r, y, plus_product(rotation.c * b, rotation.q, a));
  }
  static double plus_product(double sum, double a, double b) { return fused_add(a, b, sum); }
  static F plus_product(const std::complex<double>& sum, const F& a, const F& b) {
    return {fused_subtract(a.imag(), b.imag(), fused_add(a.real(), b.real(), sum.real())),
            fused_add(a.imag(), b.real(), fused_add(a.real(), b.imag(), sum.imag()))};
  }

  // Turns two rows, in columns `first` to `end`, which are multiples of N.
  void turn_rows(double* x, double* y, std::int64_t first, std::int64_t end,
                 const Rotation<F>& rotation) const {
    for (std::int64_t k = first; k < end; k += N) {
      Pack a = load_pack(x + k);
      Pack b = load_pack(y + k);
      rotate(rotation, a, b);
      store_pack(x + k, a);
      store_pack(y + k, b);
    }
  }

  // Applies kChains chains to V packs of rows. `row` is the row to which the first chain comes in
  // the first step, and `to_next` leads to the row of the next step.
  template <int V>
  void apply_to_rows(double* row, std::int64_t to_next, std::int64_t steps) const {
    const Rotation<F>* rotations = e_.chains_from_left.data();
    Pack carried[kChains][V];
    const auto each_carried = [&](const auto& move) {
      for (int k = 0; k < kChains; ++k) {
        for (int v = 0; v < V; ++v) move(row - (1 + k) * to_next + v * N, carried[k][v]);
      }
    };
    each_carried([&](const double* from, Pack& to) { to = load_pack(from); });
    for (; steps > 0; --steps, row += to_next, rotations += kChains) {
      Pack x[V];
      for (int v = 0; v < V; ++v) x[v] = load_pack(row + v * N);
      unrolled<kChains>([&](auto k) __attribute__((always_inline)) {
        unrolled<V>([&](auto v) __attribute__((always_inline)) {
          rotate(rotations[k], carried[k][v], x[v]);
          std::swap(carried[k][v], x[v]);
        });
      });
      for (int v = 0; v < V; ++v) store_pack(row - kChains * to_next + v * N, x[v]);
    }
    each_carried([&](double* to, const Pack& from) { store_pack(to, from); });
  }

  // Applies K chains to the columns of N rows, from right to left. `column`, in the first of the
  // rows, is the column to which the first chain comes in the first step. The number of steps is a
  // multiple of N.
  template <int K>
  void apply_to_columns(double* column, const Rotation<F>* rotations, std::int64_t steps) const {
    double lanes[K][kPackReals<F>];
    const auto each_carried = [&](const auto& move) {
      for (std::int64_t m = 0; m < kPackReals<F>; ++m) {
        double* entry = column + 1 + m % N * e_.stride + m / N * e_.part;
        for (int k = 0; k < K; ++k) move(entry[k], lanes[k][m]);
      }
    };
    each_carried([](double from, double& to) { to = from; });
    Pack carried[K];
    for (int k = 0; k < K; ++k) carried[k] = Pack::load_from(lanes[k]);
    for (; steps > 0; steps -= N, rotations += K * N) {
      column -= N;
      Pack square[N];
      for (std::int64_t m = 0; m < N; ++m) square[m] = load_pack(column + 1 + m * e_.stride);
      transpose_packs<F>(square);
      unrolled<N>([&](auto m) __attribute__((always_inline)) {
        unrolled<K>([&](auto k) __attribute__((always_inline)) {
          rotate(rotations[m * K + k], carried[k], square[N - 1 - m]);
          std::swap(carried[k], square[N - 1 - m]);
        });
      });
      transpose_packs<F>(square);
      for (std::int64_t m = 0; m < N; ++m) store_pack(column + 1 + K + m * e_.stride, square[m]);
    }
    for (int k = 0; k < K; ++k) carried[k].store_to(lanes[k]);
    each_carried([](double& to, double from) { to = from; });
  }

  // For `pass`.
  const double* phases_of_d() const {
    for (std::int64_t r = 0; r < n_; ++r) e_.phases.data()[r] = std::arg(e_.diagonal(r));
    return e_.phases.data();
  }

  // The angles of later rotations lie far apart in memory.
  static constexpr std::int64_t kAhead = 4;
  static void prefetch(const RotationAngles& angles) { __builtin_prefetch(&angles, 1); }

  // --- Brickwall ---

  // The angles of the rotation of round r in the plane (p, p + 1).
  RotationAngles& angles(std::int64_t r, std::int64_t p) const {
    const std::int64_t round = e_.offsets[static_cast<std::size_t>(r)];
    return e_.angles[static_cast<std::size_t>(round + (p - r % 2) / 2)];
  }

  // Entries below the diagonal become zero along the antidiagonals from the lower left corner, in
  // turn from the right and from the left. 2 kChains antidiagonals depend on the rows and columns
  // alone that they reach.
  void run_brickwall() const {
    for (std::int64_t d = 1; d < n_; d += 2 * kChains) {
      const std::int64_t reach = std::min(d + 2 * kChains, n_);
      const std::int64_t far_rows = (n_ - reach) / N * N;
      std::fill_n(e_.chains_from_right.data(), kChains * round_up(reach), Rotation<F>{});
      std::fill_n(e_.chains_from_left.data(), kChains * reach, Rotation<F>{});
      for (int k = 0; k < kChains; ++k) {
        if (d + 2 * k < n_) from_the_right(d + 2 * k, n_ - far_rows, k);
        if (d + 2 * k + 1 < n_) from_the_left(d + 2 * k + 1, round_up(reach), k);
      }
      for (std::int64_t r = 0; r < far_rows; r += N) {
        apply_to_columns<kChains>(e_.row(r) + reach - 2 - kChains, e_.chains_from_right.data(),
                                  round_up(reach - 2));
      }
      each_strip(round_up(reach), [&](auto packs, std::int64_t k) {
        apply_to_rows<packs.value>(e_.row(n_ - reach + kChains) + k, e_.stride, reach - 1);
      });
    }
    // D stands between the rotations from the left and the rotations from the right. It moves
    // outwards past the former, which belong to late rounds.
    const double* const phases = phases_of_d();
    for (std::int64_t r = 1; r < n_; ++r) {
      for (std::int64_t p = r % 2; p + 1 < n_; p += 2) {
        if (r + p > n_ - 2) pass<F>(angles(r, p), phases[p], phases[p + 1]);
      }
    }
  }

  // Rotation j of chain k of kChains, each of which begins two rows or columns before the next.
  static Rotation<F>& in_step(const runtime::Scratch<Rotation<F>>& chains, std::int64_t j, int k) {
    return chains.data()[(j + kChains - 1 - k) * kChains + k];
  }

  // Makes the d entries of an antidiagonal zero, from the last row up: rotation j, of round j,
  // turns columns p = d - 1 - j and p + 1 and makes entry (n - 1 - j, p) zero after the rotations
  // before it were applied to that row. Turns the last `rows` rows, N of them together by the
  // rotations that are known.
  void from_the_right(std::int64_t d, std::int64_t rows, int k) const {
    Rotation<F>* const chain = e_.chain.data();
    for (std::int64_t first = 0; first < rows; first += N) {
      std::int64_t known = 0;
      if (first + N <= rows) {
        known = std::min(first, d) / N * N;
        apply_to_columns<1>(e_.row(n_ - first - N) + d - 1, chain, known);
      }
      for (std::int64_t j = first; j < std::min(first + N, rows); ++j) {
        const std::int64_t r = n_ - 1 - j;
        for (std::int64_t i = known; i < std::min(j, d); ++i) {
          turn_entries(r, d - i, d - 1 - i, chain[i]);
        }
        if (j >= d) continue;
        const std::int64_t p = d - 1 - j;
        prefetch(angles(std::min(j + kAhead, d - 1), std::max<std::int64_t>(p - kAhead, 0)));
        chain[j] = rotation_of(e_.entry(r, p + 1), e_.entry(r, p), angles(j, p));
        chain[j].q = -chain[j].q;
        in_step(e_.chains_from_right, j, k) = chain[j];
        turn_entries(r, p + 1, p, chain[j]);
      }
    }
  }

  // Makes the d entries of an antidiagonal zero, from the first column on: rotation j, of round
  // n - 1 - j, turns rows p = n - 1 - d + j and p + 1 and makes entry (p + 1, j) zero. Turns the
  // columns before `end`.
  void from_the_left(std::int64_t d, std::int64_t end, int k) const {
    for (std::int64_t j = 0; j < d; ++j) {
      const std::int64_t p = n_ - 1 - d + j;
      const std::int64_t ahead = std::min(kAhead, d - 1 - j);
      prefetch(angles(n_ - 1 - j - ahead, p + ahead));
      Rotation<F>& rotation = in_step(e_.chains_from_left, j, k);
      rotation = rotation_of(e_.entry(p, j), e_.entry(p + 1, j), angles(n_ - 1 - j, p));
      rotation.q = -rotation.q;
      turn_rows(e_.row(p), e_.row(p + 1), j / N * N, end, rotation);
    }
  }

  // --- Wavefront ---

  // Entries below the diagonal become zero column by column, each column from the last row up. This
  // takes every pair of rows in the order of the schedule's steps.
  void run_wavefront() const {
    const std::int64_t eliminated = std::min(e_.columns, n_ - 1);
    // The round of the first pair of a column, and its pairs in each round come in this order.
    const auto angles = [&](std::int64_t j, std::int64_t p) -> RotationAngles& {
      const std::int64_t round = eliminated - 1 + p - 2 * j;
      return e_.angles[static_cast<std::size_t>(e_.offsets[static_cast<std::size_t>(round)] + j -
                                                std::max<std::int64_t>(2 * j - p, 0))];
    };
    for (std::int64_t first = 0; first < eliminated; first += kChains) {
      const std::int64_t end = std::min(first + kChains, eliminated);
      const std::int64_t steps = n_ - 1 - first;
      std::fill_n(e_.chains_from_left.data(), kChains * steps, Rotation<F>{});
      for (std::int64_t j = first; j < end; ++j) {
        for (std::int64_t p = n_ - 2; p >= j; --p) {
          Rotation<F>& rotation =
              e_.chains_from_left.data()[(n_ - 2 - p + j - first) * kChains + j - first];
          rotation = rotation_of(e_.entry(p, j), e_.entry(p + 1, j), angles(j, p));
          rotation.q = conjugate(rotation.q);
          turn_rows(e_.row(p + 1), e_.row(p), j / N * N, round_up(end), rotation);
        }
      }
      each_strip(round_up(end), [&](auto packs, std::int64_t k) {
        apply_to_rows<packs.value>(e_.row(n_ - 2) + k, -e_.stride, steps);
      });
    }
    // D comes before the rotations and moves past them all.
    const double* const phases = phases_of_d();
    for (std::int64_t j = 0; j < eliminated; ++j) {
      for (std::int64_t p = j; p < n_ - 1; ++p) pass<F>(angles(j, p), phases[p], phases[p + 1]);
    }
  }

  Elimination<F>& e_;
  const std::int64_t n_;
  const std::int64_t width_;
};

}  // namespace givens::cpu::GIVENS_ISA
