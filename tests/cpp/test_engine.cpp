// Every CPU engine that this machine can run, against the reference engine in double. The public
// functions choose one engine; here each is called by itself.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <cstring>
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

namespace {

using givens::ArrayView;
using givens::Pair;
using givens::real_t;
using givens::RotateOptions;
using givens::Schedule;
using givens::cpu::Engine;
using givens::cpu::engines;
using givens::cpu::plan_of;
using test::Array;
using test::Choice;
using test::Index;
using test::OwnedGradients;
using test::OwnedParameters;
using test::Random;
using test::Shape;

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
  for (const T& value : values) largest = std::max(largest, std::abs(test::wide(value)));
  if (largest == 0) return 0;
  double sum = 0;
  for (const T& value : values) {
    const double part = std::abs(test::wide(value)) / largest;
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
// the reference in double. test::rounding counts six roundings of a rotation and rounds up to 16;
// the form with two multiply-adds has no more: coefficients rounded once, two multiply-adds, and
// the scales, whose roundings are those of double.
template <class R>
double relative_allowance(const Schedule& schedule) {
  return test::rounding<R>(schedule) + test::rounding<double>(schedule);
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
    const double error = test::largest_difference(a, b);
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
  const double error = test::largest_difference(got.values, expected.values);
  if (error == 0) return 0;
  return std::isnan(error) ? std::numeric_limits<double>::infinity() : error / allowed;
}

// --- Angles ---

const double kPi = std::acos(-1.0);

double gaussian(Random& random) {
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
constexpr AngleKind kAngleKinds[] = {
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
  Array<R> out(test::joined(batch, schedule.num_rotations()));
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
  OwnedParameters<R> out =
      test::random_parameters<R>(schedule, {false, false, signs}, random, batch);
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
constexpr VectorKind kVectorKinds[] = {
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
constexpr std::int64_t kEngineSizes[] = {0,  1,  2,  3,  5,  7,  8,   9,   15, 16,
                                         17, 31, 33, 63, 64, 65, 100, 127, 129};
// One below and above the widths of registers and panels.
constexpr std::int64_t kVectorCounts[9] = {0, 1, 2, 15, 16, 17, 33, 65, 129};

// Of the long cases one in so many is run: the thread sanitizer makes them twenty times longer, the
// address sanitizer eight times.
#if defined(__SANITIZE_THREAD__)
constexpr std::int64_t kLongCases = 12;
#elif defined(__SANITIZE_ADDRESS__)
constexpr std::int64_t kLongCases = 2;
#else
constexpr std::int64_t kLongCases = 1;
#endif

// Whether to leave a case of n rows out.
bool too_long(std::int64_t n, Random& random) { return n >= 31 && random.below(kLongCases) != 0; }

// Three ways to lay out n coordinates of a number of vectors.
struct Arrangement {
  Shape shape;
  std::int64_t axis;
};

Arrangement arrangement(std::int64_t n, std::int64_t vectors, Random& random) {
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

bool either(Random& random) { return random.uniform() < 0; }

template <class T>
bool same_bits(const T& a, const T& b) {
  return std::memcmp(&a, &b, sizeof(T)) == 0;
}

}  // namespace

TEST_CASE("engines: fastest first, the baseline last") {
  std::vector<std::string> names;
  for (const Engine* engine : engines()) names.emplace_back(engine->name);
  REQUIRE(!names.empty());
  CHECK(names.back() == "baseline");
  std::vector<std::string> expected = {"baseline"};
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    expected.insert(expected.begin(), "avx2");
  }
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw")) {
    expected.insert(expected.begin(), "avx512");
  }
#endif
  CHECK(names == expected);
  names.emplace_back("reference");
  CHECK(givens::backends() == names);

  const Engine* chosen = givens::cpu::engine();  // null if the environment says "reference"
  const std::vector<const Engine*> all = engines();
  CHECK((chosen == nullptr || std::count(all.begin(), all.end(), chosen) == 1));
}

TEST_CASE_TEMPLATE("an engine leaves a problem alone or computes it", T, std::complex<float>,
                   std::complex<double>) {
  using R = real_t<T>;
  Random random(71);
  const T untouched(77);
  for (const Schedule& schedule : {Schedule::xor_(9), Schedule::circle(20)}) {
    for (const Choice& choice : test::choices<T>()) {
      const auto parameters = test::random_parameters<R>(schedule, choice, random);
      const Array<T> x = random.array<T>({3, schedule.n()});
      const auto y = reference_rotate(widened(x), widened(parameters), schedule, {});
      const auto U = reference_matrix<std::complex<double>>(widened(parameters), schedule);
      for (const Engine* engine : engines()) {
        CAPTURE(std::string(engine->name));
        Array<T> got(x.shape, untouched);
        if (engine_rotate<T>(*engine, x.view(), parameters.views(), schedule, got.view(), {})) {
          CHECK(vectors_error(got, y, schedule, -1) <= 1);
        } else {
          CHECK((choice.phases || choice.diagonal));
          CHECK(got.values == Array<T>(x.shape, untouched).values);
        }
        Array<T> got_U(U.shape, untouched);
        if (engine->functions<T>().matrix(
                givens::validate::matrix<T>(parameters.views(), schedule, got_U.view()),
                plan_of(schedule))) {
          CHECK(vectors_error(got_U, U, schedule, -2) <= 1);
        } else {
          CHECK(got_U.values == Array<T>(U.shape, untouched).values);
        }
        if (!choice.phases && !choice.diagonal) continue;
        Array<T> gx(x.shape, untouched);
        OwnedGradients<R> gangles(parameters);
        const auto problem = givens::validate::rotate_vjp<T>(
            got.view(), x.view(), parameters.views(), schedule, gx.view(), gangles.views(), {});
        if (!engine->functions<T>().vjp(problem, plan_of(schedule))) {
          CHECK(gx.values == Array<T>(x.shape, untouched).values);
          CHECK(gangles.all() == OwnedGradients<R>(parameters).all());
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("engines: rotate and its gradient, every schedule and size", T,
                   GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(72);
  for (const std::int64_t n : kEngineSizes) {
    for (const Schedule& schedule : test::schedules(n, random)) {
      if (too_long(n, random)) continue;
      CAPTURE(schedule.repr());
      const std::int64_t counts = n < 60 ? 9 : 7;  // many large vectors would take long
      const Arrangement a = arrangement(n, kVectorCounts[random.below(counts)], random);
      const RotateOptions options{a.axis, either(random)};
      CAPTURE(a.shape.front());
      CAPTURE(options.axis);
      CAPTURE(options.inverse);
      const auto kinds = static_cast<std::int64_t>(std::size(kAngleKinds));
      const AngleKind kind =
          either(random) ? AngleKind::full_turn : kAngleKinds[random.below(kinds)];
      CAPTURE(kind);
      const auto parameters = parameters_of<R>(kind, schedule, either(random), random);
      const Array<T> x =
          either(random) ? mixed_vectors<T>(a.shape, a.axis, random) : random.array<T>(a.shape);
      check_rotate(x, parameters, schedule, options);
      check_vjp(random.array<T>(a.shape), random.array<T>(a.shape), parameters, schedule, options);
    }
  }
}

TEST_CASE_TEMPLATE("engines: matrix and its gradient, every schedule and size", R, float, double) {
  Random random(73);
  for (const std::int64_t n : kEngineSizes) {
    for (const Schedule& schedule : test::schedules(n, random)) {
      if (too_long(n, random)) continue;
      CAPTURE(schedule.repr());
      const auto kinds = static_cast<std::int64_t>(std::size(kAngleKinds));
      const AngleKind kind =
          either(random) ? AngleKind::full_turn : kAngleKinds[random.below(kinds)];
      CAPTURE(kind);
      const Shape batch = n < 20 ? Shape{2} : Shape{};
      check_matrix(parameters_of<R>(kind, schedule, either(random), random, batch), schedule,
                   random);
    }
  }
}

TEST_CASE_TEMPLATE("engines: any number of vectors", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(74);
  for (const Schedule& schedule : {Schedule::xor_(20), Schedule::circle(21)}) {
    CAPTURE(schedule.repr());
    const auto parameters = parameters_of<R>(AngleKind::normal, schedule, true, random);
    for (const std::int64_t vectors : kVectorCounts) {
      CAPTURE(vectors);
      for (const bool inverse : {false, true}) {
        const Shape rows = {vectors, schedule.n()};
        const Shape columns = {schedule.n(), vectors};
        check_rotate(random.array<T>(rows), parameters, schedule, {-1, inverse});
        check_rotate(random.array<T>(columns), parameters, schedule, {-2, inverse});
        check_vjp(random.array<T>(rows), random.array<T>(rows), parameters, schedule,
                  {-1, inverse});
        check_vjp(random.array<T>(columns), random.array<T>(columns), parameters, schedule,
                  {-2, inverse});
      }
    }
  }
}

TEST_CASE_TEMPLATE("engines: angles of every kind", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(75);
  for (const Schedule& schedule :
       {Schedule::xor_(40), Schedule::circle(41), Schedule::team(24, 8), Schedule::xor_(64)}) {
    CAPTURE(schedule.repr());
    const Shape shape = {17, schedule.n()};
    for (const AngleKind kind : kAngleKinds) {
      if (too_long(schedule.n(), random)) continue;
      CAPTURE(kind);
      const auto parameters = parameters_of<R>(kind, schedule, either(random), random);
      for (const bool inverse : {false, true}) {
        CAPTURE(inverse);
        check_rotate(random.array<T>(shape), parameters, schedule, {-1, inverse});
        check_rotate(vectors_of<T>(VectorKind::one_hot, shape, -1, random), parameters, schedule,
                     {-1, inverse});
        check_vjp(random.array<T>(shape), random.array<T>(shape), parameters, schedule,
                  {-1, inverse});
      }
      if constexpr (!givens::is_complex_v<T>) check_matrix(parameters, schedule, random);
    }
  }
}

TEST_CASE_TEMPLATE("engines: vectors of every kind", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(76);
  for (const Schedule& schedule :
       {Schedule::xor_(40), Schedule::circle(41), Schedule::brickwall(10)}) {
    CAPTURE(schedule.repr());
    const Shape shape = {schedule.n(), 19};
    for (const VectorKind kind : kVectorKinds) {
      CAPTURE(kind);
      for (const AngleKind angles :
           {AngleKind::full_turn, AngleKind::near_right, AngleKind::small}) {
        CAPTURE(angles);
        for (const bool inverse : {false, true}) {
          CAPTURE(inverse);
          const auto parameters = parameters_of<R>(angles, schedule, either(random), random);
          const RotateOptions options{-2, inverse};
          const Array<T> x = vectors_of<T>(kind, shape, -2, random);
          check_rotate(x, parameters, schedule, options);
          // Each with an ordinary one: the product of two huge ones may overflow in any order.
          check_vjp(x, random.array<T>(shape), parameters, schedule, options);
          check_vjp(random.array<T>(shape), x, parameters, schedule, options);
        }
      }
    }
    const auto parameters = parameters_of<R>(AngleKind::full_turn, schedule, true, random);
    check_rotate(mixed_vectors<T>(shape, -2, random), parameters, schedule, {-2, false});
    check_rotate(mixed_vectors<T>(shape, -2, random), parameters, schedule, {-2, true});
  }
}

// |y| |gy| is far from the largest number, and so is every gradient; products of stored rows, which
// are larger by their scales, need not be.
TEST_CASE_TEMPLATE("engines: the gradient of large vectors does not overflow", T,
                   GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(77);
  const double scale = sizeof(R) == 4 ? 1e14 : 1e119;
  for (const Schedule& schedule : {Schedule::xor_(40), Schedule::circle(41), Schedule::xor_(100)}) {
    CAPTURE(schedule.repr());
    const Shape shape = {5, schedule.n()};
    for (const AngleKind kind :
         {AngleKind::full_turn, AngleKind::near_right, AngleKind::right_runs}) {
      CAPTURE(kind);
      const auto parameters = parameters_of<R>(kind, schedule, false, random);
      for (const bool inverse : {false, true}) {
        check_vjp(random.array<T>(shape, scale), random.array<T>(shape, scale), parameters,
                  schedule, {-1, inverse});
      }
    }
  }
}

TEST_CASE_TEMPLATE("engines: batches of matrices", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(78);
  struct Shapes {
    Shape angles;  // leading axes
    Shape signs;
    Shape x;  // without the coordinates, which come last
  };
  const Shapes cases[] = {{{3}, {}, {3}},           {{3}, {}, {1, 5}},       {{1}, {3}, {3, 5}},
                          {{3, 1}, {2}, {3, 2, 4}}, {{3, 1}, {}, {3, 2, 4}}, {{2}, {2}, {2, 17}},
                          {{0}, {}, {0, 4}},        {{2}, {1}, {2, 0}},      {{}, {4}, {4, 3}},
                          {{1, 1}, {}, {2, 3}}};
  for (const Schedule& schedule :
       {Schedule::xor_(19), Schedule::circle(18), Schedule::team(9, 3)}) {
    CAPTURE(schedule.repr());
    for (const Shapes& shapes : cases) {
      CAPTURE(&shapes - cases);
      OwnedParameters<R> parameters{
          angles_of<R>(AngleKind::normal, schedule, random, shapes.angles), {}, {}, {}};
      parameters.signs = random.array<R>(test::joined(shapes.signs, schedule.n()));
      for (R& sign : parameters.signs->values) sign = sign < 0 ? R(-1) : R(1);
      const Array<T> x = random.array<T>(test::joined(shapes.x, schedule.n()));
      for (const bool inverse : {false, true}) {
        const RotateOptions options{-1, inverse};
        check_rotate(x, parameters, schedule, options);
        const Shape full =
            givens::validate::rotated_shape<T>(x.view(), parameters.views(), schedule, -1);
        check_vjp(random.array<T>(full), random.array<T>(full), parameters, schedule, options);
      }
      if constexpr (!givens::is_complex_v<T>) check_matrix(parameters, schedule, random);
    }
  }
}

namespace {

// An array in memory of any layout: axes from the outermost in `order`, every innermost step `gap`
// elements, with a few elements between rows; axes of which `reversed` has the bit run backwards.
struct Layout {
  std::vector<std::size_t> order;
  std::int64_t gap;
  unsigned reversed;
};

template <class T>
class Placed {
 public:
  Placed(const Shape& shape, const Layout& layout, T fill) {
    Shape strides(shape.size());
    std::int64_t next = layout.gap;
    for (std::size_t k = shape.size(); k-- > 0;) {
      const std::size_t axis = layout.order[k];
      strides[axis] = next;
      next = next * shape[axis] + 3;
    }
    storage_.assign(static_cast<std::size_t>(next), fill);
    std::int64_t offset = 0;
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
      if ((layout.reversed >> axis & 1U) == 0) continue;
      offset += (shape[axis] - 1) * strides[axis];
      strides[axis] = -strides[axis];
    }
    view_ = ArrayView<T>(storage_.data() + offset, static_cast<int>(shape.size()), shape.data(),
                         strides.data());
  }
  Placed(const Array<T>& array, const Layout& layout, T fill) : Placed(array.shape, layout, fill) {
    auto from = array.values.begin();
    test::for_each_index(array.shape,
                         [&](const Index& index) { test::at(view_, index) = *from++; });
  }
  Placed(const Placed&) = delete;
  Placed& operator=(const Placed&) = delete;

  const ArrayView<T>& view() const { return view_; }
  Array<T> values() const {
    Array<T> out(test::shape_of(view_));
    out.values = test::elements(view_);
    return out;
  }
  // Elements of the memory that still hold `value`.
  std::ptrdiff_t count(T value) const {
    return std::count(storage_.begin(), storage_.end(), value);
  }
  std::ptrdiff_t gaps() const {
    return static_cast<std::ptrdiff_t>(storage_.size()) -
           static_cast<std::ptrdiff_t>(test::size_of(test::shape_of(view_)));
  }

 private:
  std::vector<T> storage_;
  ArrayView<T> view_;
};

}  // namespace

TEST_CASE_TEMPLATE("engines: arrays of any strides", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(79);
  const Layout layouts[] = {{{0, 1, 2}, 1, 0}, {{0, 2, 1}, 1, 0}, {{2, 1, 0}, 1, 0},
                            {{1, 0, 2}, 2, 7}, {{0, 1, 2}, 1, 4}, {{0, 2, 1}, 1, 2},
                            {{0, 1, 2}, 3, 0}, {{2, 0, 1}, 1, 5}};
  const Layout of_angles[] = {{{0, 1}, 1, 0}, {{0, 1}, 1, 2}, {{1, 0}, 1, 0}, {{0, 1}, 3, 3}};
  const T untouched(77);
  for (const Schedule& schedule : {Schedule::xor_(33), Schedule::circle(18)}) {
    CAPTURE(schedule.repr());
    const auto parameters = parameters_of<R>(AngleKind::full_turn, schedule, true, random, {2});
    const Array<T> x = random.array<T>({2, 18, schedule.n()});
    const Array<T> gy = random.array<T>(x.shape);
    for (const bool inverse : {false, true}) {
      const RotateOptions options{-1, inverse};
      const auto expected = reference_rotate(widened(x), widened(parameters), schedule, options);
      const auto expected_gradients = gradients<Wide<T>>(nullptr, widened(x), widened(gy),
                                                         widened(parameters), schedule, options);
      for (const Engine* engine : engines()) {
        CAPTURE(std::string(engine->name));
        for (std::size_t k = 0; k < std::size(layouts); ++k) {
          CAPTURE(k);
          const Placed<R> angles(parameters.angles, of_angles[k % std::size(of_angles)], R(7));
          const Placed<R> signs(*parameters.signs, of_angles[(k + 1) % std::size(of_angles)], R(7));
          const givens::Parameters<R> views{angles.view(), {}, {}, signs.view()};
          const Layout& other = layouts[(3 * k + 1) % std::size(layouts)];
          const Placed<T> from(x, layouts[k], T(0));
          const Placed<T> to(x.shape, other, untouched);
          REQUIRE(engine_rotate<T>(*engine, from.view(), views, schedule, to.view(), options));
          CHECK(vectors_error(to.values(), expected, schedule, -1) <= 1);
          CHECK(to.count(untouched) == to.gaps());
          // In place.
          REQUIRE(engine_rotate<T>(*engine, from.view(), views, schedule, from.view(), options));
          CHECK(vectors_error(from.values(), expected, schedule, -1) <= 1);

          const Placed<T> y(x, other, T(0));
          const Placed<T> g(gy, layouts[k], T(0));
          const Placed<T> gx(x.shape, layouts[(k + 3) % std::size(layouts)], untouched);
          const Placed<R> gangles(parameters.angles.shape, of_angles[(k + 2) % 4], R(0));
          REQUIRE(engine->functions<T>().vjp(
              givens::validate::rotate_vjp<T>(y.view(), g.view(), views, schedule, gx.view(),
                                              {gangles.view(), {}, {}}, options),
              plan_of(schedule)));
          CHECK(vectors_error(gx.values(), expected_gradients.gx, schedule, -1) <= 1);
          CHECK(gx.count(untouched) == gx.gaps());
          CHECK(gradient_error(gangles.values(), expected_gradients.gangles, x, gy, schedule,
                               options) <= 1);
        }
        // One vector read as 18.
        const Shape repeated = {2, 18, schedule.n()};
        const std::int64_t n = schedule.n();
        const std::int64_t strides[] = {18 * n, 0, 1};
        Array<T> y(repeated);
        REQUIRE(engine_rotate<T>(*engine, {x.values.data(), 3, repeated.data(), strides},
                                 parameters.views(), schedule, y.view(), options));
        for (std::size_t v = 0; v < 2 * 18; ++v) {
          const auto row = static_cast<std::ptrdiff_t>(v) * n;
          const auto first = static_cast<std::ptrdiff_t>(v / 18 * 18) * n;
          CHECK(std::equal(y.values.begin() + row, y.values.begin() + row + n,
                           y.values.begin() + first));
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("engines: U into memory of any strides", R, float, double) {
  Random random(80);
  const Layout layouts[] = {{{0, 1, 2}, 1, 0}, {{0, 2, 1}, 1, 0}, {{2, 1, 0}, 1, 0},
                            {{1, 0, 2}, 2, 7}, {{0, 1, 2}, 1, 4}, {{0, 2, 1}, 3, 2}};
  for (const Schedule& schedule : {Schedule::xor_(33), Schedule::circle(18, 11)}) {
    CAPTURE(schedule.repr());
    const auto parameters = parameters_of<R>(AngleKind::full_turn, schedule, true, random, {2});
    const Array<double> expected = reference_matrix<double>(widened(parameters), schedule);
    for (const Engine* engine : engines()) {
      CAPTURE(std::string(engine->name));
      for (const Layout& layout : layouts) {
        CAPTURE(&layout - layouts);
        const Placed<R> U(expected.shape, layout, R(77));
        REQUIRE(engine->functions<R>().matrix(
            givens::validate::matrix<R>(parameters.views(), schedule, U.view()),
            plan_of(schedule)));
        CHECK(vectors_error(U.values(), expected, schedule, -2) <= 1);
        CHECK(U.count(R(77)) == U.gaps());
      }
    }
  }
}

namespace {

// What must hold of results where one angle is not finite. `expected` are the reference's; `one`
// and `other` those with two different angles in its place: where they differ, the result depends
// on the angle and must show it; where the reference is finite, so must it be.
struct Spread {
  bool shown = true;
  bool confined = true;
};

template <class A, class B>
Spread spread(const std::vector<A>& got, const std::vector<B>& expected, const std::vector<B>& one,
              const std::vector<B>& other, double allowed) {
  const auto finite = [](const auto& value) {
    return std::isfinite(std::real(value)) && std::isfinite(std::imag(value));
  };
  Spread out;
  for (std::size_t k = 0; k < got.size(); ++k) {
    const bool depends = std::abs(test::wide(one[k]) - test::wide(other[k])) > 1e-3;
    if (depends && finite(got[k])) out.shown = false;
    if (!finite(expected[k])) continue;
    if (!(std::abs(test::wide(got[k]) - test::wide(expected[k])) <= allowed)) out.confined = false;
  }
  return out;
}

}  // namespace

TEST_CASE_TEMPLATE("engines: angles that are not finite", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(81);
  const R infinity = std::numeric_limits<R>::infinity();
  const Schedule schedules[] = {Schedule::xor_(20), Schedule::circle(21), Schedule::butterfly(32),
                                Schedule::from_rounds(20, test::random_rounds(20, random))};
  for (const Schedule& schedule : schedules) {
    CAPTURE(schedule.repr());
    const Shape shape = {3, schedule.n()};
    const Array<T> x = random.array<T>(shape);
    const Array<T> gy = random.array<T>(shape);
    // Entries are at most 1 and gradients are sums over three vectors.
    const double entries = static_cast<double>(2 * schedule.n());
    const double allowed = relative_allowance<R>(schedule) * std::sqrt(entries);
    const double allowed_gradients = 3 * entries * (8 * relative_allowance<R>(schedule));
    for (const R bad : {std::numeric_limits<R>::quiet_NaN(), infinity, -infinity}) {
      for (const bool inverse : {false, true}) {
        const RotateOptions options{-1, inverse};
        auto parameters = parameters_of<R>(AngleKind::full_turn, schedule, false, random);
        R& angle = parameters.angles
                       .values[static_cast<std::size_t>(random.below(schedule.num_rotations()))];
        const auto with = [&](R value) {
          angle = value;
          const auto wide = widened(parameters);
          struct Results {
            Array<Wide<T>> y;
            Array<double> U;
            Gradients<Wide<T>> g;
          };
          return Results{
              reference_rotate(widened(x), wide, schedule, options),
              reference_matrix<double>(wide, schedule),
              gradients<Wide<T>>(nullptr, widened(x), widened(gy), wide, schedule, options)};
        };
        const auto one = with(R(0.3));
        const auto other = with(R(1.9));
        const auto expected = with(bad);
        for (const Engine* engine : engines()) {
          CAPTURE(std::string(engine->name));
          const auto y = engine_rotated(*engine, x, parameters, schedule, options);
          const Spread of_y =
              spread(y.values, expected.y.values, one.y.values, other.y.values, allowed);
          CHECK(of_y.shown);
          CHECK(of_y.confined);
          const Gradients<T> g = gradients(engine, x, gy, parameters, schedule, options);
          const Spread of_gx = spread(g.gx.values, expected.g.gx.values, one.g.gx.values,
                                      other.g.gx.values, allowed);
          CHECK(of_gx.shown);
          CHECK(of_gx.confined);
          const Spread of_gangles =
              spread(g.gangles.values, expected.g.gangles.values, one.g.gangles.values,
                     other.g.gangles.values, allowed_gradients);
          CHECK(of_gangles.shown);
          // Through the inverse the reference reads gradients on the way there, of states that the
          // angle has not reached; an engine may read them on the way back.
          CHECK((of_gangles.confined || inverse));
          if constexpr (!givens::is_complex_v<T>) {
            const Array<T> U = engine_matrix<R>(*engine, parameters, schedule);
            const Spread of_U =
                spread(U.values, expected.U.values, one.U.values, other.U.values, allowed);
            CHECK(of_U.shown);
            CHECK(of_U.confined);
          }
        }
      }
    }
  }
}

namespace {

// Whether entries are NaN, or the same infinity, where the reference's are, and else close.
template <class R>
bool agrees(R got, R expected, double allowed) {
  if (std::isnan(expected) || std::isinf(expected)) {
    return std::isnan(expected) ? std::isnan(got) : got == expected;
  }
  return std::abs(static_cast<double>(got) - static_cast<double>(expected)) <= allowed;
}

template <class T>
bool agrees(const std::vector<T>& got, const std::vector<T>& expected, double allowed) {
  bool all = true;
  for (std::size_t k = 0; k < got.size(); ++k) {
    all = all && agrees(std::real(got[k]), std::real(expected[k]), allowed) &&
          agrees(std::imag(got[k]), std::imag(expected[k]), allowed);
  }
  return all;
}

// The number of entries in which vectors other than `except` differ, bit for bit; vectors are rows.
template <class T>
int differing(const Array<T>& a, const Array<T>& b, std::int64_t except) {
  int count = 0;
  const auto n = static_cast<std::size_t>(a.shape[1]);
  for (std::size_t k = 0; k < a.values.size(); ++k) {
    if (k / n == static_cast<std::size_t>(except)) continue;
    count += same_bits(a.values[k], b.values[k]) ? 0 : 1;
  }
  return count;
}

}  // namespace

TEST_CASE_TEMPLATE("engines: NaN and infinity in one vector do not touch the others", T,
                   GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(82);
  const R infinity = std::numeric_limits<R>::infinity();
  const Schedule schedules[] = {Schedule::xor_(40), Schedule::circle(41), Schedule::butterfly(32),
                                Schedule::from_rounds(20, test::random_rounds(20, random))};
  for (const Schedule& schedule : schedules) {
    CAPTURE(schedule.repr());
    const Shape shape = {19, schedule.n()};
    for (const R bad : {std::numeric_limits<R>::quiet_NaN(), infinity, R(-infinity)}) {
      for (const VectorKind kind : {VectorKind::ordinary, VectorKind::one_hot}) {
        // The last one makes subnormal entries, which are where one might treat them otherwise.
        for (const AngleKind angles :
             {AngleKind::full_turn, AngleKind::small, AngleKind::subnormal}) {
          if (too_long(schedule.n(), random)) continue;
          CAPTURE(kind);
          CAPTURE(angles);
          const RotateOptions options{-1, either(random)};
          CAPTURE(options.inverse);
          const auto parameters = parameters_of<R>(angles, schedule, either(random), random);
          const Array<T> x = vectors_of<T>(kind, shape, -1, random);
          const Array<T> gy = vectors_of<T>(kind, shape, -1, random);
          const std::int64_t vector = random.below(19);
          const auto place =
              static_cast<std::size_t>(vector * schedule.n() + random.below(schedule.n()));
          Array<T> bad_x = x;
          bad_x.values[place] = number<T>(static_cast<double>(bad), 0.5);
          const Array<T> expected = reference_rotate(bad_x, parameters, schedule, options);
          const double allowed =
              relative_allowance<R>(schedule) * std::sqrt(static_cast<double>(2 * schedule.n()));
          for (const Engine* engine : engines()) {
            CAPTURE(std::string(engine->name));
            const Array<T> clean = engine_rotated(*engine, x, parameters, schedule, options);
            const Array<T> got = engine_rotated(*engine, bad_x, parameters, schedule, options);
            CHECK(differing(got, clean, vector) == 0);
            CHECK(agrees(got.values, expected.values, 2 * allowed));

            const auto clean_g = gradients(engine, x, gy, parameters, schedule, options);
            const auto bad_y = gradients(engine, bad_x, gy, parameters, schedule, options);
            CHECK(differing(bad_y.gx, clean_g.gx, vector) == 0);
            Array<T> bad_gy = gy;
            bad_gy.values[place] = bad_x.values[place];
            const auto bad_g = gradients(engine, x, bad_gy, parameters, schedule, options);
            CHECK(differing(bad_g.gx, clean_g.gx, vector) == 0);
            const auto expected_g = gradients<T>(nullptr, x, bad_gy, parameters, schedule, options);
            CHECK(agrees(bad_g.gx.values, expected_g.gx.values, 4 * allowed));
          }
        }
      }
    }
  }
}

namespace {

// The largest entry of |U^T U - I|.
template <class R>
double from_orthogonal(const Array<R>& U, const Schedule& schedule) {
  const auto n = static_cast<std::size_t>(schedule.n());
  std::vector<double> products(n * n);
  for (std::size_t r = 0; r < n; ++r) {
    const R* row = U.values.data() + r * n;
    for (std::size_t a = 0; a < n; ++a) {
      const double left = static_cast<double>(row[a]);
      double* out = products.data() + a * n;
      for (std::size_t b = 0; b <= a; ++b) out[b] += left * static_cast<double>(row[b]);
    }
  }
  double worst = 0;
  for (std::size_t a = 0; a < n; ++a) {
    for (std::size_t b = 0; b <= a; ++b) {
      const double off = std::abs(products[a * n + b] - (a == b ? 1 : 0));
      worst = std::isnan(off) ? std::numeric_limits<double>::infinity() : std::max(worst, off);
    }
  }
  return worst;
}

}  // namespace

// U is off by at most the allowance in each column, twice which the scalar product of two columns
// may be off.
TEST_CASE_TEMPLATE("engines: U is orthogonal", R, float, double) {
  Random random(83);
  const Schedule schedules[] = {Schedule::xor_(65), Schedule::xor_(129), Schedule::xor_(256),
                                Schedule::circle(129), Schedule::brickwall(100)};
  for (const Schedule& schedule : schedules) {
    CAPTURE(schedule.repr());
    for (const AngleKind kind : {AngleKind::full_turn, AngleKind::near_right, AngleKind::special}) {
      if (too_long(schedule.n(), random)) continue;
      CAPTURE(kind);
      const auto parameters = parameters_of<R>(kind, schedule, true, random);
      for (const Engine* engine : engines()) {
        CAPTURE(std::string(engine->name));
        const Array<R> U = engine_matrix<R>(*engine, parameters, schedule);
        CHECK(from_orthogonal(U, schedule) <= 2.1 * relative_allowance<R>(schedule));
      }
    }
  }
}

// A bound for the worst case leaves room for much that should not be. Roundings that are
// independent add up like the root of their number, as those of the plain form do: more than a few
// times its error means that some of them are not, such as scales that drift off their reciprocals.
TEST_CASE_TEMPLATE("engines: U is as orthogonal as in the plain form", R, float, double) {
  Random random(84);
  for (const Schedule& schedule :
       {Schedule::xor_(256), Schedule::circle(256), Schedule::xor_(200)}) {
    CAPTURE(schedule.repr());
    for (const AngleKind kind : {AngleKind::full_turn, AngleKind::normal, AngleKind::small}) {
      if (too_long(schedule.n(), random)) continue;
      CAPTURE(kind);
      const auto parameters = parameters_of<R>(kind, schedule, false, random);
      const double plain = from_orthogonal(reference_matrix<R>(parameters, schedule), schedule);
      for (const Engine* engine : engines()) {
        CAPTURE(std::string(engine->name));
        const Array<R> U = engine_matrix<R>(*engine, parameters, schedule);
        CHECK(from_orthogonal(U, schedule) <= 5 * plain);
      }
    }
  }
}
