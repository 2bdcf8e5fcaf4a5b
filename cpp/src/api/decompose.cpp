// The elimination of the entries below the diagonal by rotations of neighbouring coordinates.
#include "givens/decompose.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstddef>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "arguments/checks.hpp"
#include "arguments/element_types.hpp"
#include "arguments/strided_loop.hpp"
#include "givens/schedule.hpp"

namespace givens {

namespace {

constexpr double kPi = 3.141592653589793;

// Products without the care of std::complex for infinities, which do not occur here.
double times(double a, double b) { return a * b; }
std::complex<double> times(const std::complex<double>& a, const std::complex<double>& b) {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}
double conjugate(double a) { return a; }
std::complex<double> conjugate(const std::complex<double>& a) { return std::conj(a); }

// The adjoint of a rotation as it acts on two rows from the left, or on two columns, in exchanged
// places, from the right: pivot' = c pivot + conj(w) other, other' = c other - w pivot, with
// c = cos t, w = exp(ip) sin t.
template <class F>
struct Rotation {
  double c = 1;
  F w = 0;

  void apply(F& pivot, F& other) const {
    const F before = pivot;
    pivot = c * before + times(conjugate(w), other);
    other = c * other - times(w, before);
  }
};

struct Angles {
  double angle = 0;
  double phase = 0;
};

// The angles of the rotation that makes `other` zero. Cosine and sine are computed from the angle
// and not from the entries, so that the rotation is orthogonal even where the entries are
// subnormal. Rotations by multiples of pi/2 are exact, so that zeros stay zeros.
Angles angles_of(double pivot, double other) {
  return {std::atan2(other + 0.0, pivot + 0.0), 0};  // -0.0 + 0.0 is +0.0
}

Angles angles_of(const std::complex<double>& pivot, const std::complex<double>& other) {
  if (other == 0.0) return {};
  const double phase_of_pivot = pivot == 0.0 ? 0.0 : std::arg(pivot);
  return {std::atan2(std::abs(other), std::abs(pivot)), std::arg(other) - phase_of_pivot};
}

template <class F>
Rotation<F> rotation_of(const Angles& angles, const F& pivot, const F& other) {
  double c = std::cos(angles.angle);
  double s = std::sin(angles.angle);
  if (other == F(0)) {
    c = std::copysign(1.0, c);
    s = 0;
  } else if (pivot == F(0)) {
    c = 0;
    s = std::copysign(1.0, s);
  }
  if constexpr (is_complex_v<F>) {
    return {c, std::polar(s, angles.phase)};
  } else {
    return {c, s};
  }
}

// Decomposes n x m matrices, one after the other, with the same memory.
template <class F>
class Elimination {
 public:
  explicit Elimination(const Schedule& schedule)
      : n_(schedule.n()),
        columns_(schedule.columns()),
        is_brickwall_(schedule.kind() == Schedule::Kind::brickwall),
        offsets_(schedule.round_offsets()),
        matrix_(static_cast<std::size_t>(n_ * columns_)),
        angles_(static_cast<std::size_t>(offsets_.back())),
        chain_(static_cast<std::size_t>(n_)),
        sums_(static_cast<std::size_t>(columns_)) {}

  F* row(std::int64_t r) { return matrix_.data() + r * columns_; }
  // D; beyond the columns it is 1.
  F diagonal(std::int64_t r) { return r < columns_ ? row(r)[r] : F(1); }
  const Angles& angles(std::int64_t k) const { return angles_[static_cast<std::size_t>(k)]; }

  // max |U^H U - I|, where U is the matrix in the rows, with finite entries.
  double error() {
    double largest = 0;
    for (std::int64_t i = 0; i < columns_; ++i) {
      std::fill(sums_.begin(), sums_.end(), F(0));
      for (std::int64_t r = 0; r < n_; ++r) {
        const F* u = row(r);
        const F factor = conjugate(u[i]);
        F* sums = sums_.data();
        for (std::int64_t k = i; k < columns_; ++k) sums[k] += times(factor, u[k]);
      }
      sums_[static_cast<std::size_t>(i)] -= 1;
      for (std::int64_t k = i; k < columns_; ++k) {
        const double size = std::abs(sums_[static_cast<std::size_t>(k)]);
        // Sums of huge numbers may be infinite, or NaN.
        largest =
            std::max(largest, std::isnan(size) ? std::numeric_limits<double>::infinity() : size);
      }
    }
    return largest;
  }

