// Every CPU engine that this machine can run, against the reference engine in double: problems,
// calls, and what is allowed of their errors. The public functions choose one engine; here each is
// called by itself.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "array.hpp"
#include "cpu/engine.hpp"
#include "cpu/plan.hpp"
#include "dense.hpp"
#include "givens/givens.hpp"
#include "problems.hpp"
#include "random.hpp"
#include "reference/reference.hpp"
#include "validate.hpp"

namespace test {

using givens::ArrayView;
using givens::Pair;
using givens::real_t;
using givens::RotateOptions;
using givens::Schedule;
using givens::cpu::Engine;
using givens::cpu::engines;
using givens::cpu::plan_of;

// --- The same numbers in double ---

template <class T>
using Wide = std::conditional_t<givens::is_complex_v<T>, std::complex<double>, double>;

template <class T>
Array<Wide<T>> widened(const Array<T>& narrow) {
  Array<Wide<T>> out(narrow.shape);
  for (std::size_t k = 0; k < narrow.values.size(); ++k) {
    out.values[k] = static_cast<Wide<T>>(narrow.values[k]);
  }
  return out;
}

template <class R>
OwnedParameters<double> widened(const OwnedParameters<R>& narrow) {
  OwnedParameters<double> out{widened(narrow.angles), {}, {}, {}};
  if (narrow.phases) out.phases = widened(*narrow.phases);
  if (narrow.diagonal) out.diagonal = widened(*narrow.diagonal);
  if (narrow.signs) out.signs = widened(*narrow.signs);
  return out;
}

// --- Calls ---

template <class T>
Array<T> reference_rotate(const Array<T>& x, const OwnedParameters<real_t<T>>& parameters,
                          const Schedule& schedule, const RotateOptions& options) {
  Array<T> y(
      givens::validate::rotated_shape<T>(x.view(), parameters.views(), schedule, options.axis));
  givens::reference::rotate(
      givens::validate::rotate<T>(x.view(), parameters.views(), schedule, y.view(), options));
  return y;
}

template <class T>
Array<T> reference_matrix(const OwnedParameters<real_t<T>>& parameters, const Schedule& schedule) {
  Array<T> U(givens::validate::matrix_shape(parameters.views(), schedule));
  givens::reference::matrix(givens::validate::matrix<T>(parameters.views(), schedule, U.view()));
  return U;
}

template <class T>
bool engine_rotate(const Engine& engine, const ArrayView<const T>& x,
                   const givens::Parameters<real_t<T>>& parameters, const Schedule& schedule,
                   const ArrayView<T>& y, const RotateOptions& options) {
  return engine.functions<T>().rotate(
      givens::validate::rotate<T>(x, parameters, schedule, y, options), plan_of(schedule));
}

template <class T>
Array<T> engine_rotated(const Engine& engine, const Array<T>& x,
                        const OwnedParameters<real_t<T>>& parameters, const Schedule& schedule,
                        const RotateOptions& options) {
  Array<T> y(
      givens::validate::rotated_shape<T>(x.view(), parameters.views(), schedule, options.axis));
  REQUIRE(engine_rotate<T>(engine, x.view(), parameters.views(), schedule, y.view(), options));
  return y;
}

template <class T>
Array<T> engine_matrix(const Engine& engine, const OwnedParameters<real_t<T>>& parameters,
                       const Schedule& schedule) {
  Array<T> U(givens::validate::matrix_shape(parameters.views(), schedule), T(77));
  REQUIRE(engine.functions<T>().matrix(
      givens::validate::matrix<T>(parameters.views(), schedule, U.view()), plan_of(schedule)));
  return U;
}

template <class T>
struct Gradients {
  Array<T> gx;  // empty for the gradient through matrix
  Array<real_t<T>> gangles;
};

// `engine` is null for the reference engine.
template <class T>
Gradients<T> gradients(const Engine* engine, const Array<T>& y, const Array<T>& gy,
                       const OwnedParameters<real_t<T>>& parameters, const Schedule& schedule,
                       const RotateOptions& options) {
  Gradients<T> out{Array<T>(y.shape), Array<real_t<T>>(parameters.angles.shape)};
  const auto problem =
      givens::validate::rotate_vjp<T>(y.view(), gy.view(), parameters.views(), schedule,
                                      out.gx.view(), {out.gangles.view(), {}, {}}, options);
  if (engine) {
    REQUIRE(engine->functions<T>().vjp(problem, plan_of(schedule)));
  } else {
    givens::reference::vjp(problem);
  }
  return out;
}

template <class T>
Gradients<T> matrix_gradients(const Engine* engine, const Array<T>& U, const Array<T>& gU,
                              const OwnedParameters<real_t<T>>& parameters,
                              const Schedule& schedule) {
  Gradients<T> out{Array<T>({0}), Array<real_t<T>>(parameters.angles.shape)};
  const auto problem = givens::validate::matrix_vjp<T>(U.view(), gU.view(), parameters.views(),
                                                       schedule, {out.gangles.view(), {}, {}});
  if (engine) {
    REQUIRE(engine->functions<T>().matrix_vjp(problem, plan_of(schedule)));
  } else {
    givens::reference::vjp(problem);
  }
  return out;
}

// --- Errors and what is allowed of them ---

// The 2-norm, of numbers whose squares overflow or underflow too.
template <class T>
double length(const std::vector<T>& values) {
  double largest = 0;
  for (const T& value : values) largest = std::max(largest, std::abs(wide(value)));
  if (largest == 0) return 0;
  double sum = 0;
  for (const T& value : values) {
    const double part = std::abs(wide(value)) / largest;
    sum += part * part;
  }
  return largest * std::sqrt(sum);
}

// Calls body(places) with the places of each vector's entries in a contiguous array.
template <class Body>
void for_each_vector(const Shape& shape, std::int64_t axis, Body&& body) {
  const auto d =
      static_cast<std::size_t>(axis < 0 ? axis + static_cast<std::int64_t>(shape.size()) : axis);
  std::int64_t inner = 1;
  for (std::size_t k = d + 1; k < shape.size(); ++k) inner *= shape[k];
  std::int64_t outer = 1;
  for (std::size_t k = 0; k < d; ++k) outer *= shape[k];
  std::vector<std::size_t> places(static_cast<std::size_t>(shape[d]));
  for (std::int64_t o = 0; o < outer; ++o) {
    for (std::int64_t i = 0; i < inner; ++i) {
      for (std::int64_t k = 0; k < shape[d]; ++k) {
        places[static_cast<std::size_t>(k)] =
            static_cast<std::size_t>((o * shape[d] + k) * inner + i);
      }
      body(static_cast<const std::vector<std::size_t>&>(places));
    }
  }
}

template <class T>
std::vector<T> picked(const Array<T>& from, const std::vector<std::size_t>& places) {
  std::vector<T> out;
  for (const std::size_t place : places) out.push_back(from.values[place]);
  return out;
}

// The relative error of a vector that went through all rotations: that of the engine and that of
// the reference in double. rounding counts six roundings of a rotation and rounds up to 16;
// the form with two multiply-adds has no more: coefficients rounded once, two multiply-adds, and
// the scales, whose roundings are those of double.
template <class R>
double relative_allowance(const Schedule& schedule) {
  return rounding<R>(schedule) + rounding<double>(schedule);
}

// What is lost beside it where numbers are subnormal: a round has two products, each rounded to a
// multiple of the smallest number, in each of n entries.
template <class R>
double absolute_allowance(const Schedule& schedule) {
  return 2.0 * static_cast<double>(std::numeric_limits<R>::denorm_min()) *
         std::sqrt(static_cast<double>(schedule.n())) *
         static_cast<double>(schedule.num_rounds() + 1);
}

// The largest error of the vectors along `axis`, each in units of what is allowed; at most 1 if
// they are right. Norms are those of the results, since rotations keep them.
template <class T>
double vectors_error(const Array<T>& got, const Array<Wide<T>>& expected, const Schedule& schedule,
                     std::int64_t axis) {
  if (got.shape != expected.shape) return std::numeric_limits<double>::infinity();
  const double relative = relative_allowance<real_t<T>>(schedule);
  const double absolute = absolute_allowance<real_t<T>>(schedule);
  double worst = 0;
  for_each_vector(got.shape, axis, [&](const std::vector<std::size_t>& places) {
    const auto a = picked(got, places);
    const auto b = picked(expected, places);
    const double error = largest_difference(a, b);
    const double ratio = error == 0 ? 0 : error / (relative * length(b) + absolute);
    worst = std::isnan(ratio) ? std::numeric_limits<double>::infinity() : std::max(worst, ratio);
  });
  return worst;
}

// The same for the angles' gradients. Of each vector a gradient has at most |y| |gy|, in which both
// states are off by the allowance (twice, where the inverse goes there and back); the sum over the
// columns, one or two of each vector, and its factor are rounded in R.
template <class T>
double gradient_error(const Array<real_t<T>>& got, const Array<double>& expected, const Array<T>& y,
                      const Array<T>& gy, const Schedule& schedule, const RotateOptions& options) {
  using R = real_t<T>;
  if (got.shape != expected.shape) return std::numeric_limits<double>::infinity();
  const double ways = options.inverse ? 2 : 1;
  double products = 0;
  double lengths = 0;
  double vectors = 0;
  for_each_vector(y.shape, options.axis, [&](const std::vector<std::size_t>& places) {
    const double of_y = length(picked(y, places));
    const double of_gy = length(picked(gy, places));
    products += of_y * of_gy;
    lengths += of_y + of_gy;
    vectors += 1;
  });
  const double smallest = static_cast<double>(std::numeric_limits<R>::denorm_min());
  const double allowed =
      products * (2 * ways * relative_allowance<R>(schedule) +
                  (2 * vectors + 8) * static_cast<double>(std::numeric_limits<R>::epsilon())) +
      lengths * ways * absolute_allowance<R>(schedule) + (4 * vectors + 8) * smallest;
  const double error = largest_difference(got.values, expected.values);
  if (error == 0) return 0;
  return std::isnan(error) ? std::numeric_limits<double>::infinity() : error / allowed;
}

// --- Angles ---

inline const double kPi = std::acos(-1.0);

inline double gaussian(Random& random) {
  return std::sqrt(-2 * std::log((random.uniform() + 1.5) / 2.5)) *
         std::cos(kPi * random.uniform());
}

enum class AngleKind {
  small,
  normal,      // the standard normal distribution, cut off
  full_turn,   // uniform between -pi and pi
  special,     // 0, right and straight angles as rounded, their neighbours, the limits' too
  near_right,  // all within 1e-3 of a right angle
  right,       // all right angles
  right_runs,  // right angles, or next to it, in all rounds of one row
  to_a_million,
  huge,
  subnormal,
};
inline constexpr AngleKind kAngleKinds[] = {
    AngleKind::small,      AngleKind::normal,   AngleKind::full_turn,  AngleKind::special,
    AngleKind::near_right, AngleKind::right,    AngleKind::right_runs, AngleKind::to_a_million,
    AngleKind::huge,       AngleKind::subnormal};

template <class R>
R special_angle(Random& random) {
  const R right = static_cast<R>(kPi / 2);
  const R straight = static_cast<R>(kPi);
  const R most = std::numeric_limits<R>::max();
  const R angles[] = {R(0),
                      right,
                      std::nextafter(right, R(0)),
                      std::nextafter(right, most),
                      straight,
                      std::nextafter(straight, R(0)),
                      std::nextafter(straight, most),
                      static_cast<R>(kPi / 4),
                      static_cast<R>(1.5 * kPi),
                      R(1e6),
                      std::nextafter(R(1e6), most),
                      static_cast<R>(1e30),
                      std::numeric_limits<R>::min(),
                      std::numeric_limits<R>::denorm_min()};
  const auto count = static_cast<std::int64_t>(std::size(angles));
  const R angle = angles[static_cast<std::size_t>(random.below(count))];
  return random.uniform() < 0 ? -angle : angle;
}

template <class R>
Array<R> angles_of(AngleKind kind, const Schedule& schedule, Random& random,
                   const Shape& batch = {}) {
  Array<R> out(joined(batch, schedule.num_rotations()));
  const std::vector<Pair> pairs = schedule.pairs();
  const auto row = schedule.n() > 0 ? random.below(schedule.n()) : 0;
  const R right = static_cast<R>(kPi / 2);
  for (std::size_t k = 0; k < out.values.size(); ++k) {
    double t = 0;
    switch (kind) {
      case AngleKind::small:
        t = 1e-3 * random.uniform();
        break;
      case AngleKind::normal:
        t = gaussian(random);
        break;
      case AngleKind::full_turn:
        t = kPi * random.uniform();
        break;
      case AngleKind::special:
        out.values[k] = special_angle<R>(random);
        continue;
      case AngleKind::near_right:
        t = kPi / 2 + 1e-3 * random.uniform();
        break;
      case AngleKind::right:
        out.values[k] = right;
        continue;
      case AngleKind::right_runs: {
        const Pair pair = pairs[k % pairs.size()];
        t = kPi * random.uniform();
        if (pair.i != row && pair.j != row) break;
        const R choices[] = {right, -right, std::nextafter(right, R(0)),
                             std::nextafter(right, R(2))};
        out.values[k] = choices[random.below(4)];
        continue;
      }
      case AngleKind::to_a_million:
        t = 1e6 * random.uniform();
        break;
      case AngleKind::huge:
        t = random.uniform() * std::pow(10.0, static_cast<double>(random.below(31)));
        break;
      case AngleKind::subnormal:
        t = random.uniform() * static_cast<double>(std::numeric_limits<R>::min());
        break;
    }
    out.values[k] = static_cast<R>(t);
  }
  return out;
}

template <class R>
OwnedParameters<R> parameters_of(AngleKind kind, const Schedule& schedule, bool signs,
                                 Random& random, const Shape& batch = {}) {
  OwnedParameters<R> out = random_parameters<R>(schedule, {false, false, signs}, random, batch);
  out.angles = angles_of<R>(kind, schedule, random, batch);
  return out;
}

// --- Vectors ---

enum class VectorKind {
  ordinary,
  zero,
  minus_zero,
  one_hot,
  large,  // not yet huge
  huge,
  tiny,
  subnormal,
  wide,  // entries of all magnitudes
};
inline constexpr VectorKind kVectorKinds[] = {
    VectorKind::ordinary, VectorKind::zero,      VectorKind::minus_zero,
    VectorKind::one_hot,  VectorKind::large,     VectorKind::huge,
    VectorKind::tiny,     VectorKind::subnormal, VectorKind::wide};

template <class T>
T number(double real, double imaginary) {
  using R = real_t<T>;
  if constexpr (givens::is_complex_v<T>) {
    return T(static_cast<R>(real), static_cast<R>(imaginary));
  } else {
    return static_cast<R>(real);
  }
}

template <class T>
void fill_vector(VectorKind kind, Array<T>& array, const std::vector<std::size_t>& places,
                 Random& random) {
  constexpr bool kFloat = sizeof(real_t<T>) == 4;
  const auto entries = static_cast<std::int64_t>(places.size());
  const std::int64_t hot = entries > 0 ? random.below(entries) : 0;
  for (std::int64_t k = 0; k < entries; ++k) {
    double scale = 1;
    switch (kind) {
      case VectorKind::ordinary:
        break;
      case VectorKind::zero:
        scale = 0;
        break;
      case VectorKind::minus_zero:
        array.values[places[static_cast<std::size_t>(k)]] = number<T>(-0.0, -0.0);
        continue;
      case VectorKind::one_hot:
        array.values[places[static_cast<std::size_t>(k)]] = T(k == hot ? 1 : 0);
        continue;
      case VectorKind::large:
        scale = kFloat ? 1e15 : 1e120;
        break;
      case VectorKind::huge:
        scale = kFloat ? 1e30 : 1e300;
        break;
      case VectorKind::tiny:
        scale = kFloat ? 1e-30 : 1e-300;
        break;
      case VectorKind::subnormal:
        scale = static_cast<double>(std::numeric_limits<real_t<T>>::min());
        break;
      case VectorKind::wide:
        scale = std::pow(10.0, static_cast<double>(random.below(40) - 35));
        break;
    }
    const double real = scale * random.uniform();
    array.values[places[static_cast<std::size_t>(k)]] = number<T>(real, scale * random.uniform());
  }
}

template <class T>
Array<T> vectors_of(VectorKind kind, const Shape& shape, std::int64_t axis, Random& random) {
  Array<T> out(shape);
  for_each_vector(shape, axis, [&](const std::vector<std::size_t>& places) {
    fill_vector(kind, out, places, random);
  });
  return out;
}

// Every vector of a kind of its own.
template <class T>
Array<T> mixed_vectors(const Shape& shape, std::int64_t axis, Random& random) {
  Array<T> out(shape);
  for_each_vector(shape, axis, [&](const std::vector<std::size_t>& places) {
    const auto kinds = static_cast<std::int64_t>(std::size(kVectorKinds));
    fill_vector(kVectorKinds[random.below(kinds)], out, places, random);
  });
  return out;
}

// --- Checks of all engines on one problem ---

template <class T>
void check_rotate(const Array<T>& x, const OwnedParameters<real_t<T>>& parameters,
                  const Schedule& schedule, const RotateOptions& options) {
  const auto expected = reference_rotate(widened(x), widened(parameters), schedule, options);
  for (const Engine* engine : engines()) {
    CAPTURE(std::string(engine->name));
    const Array<T> y = engine_rotated(*engine, x, parameters, schedule, options);
    CHECK(vectors_error(y, expected, schedule, options.axis) <= 1);
    if (y.shape != x.shape) continue;
    Array<T> in_place = x;
    REQUIRE(engine_rotate<T>(*engine, in_place.view(), parameters.views(), schedule,
                             in_place.view(), options));
    CHECK(vectors_error(in_place, expected, schedule, options.axis) <= 1);
  }
}

template <class T>
void check_vjp(const Array<T>& y, const Array<T>& gy, const OwnedParameters<real_t<T>>& parameters,
               const Schedule& schedule, const RotateOptions& options) {
  const auto expected =
      gradients<Wide<T>>(nullptr, widened(y), widened(gy), widened(parameters), schedule, options);
  for (const Engine* engine : engines()) {
    CAPTURE(std::string(engine->name));
    const Gradients<T> got = gradients(engine, y, gy, parameters, schedule, options);
    CHECK(vectors_error(got.gx, expected.gx, schedule, options.axis) <= 1);
    CHECK(gradient_error(got.gangles, expected.gangles, y, gy, schedule, options) <= 1);
  }
}

template <class R>
void check_matrix(const OwnedParameters<R>& parameters, const Schedule& schedule, Random& random) {
  const Array<double> expected = reference_matrix<double>(widened(parameters), schedule);
  Array<R> U(expected.shape);
  for (std::size_t k = 0; k < U.values.size(); ++k) {
    U.values[k] = static_cast<R>(expected.values[k]);
  }
  const Array<R> gU = random.array<R>(U.shape);
  const auto expected_gradients =
      matrix_gradients<double>(nullptr, widened(U), widened(gU), widened(parameters), schedule);
  for (const Engine* engine : engines()) {
    CAPTURE(std::string(engine->name));
    const Array<R> got = engine_matrix<R>(*engine, parameters, schedule);
    CHECK(vectors_error(got, expected, schedule, -2) <= 1);
    const Gradients<R> g = matrix_gradients<R>(engine, U, gU, parameters, schedule);
    CHECK(gradient_error(g.gangles, expected_gradients.gangles, U, gU, schedule, {-2, false}) <= 1);
  }
}

// Around the groups of rows and the widths of registers.
inline constexpr std::int64_t kEngineSizes[] = {0,  1,  2,  3,  5,  7,  8,   9,   15, 16,
                                                17, 31, 33, 63, 64, 65, 100, 127, 129};
// One below and above the widths of registers and panels.
inline constexpr std::int64_t kVectorCounts[9] = {0, 1, 2, 15, 16, 17, 33, 65, 129};

// Of the long cases one in so many is run: the thread sanitizer makes them twenty times longer, the
// address sanitizer eight times.
#if defined(__SANITIZE_THREAD__)
inline constexpr std::int64_t kLongCases = 12;
#elif defined(__SANITIZE_ADDRESS__)
inline constexpr std::int64_t kLongCases = 2;
#else
inline constexpr std::int64_t kLongCases = 1;
#endif

// Whether to leave a case of n rows out.
inline bool too_long(std::int64_t n, Random& random) {
  return n >= 31 && random.below(kLongCases) != 0;
}

// Three ways to lay out n coordinates of a number of vectors.
struct Arrangement {
  Shape shape;
  std::int64_t axis;
};

inline Arrangement arrangement(std::int64_t n, std::int64_t vectors, Random& random) {
  switch (random.below(3)) {
    case 0:
      return {{vectors, n}, -1};
    case 1:
      return {{n, vectors}, -2};
    default:
      if (vectors % 3 == 0) return {{3, n, vectors / 3}, 1};
      return {{1, vectors, n, 1}, 2};
  }
}

inline bool either(Random& random) { return random.uniform() < 0; }

template <class T>
bool same_bits(const T& a, const T& b) {
  return std::memcmp(&a, &b, sizeof(T)) == 0;
}

}  // namespace test
