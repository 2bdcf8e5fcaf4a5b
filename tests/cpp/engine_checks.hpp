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
#include <utility>
#include <vector>

#include "arguments/validate.hpp"
#include "array.hpp"
#include "cpu/engine.hpp"
#include "dense.hpp"
#include "givens/givens.hpp"
#include "plan/plan.hpp"
#include "problems.hpp"
#include "random.hpp"
#include "reference_calls.hpp"

namespace test {

using givens::ArrayView;
using givens::Pair;
using givens::Plan;
using givens::plan_of;
using givens::real_t;
using givens::RotateOptions;
using givens::Schedule;
using givens::cpu::Engine;
using givens::cpu::engines;

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

template <class T>
Array<T> rounded(const Array<Wide<T>>& wide) {
  Array<T> out(wide.shape);
  for (std::size_t k = 0; k < wide.values.size(); ++k) {
    out.values[k] = static_cast<T>(wide.values[k]);
  }
  return out;
}

template <class R>
OwnedParameters<double> widened(const OwnedParameters<R>& narrow) {
  return narrow.each([](const Array<R>& array) { return widened(array); });
}

// --- Calls ---

// The calls of an engine may be given another plan than the schedule's.
inline const Plan& plan_or(const Plan* plan, const Schedule& schedule) {
  return plan ? *plan : plan_of(schedule);
}

template <class T>
void engine_rotate(const Engine& engine, const ArrayView<const T>& x,
                   const givens::Parameters<real_t<T>>& parameters, const Schedule& schedule,
                   const ArrayView<T>& y, const RotateOptions& options,
                   const Plan* plan = nullptr) {
  engine.functions<T>().rotate(givens::validate::rotate<T>(x, parameters, schedule, y, options),
                               plan_or(plan, schedule));
}

template <class T>
Array<T> engine_rotated(const Engine& engine, const Array<T>& x,
                        const OwnedParameters<real_t<T>>& parameters, const Schedule& schedule,
                        const RotateOptions& options, const Plan* plan = nullptr) {
  Array<T> y(
      givens::validate::rotated_shape<T>(x.view(), parameters.views(), schedule, options.axis),
      T(77));
  engine_rotate<T>(engine, x.view(), parameters.views(), schedule, y.view(), options, plan);
  return y;
}

template <class T>
Array<T> engine_matrix(const Engine& engine, const OwnedParameters<real_t<T>>& parameters,
                       const Schedule& schedule, int num_threads = 0, const Plan* plan = nullptr) {
  Array<T> U(givens::validate::matrix_shape(parameters.views(), schedule), T(77));
  engine.functions<T>().matrix(
      givens::validate::matrix<T>(parameters.views(), schedule, U.view(), num_threads),
      plan_or(plan, schedule));
  return U;
}

// `engine` is null for the reference engine.
template <class T>
Gradients<T> gradients(const Engine* engine, const Array<T>& y, const Array<T>& gy,
                       const OwnedParameters<real_t<T>>& parameters, const Schedule& schedule,
                       const RotateOptions& options, const Plan* plan = nullptr) {
  Gradients<T> out{Array<T>(y.shape), OwnedGradients<real_t<T>>(parameters)};
  const auto problem = givens::validate::rotate_vjp<T>(
      y.view(), gy.view(), parameters.views(), schedule, out.gx.view(), out.of.views(), options);
  if (engine) {
    engine->functions<T>().vjp(problem, plan_or(plan, schedule));
  } else {
    givens::reference::vjp(problem);
  }
  return out;
}

template <class T>
Gradients<T> matrix_gradients(const Engine* engine, const Array<T>& U, const Array<T>& gU,
                              const OwnedParameters<real_t<T>>& parameters,
                              const Schedule& schedule, int num_threads = 0,
                              const Plan* plan = nullptr) {
  Gradients<T> out{Array<T>({0}), OwnedGradients<real_t<T>>(parameters)};
  const auto problem = givens::validate::matrix_vjp<T>(U.view(), gU.view(), parameters.views(),
                                                       schedule, out.of.views(), num_threads);
  if (engine) {
    engine->functions<T>().matrix_vjp(problem, plan_or(plan, schedule));
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

inline std::int64_t vector_count(Shape shape, std::int64_t axis) {
  shape.at(static_cast<std::size_t>(axis < 0 ? axis + static_cast<std::int64_t>(shape.size())
                                             : axis)) = 1;
  return size_of(shape);
}

// Calls body(offsets) with the offsets of each vector's numbers in a contiguous array.
template <class Body>
void for_each_vector(const Shape& shape, std::int64_t axis, Body&& body) {
  const auto d =
      static_cast<std::size_t>(axis < 0 ? axis + static_cast<std::int64_t>(shape.size()) : axis);
  std::int64_t inner = 1;
  for (std::size_t k = d + 1; k < shape.size(); ++k) inner *= shape[k];
  std::int64_t outer = 1;
  for (std::size_t k = 0; k < d; ++k) outer *= shape[k];
  std::vector<std::size_t> offsets(static_cast<std::size_t>(shape[d]));
  for (std::int64_t o = 0; o < outer; ++o) {
    for (std::int64_t i = 0; i < inner; ++i) {
      for (std::int64_t k = 0; k < shape[d]; ++k) {
        offsets[static_cast<std::size_t>(k)] =
            static_cast<std::size_t>((o * shape[d] + k) * inner + i);
      }
      body(static_cast<const std::vector<std::size_t>&>(offsets));
    }
  }
}

template <class T>
std::vector<T> picked(const Array<T>& from, const std::vector<std::size_t>& offsets) {
  std::vector<T> out;
  for (const std::size_t offset : offsets) out.push_back(from.values[offset]);
  return out;
}

// The relative error of a vector that went through all rotations, in the engine and in the
// reference in double. `rounding` counts six roundings for each rotation and rounds up to 16. A
// fast rotation has no more: coefficients that are rounded once, two multiply-adds, and a part of
// the two roundings that a block's scales cost each row of it.
template <class R>
double relative_allowance(const Schedule& schedule) {
  return rounding<R>(schedule) + rounding<double>(schedule);
}

// What is lost beside it where numbers are subnormal: in each of n coordinates a round has two
// products, each rounded to a multiple of the smallest number.
template <class R>
double absolute_allowance(const Schedule& schedule) {
  return 2.0 * static_cast<double>(std::numeric_limits<R>::denorm_min()) *
         std::sqrt(static_cast<double>(schedule.n())) *
         static_cast<double>(schedule.num_rounds() + 1);
}

// The largest error of the vectors along `axis`, in units of what is allowed for each; at most 1 if
// they are right. It takes the norms of the results, which rotations keep.
template <class T>
double vectors_error(const Array<T>& got, const Array<Wide<T>>& expected, const Schedule& schedule,
                     std::int64_t axis) {
  if (got.shape != expected.shape) return std::numeric_limits<double>::infinity();
  const double relative = relative_allowance<real_t<T>>(schedule);
  const double absolute = absolute_allowance<real_t<T>>(schedule);
  double worst = 0;
  for_each_vector(got.shape, axis, [&](const std::vector<std::size_t>& offsets) {
    const auto a = picked(got, offsets);
    const auto b = picked(expected, offsets);
    const double error = largest_difference(a, b);
    const double ratio = error == 0 ? 0 : error / (relative * length(b) + absolute);
    worst = std::isnan(ratio) ? std::numeric_limits<double>::infinity() : std::max(worst, ratio);
  });
  return worst;
}

// How far the gradients by the parameters may be off.
struct GradientAllowance {
  double angles;
  double phases;
  double diagonal;
};

// The gradient by an angle is a part of W[j, i], W = gy y^H - y gy^H, which is at most |y| |gy| for
// each vector. Both states are off by the allowance. The sum over a vector's columns has four
// multiply-adds, or eight for two parts of which one or the other counts more: at most three
// roundings of epsilon. Then there are a few factors.
//
// The gradient by a phase has the diagonal of W beside it, at most 2 |y| |gy| in all. The engine
// takes the diagonal back from y and gy, round by round, with what it finds of W[j, i]. So it is
// off by the rounding of a state in all rounds, which is in the allowance once more, and by the
// rounding of the sum in each.
//
// The gradient by the diagonal is half of W's diagonal after all rotations of U, which the inverse
// has to go to.
//
// `shape` is the gradient's. If it has an entry of its own for each matrix, the matrix with the
// largest vectors counts, and else all vectors do.
template <class T>
GradientAllowance gradient_allowance(const Array<T>& y, const Array<T>& gy, const Shape& shape,
                                     const Schedule& schedule, const RotateOptions& options) {
  using R = real_t<T>;
  const bool own = std::equal(shape.begin(), shape.end() - 1, y.shape.begin());
  const std::int64_t matrices = own ? size_of({shape.begin(), shape.end() - 1}) : 1;
  const std::int64_t vectors =
      vector_count(y.shape, options.axis) / std::max<std::int64_t>(matrices, 1);
  double products = 0;
  double lengths = 0;
  double products_of_matrix = 0;
  double lengths_of_matrix = 0;
  std::int64_t vector = 0;
  for_each_vector(y.shape, options.axis, [&](const std::vector<std::size_t>& offsets) {
    if (vector++ % vectors == 0) products_of_matrix = lengths_of_matrix = 0;
    const double of_y = length(picked(y, offsets));
    const double of_gy = length(picked(gy, offsets));
    products_of_matrix += of_y * of_gy;
    lengths_of_matrix += of_y + of_gy;
    products = std::max(products, products_of_matrix);
    lengths = std::max(lengths, lengths_of_matrix);
  });
  const double smallest = static_cast<double>(std::numeric_limits<R>::denorm_min());
  const double epsilon = static_cast<double>(std::numeric_limits<R>::epsilon());
  const double states = 2 * relative_allowance<R>(schedule);
  const double count = static_cast<double>(vectors);
  const double sum = (3 * count + 8) * epsilon;
  const double rounds = static_cast<double>(schedule.num_rounds() + 3);
  const double absolute = lengths * absolute_allowance<R>(schedule) + (4 * count + 8) * smallest;
  return {products * (states + sum) + absolute,
          products * (2 * states + rounds * sum) + rounds * absolute,
          products * ((options.inverse ? states : 0) + sum + 16 * epsilon) + absolute};
}

// The largest error of gradients in units of what is allowed.
template <class R>
double gradient_error(const Array<R>& got, const Array<double>& expected, double allowed) {
  if (got.shape != expected.shape) return std::numeric_limits<double>::infinity();
  const double error = largest_difference(got.values, expected.values);
  if (error == 0) return 0;
  return std::isnan(error) ? std::numeric_limits<double>::infinity() : error / allowed;
}

template <class T>
void check_gradients(const StoredGradients<Array<real_t<T>>>& got,
                     const StoredGradients<Array<double>>& expected, const Array<T>& y,
                     const Array<T>& gy, const Schedule& schedule, const RotateOptions& options) {
  const auto allowed = [&](const Array<real_t<T>>& gradient) {
    return gradient_allowance(y, gy, gradient.shape, schedule, options);
  };
  CHECK(gradient_error(got.angles, expected.angles, allowed(got.angles).angles) <= 1);
  if (got.phases) {
    CHECK(gradient_error(*got.phases, *expected.phases, allowed(*got.phases).phases) <= 1);
  }
  if (got.diagonal) {
    CHECK(gradient_error(*got.diagonal, *expected.diagonal, allowed(*got.diagonal).diagonal) <= 1);
  }
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

// An angle of a kind that does not depend on the rotation.
template <class R>
R angle_of(AngleKind kind, Random& random) {
  switch (kind) {
    case AngleKind::small:
      return static_cast<R>(1e-3 * random.uniform());
    case AngleKind::normal:
      return static_cast<R>(gaussian(random));
    case AngleKind::full_turn:
    case AngleKind::right_runs:
      return static_cast<R>(kPi * random.uniform());
    case AngleKind::special:
      return special_angle<R>(random);
    case AngleKind::near_right:
      return static_cast<R>(kPi / 2 + 1e-3 * random.uniform());
    case AngleKind::right:
      return static_cast<R>(kPi / 2);
    case AngleKind::to_a_million:
      return static_cast<R>(1e6 * random.uniform());
    case AngleKind::huge:
      return static_cast<R>(random.uniform() *
                            std::pow(10.0, static_cast<double>(random.below(31))));
    case AngleKind::subnormal:
      return static_cast<R>(random.uniform() * static_cast<double>(std::numeric_limits<R>::min()));
  }
  return R(0);
}

// Angles or phases of all rotations.
template <class R>
Array<R> angles_of(AngleKind kind, const Schedule& schedule, Random& random,
                   const Shape& batch = {}) {
  Array<R> out(joined(batch, schedule.num_rotations()));
  const std::vector<Pair> pairs = schedule.pairs();
  const auto row = schedule.n() > 0 ? random.below(schedule.n()) : 0;
  const R right = static_cast<R>(kPi / 2);
  const R choices[] = {right, -right, std::nextafter(right, R(0)), std::nextafter(right, R(2))};
  for (std::size_t k = 0; k < out.values.size(); ++k) {
    const Pair pair = pairs[k % pairs.size()];
    const bool in_run = kind == AngleKind::right_runs && (pair.i == row || pair.j == row);
    out.values[k] = in_run ? choices[random.below(4)] : angle_of<R>(kind, random);
  }
  return out;
}

// Leading axes of the parameters.
struct BatchShapes {
  Shape angles;
  Shape phases;
  Shape rows;  // of the diagonal or the signs

  BatchShapes() = default;
  BatchShapes(const Shape& all) : angles(all), phases(all), rows(all) {}
  BatchShapes(Shape of_angles, Shape of_phases, Shape of_rows)
      : angles(std::move(of_angles)), phases(std::move(of_phases)), rows(std::move(of_rows)) {}
};

// `phases` is the kind of the phases and of the diagonal.
template <class R>
OwnedParameters<R> parameters_of(AngleKind angles, AngleKind phases, const Schedule& schedule,
                                 const Choice& choice, Random& random,
                                 const BatchShapes& batch = {}) {
  OwnedParameters<R> out{angles_of<R>(angles, schedule, random, batch.angles), {}, {}, {}};
  if (choice.phases) out.phases = angles_of<R>(phases, schedule, random, batch.phases);
  const Shape rows = joined(batch.rows, schedule.n());
  if (choice.diagonal) {
    out.diagonal.emplace(rows);
    for (R& angle : out.diagonal->values) angle = angle_of<R>(phases, random);
  }
  if (choice.signs) {
    out.signs = random.array<R>(rows);
    for (R& sign : out.signs->values) sign = sign < 0 ? R(-1) : R(1);
  }
  return out;
}

// Any of the choices of parameters that there are for T.
template <class T>
Choice any_choice(Random& random) {
  const std::vector<Choice> all = choices<T>();
  return all[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(all.size())))];
}

inline AngleKind any_angles(Random& random) {
  const auto kinds = static_cast<std::int64_t>(std::size(kAngleKinds));
  return random.uniform() < 0 ? AngleKind::full_turn : kAngleKinds[random.below(kinds)];
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
  wide,  // numbers of all magnitudes
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
void fill_vector(VectorKind kind, Array<T>& array, const std::vector<std::size_t>& offsets,
                 Random& random) {
  constexpr bool kFloat = sizeof(real_t<T>) == 4;
  const auto rotations = static_cast<std::int64_t>(offsets.size());
  const std::int64_t hot = rotations > 0 ? random.below(rotations) : 0;
  for (std::int64_t k = 0; k < rotations; ++k) {
    double scale = 1;
    switch (kind) {
      case VectorKind::ordinary:
        break;
      case VectorKind::zero:
        scale = 0;
        break;
      case VectorKind::minus_zero:
        array.values[offsets[static_cast<std::size_t>(k)]] = number<T>(-0.0, -0.0);
        continue;
      case VectorKind::one_hot:
        array.values[offsets[static_cast<std::size_t>(k)]] = T(k == hot ? 1 : 0);
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
    array.values[offsets[static_cast<std::size_t>(k)]] = number<T>(real, scale * random.uniform());
  }
}

template <class T>
Array<T> vectors_of(VectorKind kind, const Shape& shape, std::int64_t axis, Random& random) {
  Array<T> out(shape);
  for_each_vector(shape, axis, [&](const std::vector<std::size_t>& offsets) {
    fill_vector(kind, out, offsets, random);
  });
  return out;
}

// Makes one vector in so many of y far too large and its partner in gy as much smaller, or the
// other way around, so that it keeps its part in every gradient. A matrix has `vectors` vectors;
// every other matrix is left alone.
template <class T>
void make_some_large(Array<T>& y, Array<T>& gy, std::int64_t axis, std::int64_t vectors,
                     std::int64_t one_in, Random& random) {
  using R = real_t<T>;
  const double scale = sizeof(R) == 4 ? 1e9 : 1e80;  // beyond Limits::largest
  std::int64_t vector = 0;
  for_each_vector(y.shape, axis, [&](const std::vector<std::size_t>& offsets) {
    const std::int64_t matrix = vector++ / vectors;
    if (matrix % 2 != 0 || random.below(one_in) != 0) return;
    const double factor = random.uniform() < 0 ? scale : 1 / scale;
    for (const std::size_t offset : offsets) {
      y.values[offset] *= static_cast<R>(factor);
      gy.values[offset] *= static_cast<R>(1 / factor);
    }
  });
}

// Each vector is of a kind of its own.
template <class T>
Array<T> mixed_vectors(const Shape& shape, std::int64_t axis, Random& random) {
  Array<T> out(shape);
  for_each_vector(shape, axis, [&](const std::vector<std::size_t>& offsets) {
    const auto kinds = static_cast<std::int64_t>(std::size(kVectorKinds));
    fill_vector(kVectorKinds[random.below(kinds)], out, offsets, random);
  });
  return out;
}

// --- Checks of all engines on one problem ---

template <class T>
void check_rotate(const Array<T>& x, const OwnedParameters<real_t<T>>& parameters,
                  const Schedule& schedule, const RotateOptions& options,
                  const Plan* plan = nullptr) {
  const auto expected = reference_rotate(widened(x), widened(parameters), schedule, options);
  for (const Engine* engine : engines()) {
    CAPTURE(std::string(engine->name));
    const Array<T> y = engine_rotated(*engine, x, parameters, schedule, options, plan);
    CHECK(vectors_error(y, expected, schedule, options.axis) <= 1);
    if (y.shape != x.shape) continue;
    Array<T> in_place = x;
    engine_rotate<T>(*engine, in_place.view(), parameters.views(), schedule, in_place.view(),
                     options, plan);
    CHECK(vectors_error(in_place, expected, schedule, options.axis) <= 1);
  }
}

template <class T>
void check_vjp(const Array<T>& y, const Array<T>& gy, const OwnedParameters<real_t<T>>& parameters,
               const Schedule& schedule, const RotateOptions& options, const Plan* plan = nullptr) {
  const auto expected =
      gradients<Wide<T>>(nullptr, widened(y), widened(gy), widened(parameters), schedule, options);
  for (const Engine* engine : engines()) {
    CAPTURE(std::string(engine->name));
    const Gradients<T> got = gradients(engine, y, gy, parameters, schedule, options, plan);
    CHECK(vectors_error(got.gx, expected.gx, schedule, options.axis) <= 1);
    check_gradients(got.of, expected.of, y, gy, schedule, options);
  }
}

// Both with random vectors.
template <class T>
void check_vectors(const Shape& shape, const OwnedParameters<real_t<T>>& parameters,
                   const Schedule& schedule, const RotateOptions& options, Random& random,
                   const Plan* plan = nullptr) {
  check_rotate(random.array<T>(shape), parameters, schedule, options, plan);
  check_vjp(random.array<T>(shape), random.array<T>(shape), parameters, schedule, options, plan);
}

template <class T>
void check_matrix(const OwnedParameters<real_t<T>>& parameters, const Schedule& schedule,
                  Random& random, const Plan* plan = nullptr) {
  const auto expected = reference_matrix<Wide<T>>(widened(parameters), schedule);
  const Array<T> U = rounded<T>(expected);
  const Array<T> gU = random.array<T>(U.shape);
  const auto expected_gradients =
      matrix_gradients<Wide<T>>(nullptr, widened(U), widened(gU), widened(parameters), schedule);
  for (const Engine* engine : engines()) {
    CAPTURE(std::string(engine->name));
    const Array<T> got = engine_matrix<T>(*engine, parameters, schedule, 0, plan);
    CHECK(vectors_error(got, expected, schedule, -2) <= 1);
    const Gradients<T> g = matrix_gradients<T>(engine, U, gU, parameters, schedule, 0, plan);
    check_gradients(g.of, expected_gradients.of, U, gU, schedule, {-2, false});
  }
}

// Around multiples of a row block and the widths of registers.
inline constexpr std::int64_t kEngineSizes[] = {0,  1,  2,  3,  5,  7,  8,   9,   15, 16,
                                                17, 31, 33, 63, 64, 65, 100, 127, 129};
// One below and above the widths of registers and panels, which have 128 reals.
inline constexpr std::int64_t kVectorCounts[] = {0,  1,  2,  3,  7,  8,  9,   15,  16, 17,
                                                 31, 32, 33, 63, 64, 65, 127, 128, 129};

// One long case in so many is run: the address sanitizer makes them eight times longer, an emulator
// of another processor more.
#if defined(__SANITIZE_ADDRESS__) || defined(GIVENS_TESTS_ON_EMULATOR)
inline constexpr std::int64_t kLongCases = 4;
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
template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

}  // namespace test