  // Finds the angles in schedule order, and leaves a diagonal matrix D in the rows, up to rounding:
  // U = D G[K-1] ... G[0].
  void run() {
    if (is_brickwall_) {
      run_brickwall();
    } else {
      run_wavefront();
    }
  }

 private:
  // Entries below the diagonal become zero along the antidiagonals from the lower left corner, in
  // turn from the right and from the left.
  void run_brickwall() {
    for (std::int64_t d = 1; d < n_; ++d) {
      if (d % 2 == 1) {
        from_the_right(d);
      } else {
        from_the_left(d);
      }
    }
    // D stands between the rotations from the left and the rotations from the right. It moves
    // outwards past the former, which belong to late rounds.
    for (std::int64_t r = 1; r < n_; ++r) {
      for (std::int64_t p = r % 2; p + 1 < n_; p += 2) {
        if (r + p > n_ - 2) pass(angles_[index(r, p)], diagonal(p), diagonal(p + 1));
      }
    }
  }

  // Entries below the diagonal become zero column by column, each column from the last row up. This
  // takes every pair of rows in the order of the schedule's steps.
  void run_wavefront() {
    const std::int64_t eliminated = std::min(columns_, n_ - 1);
    // The round of the first pair of a column, and its pairs in each round come in this order.
    const auto place = [&](std::int64_t j, std::int64_t p) {
      const std::int64_t round = eliminated - 1 + p - 2 * j;
      return static_cast<std::size_t>(offsets_[static_cast<std::size_t>(round)] + j -
                                      std::max<std::int64_t>(2 * j - p, 0));
    };
    for (std::int64_t j = 0; j < eliminated; ++j) {
      for (std::int64_t p = n_ - 2; p >= j; --p) {
        F* pivots = row(p);
        F* others = row(p + 1);
        Angles& angles = angles_[place(j, p)];
        angles = angles_of(pivots[j], others[j]);
        const Rotation<F> rotation = rotation_of(angles, pivots[j], others[j]);
        for (std::int64_t k = j; k < columns_; ++k) rotation.apply(pivots[k], others[k]);
      }
    }
    // D comes before the rotations and moves past them all.
    for (std::int64_t j = 0; j < eliminated; ++j) {
      for (std::int64_t p = j; p < n_ - 1; ++p) {
        pass(angles_[place(j, p)], diagonal(p), diagonal(p + 1));
      }
    }
  }

  // The index of the rotation of round r in the plane (p, p + 1).
  std::size_t index(std::int64_t r, std::int64_t p) const {
    return static_cast<std::size_t>(offsets_[static_cast<std::size_t>(r)] + (p - r % 2) / 2);
  }

  Rotation<F> eliminate(std::int64_t r, std::int64_t p, const F& pivot, const F& other) {
    Angles& angles = angles_[index(r, p)];
    angles = angles_of(pivot, other);
    return rotation_of(angles, pivot, other);
  }

  // Makes the d entries of an antidiagonal zero, from the last row up: rotation j, of round j,
  // turns columns p = d - 1 - j and p + 1 and makes entry (n - 1 - j, p) zero after the rotations
  // before it were applied to that row. The rotations are applied row by row, as memory lies.
  void from_the_right(std::int64_t d) {
    for (std::int64_t j = 0; j < d; ++j) {
      F* u = row(n_ - 1 - j);
      apply_chain<1>(u, d, j);
      const std::int64_t p = d - 1 - j;
      const Rotation<F> rotation = eliminate(j, p, u[p + 1], u[p]);
      rotation.apply(u[p + 1], u[p]);
      chain_[static_cast<std::size_t>(j)] = rotation;
    }
    constexpr std::int64_t kRows = 4;  // at once: in one row each rotation waits for the last
    std::int64_t r = 0;
    for (; r + kRows <= n_ - d; r += kRows) apply_chain<kRows>(row(r), d, d);
    for (; r < n_ - d; ++r) apply_chain<1>(row(r), d, d);
  }

  // Applies the first `count` rotations of the chain to `Rows` rows.
  template <std::int64_t Rows>
  void apply_chain(F* u, std::int64_t d, std::int64_t count) {
    for (std::int64_t j = 0; j < count; ++j) {
      const Rotation<F> rotation = chain_[static_cast<std::size_t>(j)];
      for (std::int64_t k = 0; k < Rows; ++k) {
        rotation.apply(u[k * n_ + d - j], u[k * n_ + d - 1 - j]);
      }
    }
  }

  // Makes the d entries of an antidiagonal zero, from the first column on: rotation j, of round
  // n - 1 - j, turns rows p = n - 1 - d + j and p + 1 and makes entry (p + 1, j) zero.
  void from_the_left(std::int64_t d) {
    for (std::int64_t j = 0; j < d; ++j) {
      const std::int64_t p = n_ - 1 - d + j;
      F* pivots = row(p);
      F* others = row(p + 1);
      const Rotation<F> rotation = eliminate(n_ - 1 - j, p, pivots[j], others[j]);
      for (std::int64_t k = j; k < n_; ++k) rotation.apply(pivots[k], others[k]);
    }
  }

  // Changes the angles of G into the angles of G', where G diag(a, b) = diag(a, b) G'.
  static void pass(Angles& angles, double a, double b) {
    if ((a < 0) != (b < 0) && std::abs(angles.angle) < kPi) angles.angle = 0.0 - angles.angle;
  }
  static void pass(Angles& angles, const std::complex<double>& a, const std::complex<double>& b) {
    if (angles.angle != 0) angles.phase += std::arg(a) - std::arg(b);
  }

  std::int64_t n_;
  std::int64_t columns_;
  bool is_brickwall_;
  std::vector<std::int64_t> offsets_;
  std::vector<F> matrix_;
  std::vector<Angles> angles_;
  std::vector<Rotation<F>> chain_;
  std::vector<F> sums_;
};

template <class T>
bool is_finite(const T& x) {
  return std::isfinite(std::real(x)) && std::isfinite(std::imag(x));
}

// For example "U[1, 2]": the matrix at an index of the batch in C order, or with `rest` its entry.
std::string place(const std::int64_t* batch, int ndim, std::int64_t index,
                  const std::vector<std::int64_t>& rest) {
  std::vector<std::int64_t> indices(static_cast<std::size_t>(ndim));
  for (int d = ndim - 1; d >= 0; --d) {
    indices[static_cast<std::size_t>(d)] = index % batch[d];
    index /= batch[d];
  }
  indices.insert(indices.end(), rest.begin(), rest.end());
  std::string out = "U[";
  for (std::size_t k = 0; k < indices.size(); ++k) {
    out += (k ? ", " : "") + std::to_string(indices[k]);
  }
  return out + "]";
}

std::string short_text(double value) {
  std::ostringstream out;
  out.precision(3);
  out << value;
  return out.str();
}

// Checks shapes and memory. The decomposition itself finds out whether U is orthogonal.
template <class T>
void check(const ArrayView<const T>& U, const ParameterOutputs<real_t<T>>& outputs,
           const Schedule& schedule) {
  validate::Extents per_rotation(U.shape(), U.shape() + U.ndim() - 1);
  validate::Extents per_coordinate = per_rotation;
  per_rotation.back() = schedule.num_rotations();
  per_coordinate.back() = schedule.n();
  constexpr bool kComplex = is_complex_v<T>;
  validate::Arrays arrays;
  arrays.reads(&U, "U");
  const auto check_output = [&](const auto& output, const char* name,
                                const validate::Extents& shape, bool expected) {
    const auto* const view = validate::pointer(output);
    if ((view != nullptr) != expected) {
      validate::refuse(std::string(name) + " must be given exactly if U is " +
                       (expected == kComplex ? "complex" : "real"));
    }
    arrays.writes(view, name, shape);
  };
  check_output(outputs.angles, "angles", per_rotation, true);
  check_output(outputs.phases, "phases", per_rotation, kComplex);
  check_output(outputs.diagonal, "diagonal", per_coordinate, kComplex);
  check_output(outputs.signs, "signs", per_coordinate, !kComplex);
}

}  // namespace

template <class T>
Schedule decomposition_schedule(const not_deduced_t<ArrayView<const T>>& U,
                                const DecomposeOptions& options) {
  const int last = U.ndim() - 1;
  if (U.ndim() < 2 || U.shape(last) > U.shape(last - 1)) {
    validate::refuse("U must have shape (..., n, m) with m <= n, got shape " +
                     validate::shape_text(U));
  }
  if (options.tolerance && !(*options.tolerance >= 0)) {
    validate::refuse("tolerance must be at least 0, got " + short_text(*options.tolerance));
  }
  const std::int64_t n = U.shape(last - 1);
  const std::int64_t columns = U.shape(last);
  const Schedule::Kind kind = options.schedule.value_or(columns == n ? Schedule::Kind::brickwall
                                                                     : Schedule::Kind::wavefront);
  if (kind == Schedule::Kind::wavefront) return Schedule::wavefront(n, columns);
  if (kind != Schedule::Kind::brickwall) {
    validate::refuse(std::string("schedule must be brickwall or wavefront, got ") +
                     Schedule::kinds()[static_cast<std::size_t>(kind)].name);
  }
  if (columns < n) {
    validate::refuse("U must be square for the schedule brickwall, got shape " +
                     validate::shape_text(U));
  }
  return Schedule::brickwall(n);
}

template <class T>
void decompose(const not_deduced_t<ArrayView<const T>>& U,
               const ParameterOutputs<real_t<T>>& outputs, const DecomposeOptions& options) {
  using R = real_t<T>;
  using F = std::conditional_t<is_complex_v<T>, std::complex<double>, double>;
  const Schedule schedule = decomposition_schedule<T>(U, options);
  check<T>(U, outputs, schedule);
  const int batch_ndim = U.ndim() - 2;
  const std::int64_t n = schedule.n();
  const std::int64_t columns = schedule.columns();
  const std::int64_t row_stride = U.stride(batch_ndim);
  const std::int64_t column_stride = U.stride(batch_ndim + 1);

  enum Operand : std::size_t { kMatrix, kAngles, kPhases, kDiagonal, kSigns, kOperands };
  StridedLoop<kOperands> matrices;
  for (int d = 0; d < batch_ndim; ++d) {
    const auto stride = [&](const auto& view) { return view ? view->stride(d) : 0; };
    matrices.add(U.shape(d), {U.stride(d), outputs.angles.stride(d), stride(outputs.phases),
                              stride(outputs.diagonal), stride(outputs.signs)});
  }
  if (matrices.size() == 0) return;

  Elimination<F> elimination(schedule);
  const auto load = [&](std::int64_t offset) {
    for (std::int64_t r = 0; r < n; ++r) {
      const T* from = U.data() + offset + r * row_stride;
      F* to = elimination.row(r);
      for (std::int64_t c = 0; c < columns; ++c) to[c] = static_cast<F>(from[c * column_stride]);
    }
  };

  const double tolerance = options.tolerance.value_or(
      32.0 * static_cast<double>(n + 1) * static_cast<double>(std::numeric_limits<R>::epsilon()));
  std::int64_t count = 0;
  matrices.for_each([&](const auto& at) {
    load(at[kMatrix]);
    for (std::int64_t r = 0; r < n; ++r) {
      for (std::int64_t c = 0; c < columns; ++c) {
        if (is_finite(elimination.row(r)[c])) continue;
        std::ostringstream shown;
        shown << elimination.row(r)[c];
        throw std::invalid_argument("U must be finite, got " + shown.str() + " at " +
                                    place(U.shape(), batch_ndim, count, {r, c}));
      }
    }
    const double error = elimination.error();
    if (error > tolerance) {
      throw std::invalid_argument(
          std::string("U must ") +
          (columns < n ? "have orthonormal columns"
                       : (is_complex_v<T> ? "be unitary" : "be orthogonal")) +
          ", with max|" + (is_complex_v<T> ? "U^H" : "U^T") + " U - I| at most " +
          short_text(tolerance) + ", got " + short_text(error) +
          (batch_ndim ? " for " + place(U.shape(), batch_ndim, count, {}) : ""));
    }
    ++count;
  });

  // Copies value(0), value(1), .. into a view, at an offset.
  const auto write = [](const ArrayView<R>& view, std::int64_t offset, const auto& value) {
    const std::int64_t stride = view.stride(view.ndim() - 1);
    for (std::int64_t k = 0; k < view.shape(view.ndim() - 1); ++k) {
      view.data()[offset + k * stride] = static_cast<R>(value(k));
    }
  };
  matrices.for_each([&](const auto& at) {
    load(at[kMatrix]);
    elimination.run();
    write(outputs.angles, at[kAngles], [&](std::int64_t k) { return elimination.angles(k).angle; });
    if constexpr (is_complex_v<T>) {
      write(*outputs.phases, at[kPhases],
            [&](std::int64_t k) { return std::remainder(elimination.angles(k).phase, 2 * kPi); });
      write(*outputs.diagonal, at[kDiagonal],
            [&](std::int64_t r) { return std::arg(elimination.diagonal(r)); });
    } else if (outputs.signs) {
      write(*outputs.signs, at[kSigns],
            [&](std::int64_t r) { return elimination.diagonal(r) < 0 ? -1 : 1; });
    }
  });
}

#define GIVENS_INSTANTIATE_TYPE(T)     \
  GIVENS_INSTANTIATE_API(decompose, T) \
  GIVENS_INSTANTIATE_API(decomposition_schedule, T)
GIVENS_FOR_WIDE_TYPES(GIVENS_INSTANTIATE_TYPE)

}  // namespace givens
