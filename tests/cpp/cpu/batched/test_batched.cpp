// Batches of small matrices on every engine that this machine can run, against the reference
// engine.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "engine_checks.hpp"
#include "exact_sincos.hpp"
#include "layout_checks.hpp"

using namespace test;

namespace {

// The largest number of lanes of any engine.
constexpr std::int64_t kMostLanes = 16;

// The address sanitizer takes minutes for all sizes.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kFew = true;
#else
constexpr bool kFew = false;
#endif

// Checks all functions with a matrix for each of `matrices`, and so many vectors for each.
template <class T>
void check_batch(const Schedule& schedule, const Choice& choice, std::int64_t matrices,
                 std::int64_t vectors, const RotateOptions& options, Random& random) {
  CAPTURE(schedule.repr());
  CAPTURE(choice);
  CAPTURE(options.inverse);
  const std::int64_t n = schedule.n();
  const auto parameters = random_parameters<real_t<T>>(schedule, choice, random, {matrices});
  const Shape shape =
      options.axis == -1 ? Shape{matrices, vectors, n} : Shape{matrices, n, vectors};
  check_vectors<T>(shape, parameters, schedule, options, random);
  check_matrix<T>(parameters, schedule, random);
}

}  // namespace

TEST_CASE_TEMPLATE("batch: every schedule, all sizes", T, GIVENS_TEST_TYPES) {
  Random random(61);
  for (const std::int64_t n : {1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 16, 17, 31, 32, 33}) {
    if (kFew && n > 9 && n != 17) continue;
    for (const Schedule& schedule : test::schedules(n, random)) {
      const RotateOptions options{-1 - random.below(2), either(random)};
      check_batch<T>(schedule, any_choice<T>(random), kMostLanes + 3, 1 + random.below(4), options,
                     random);
    }
  }
}

TEST_CASE_TEMPLATE("batch: all choices of parameters", T, GIVENS_TEST_TYPES) {
  Random random(67);
  for (const std::int64_t n : {2, 3, 5, 8, 16}) {
    for (const Schedule& schedule : {Schedule::xor_(n), Schedule::circle(n, n - 1)}) {
      for (const Choice& choice : test::choices<T>()) {
        for (const bool inverse : {false, true}) {
          check_batch<T>(schedule, choice, kMostLanes + 1, 2, {-1, inverse}, random);
        }
      }
    }
  }
}

namespace {

// How an array of so many axes lies in memory, of which the first counts the matrices.
enum class Place {
  contiguous,
  swapped,        // the last two axes exchanged
  matrices_last,  // neighbours are of different matrices
  padded,         // gaps after every element and every row
  reversed,       // all strides negative
};

Layout layout_of(Place place, std::size_t axes) {
  Layout layout;
  layout.order.resize(axes);
  std::iota(layout.order.begin(), layout.order.end(), std::size_t{0});
  if (place == Place::swapped && axes > 2)
    std::swap(layout.order[axes - 1], layout.order[axes - 2]);
  if (place == Place::matrices_last) {
    std::rotate(layout.order.begin(), layout.order.begin() + 1, layout.order.end());
  }
  layout.padded = place == Place::padded;
  if (layout.padded) layout.gap = 2;
  if (place == Place::reversed) layout.reversed = ~0U;
  return layout;
}

}  // namespace

TEST_CASE_TEMPLATE("batch: all numbers of matrices and all layouts", T, GIVENS_TEST_TYPES) {
  Random random(62);
  for (const std::int64_t n : {2, 3, 4, 6, 8, 11, 32}) {
    for (const std::int64_t matrices : {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33, 100, 1000}) {
      if (n * n * matrices > (kFew ? 4000 : 36000)) continue;
      for (int k = 0; k < 5; ++k) {
        const Schedule schedule = n % 3 == 0 ? Schedule::xor_(n, n - 1) : Schedule::xor_(n);
        const Choice choice = any_choice<T>(random);
        const bool one_vector = either(random);
        const RotateOptions options{one_vector ? -1 : -1 - random.below(2), either(random)};
        CAPTURE(n);
        CAPTURE(matrices);
        CAPTURE(k);
        CAPTURE(choice);
        CAPTURE(options.inverse);
        Shape shape = one_vector ? Shape{matrices} : Shape{matrices, 2, 3};
        shape.insert(shape.end() + options.axis + 1, n);
        const auto parameters = random_parameters<real_t<T>>(schedule, choice, random, {matrices});
        // Inputs and outputs lie in the kth way and in others by turns.
        const auto next = [&, turn = 0](std::size_t axes) mutable {
          const auto other = static_cast<Place>(random.below(5));
          return layout_of(turn++ % 2 == 0 ? static_cast<Place>(k) : other, axes);
        };
        check_layouts(random.array<T>(shape), random.array<T>(shape), parameters, schedule, options,
                      next);
        check_matrix_layouts<T>(parameters, schedule, random, next);
      }
    }
  }
}

namespace {

// The arguments of all functions, and what they return.
template <class T>
struct Arguments {
  OwnedParameters<real_t<T>> parameters;
  Array<T> x;
  Array<T> gy;
  Array<T> U;
  Array<T> gU;
};
template <class T>
struct Results {
  Array<T> y;
  Gradients<T> gradients;
  Array<T> U;
  Gradients<T> gradients_of_U;
};

template <class T>
Results<T> compute(const Engine& engine, const Arguments<T>& a, const Schedule& schedule,
                   bool inverse) {
  const RotateOptions options{-1, inverse};
  return {engine_rotated(engine, a.x, a.parameters, schedule, options),
          gradients(&engine, a.x, a.gy, a.parameters, schedule, options),
          engine_matrix<T>(engine, a.parameters, schedule),
          matrix_gradients(&engine, a.U, a.gU, a.parameters, schedule)};
}

// The matrices first .. first + count - 1.
template <class T>
Array<T> part_of(const Array<T>& whole, std::int64_t first, std::int64_t count) {
  Shape shape = whole.shape;
  shape[0] = count;
  Array<T> part(shape);
  const std::int64_t each = size_of(shape) / count;
  std::copy_n(whole.values.begin() + first * each, count * each, part.values.begin());
  return part;
}

template <class T>
Arguments<T> part_of(const Arguments<T>& whole, std::int64_t first, std::int64_t count) {
  const auto part = [=](const auto& array) { return part_of(array, first, count); };
  return {whole.parameters.each(part), part(whole.x), part(whole.gy), part(whole.U),
          part(whole.gU)};
}

// The bytes of all results of matrices first .. first + count - 1.
template <class T>
std::string bytes_of(const Results<T>& results, std::int64_t first, std::int64_t count) {
  std::string out;
  if (count == 0) return out;
  const auto add = [&](const auto& array) {
    const auto values = part_of(array, first, count).values;
    out.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(values[0]));
  };
  add(results.y);
  add(results.gradients.gx);
  add(results.U);
  for (const auto* of : {&results.gradients.of, &results.gradients_of_U.of}) {
    add(of->angles);
    if (of->phases) add(*of->phases);
    if (of->diagonal) add(*of->diagonal);
  }
  return out;
}

template <class T>
bool all_finite(const Array<T>& whole, std::int64_t matrix) {
  const auto values = part_of(whole, matrix, 1).values;
  return std::all_of(values.begin(), values.end(),
                     [](const T& value) { return std::isfinite(std::abs(test::wide(value))); });
}

}  // namespace

TEST_CASE_TEMPLATE("batch: a result depends on no other matrix and on no place", T,
                   GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(63);
  constexpr std::int64_t matrices = 4 * kMostLanes + 5;
  constexpr bool complex = givens::is_complex_v<T>;
  for (const std::int64_t n : {2, 5, 8, 20}) {
    for (const bool inverse : {false, true}) {
      const Schedule schedule = Schedule::circle(n);
      // Everything that T allows; signs and a diagonal exclude each other.
      const Choice choice{complex, complex && !(n == 5 && inverse),
                          !complex || (n == 5 && inverse)};
      const Shape shape = {matrices, 3, n};
      const auto parameters = random_parameters<R>(schedule, choice, random, {matrices});
      const auto U = reference_matrix<T>(parameters, schedule);
      const Arguments<T> batch{parameters, random.array<T>(shape), random.array<T>(shape), U,
                               random.array<T>(U.shape)};
      for (const Engine* engine : engines()) {
        CAPTURE(n);
        CAPTURE(inverse);
        CAPTURE(std::string(engine->name));
        const auto whole = compute(*engine, batch, schedule, inverse);

        // Parts of the batch put matrices in other lanes and end in other remainders.
        for (const std::int64_t size : {kMostLanes, kMostLanes + 1, 2 * kMostLanes - 1}) {
          for (std::int64_t first = 0; first + size <= matrices; first += size - 3) {
            const auto part = compute(*engine, part_of(batch, first, size), schedule, inverse);
            CHECK((bytes_of(part, 0, size) == bytes_of(whole, first, size)));
          }
        }

        // One matrix has numbers that are not finite, or large.
        const std::int64_t bad = random.below(matrices);
        enum class Where { data, angles, phases, diagonal };
        for (const double value : {std::numeric_limits<double>::quiet_NaN(),
                                   std::numeric_limits<double>::infinity(), 1e30, 1e-40}) {
          for (const Where where : {Where::data, Where::angles, Where::phases, Where::diagonal}) {
            if (where == Where::phases && !choice.phases) continue;
            if (where == Where::diagonal && !choice.diagonal) continue;
            CAPTURE(value);
            CAPTURE(static_cast<int>(where));
            Arguments<T> changed = batch;
            const auto number = static_cast<R>(value);
            if (where == Where::data) {
              test::at(changed.x.view(), {bad, 1, 0}) = number;
              test::at(changed.gy.view(), {bad, 2, 1}) = number;
              test::at(changed.gU.view(), {bad, 1, 0}) = number;
            } else {
              Array<R>& array = where == Where::angles   ? changed.parameters.angles
                                : where == Where::phases ? *changed.parameters.phases
                                                         : *changed.parameters.diagonal;
              test::at(array.view(), {bad, 0}) = number;
            }
            const auto result = compute(*engine, changed, schedule, inverse);
            CHECK((bytes_of(result, 0, bad) == bytes_of(whole, 0, bad)));
            const std::int64_t after = matrices - bad - 1;
            CHECK((bytes_of(result, bad + 1, after) == bytes_of(whole, bad + 1, after)));
            if (std::isfinite(value)) continue;
            CHECK_FALSE(all_finite(result.y, bad));
            if (where != Where::data) CHECK_FALSE(all_finite(result.U, bad));
            // The gradients by the first angle and by the diagonal are read before the number is
            // used.
            const OwnedGradients<R>& of = result.gradients.of;
            if (where == Where::data) {
              CHECK_FALSE(all_finite(of.angles, bad));
              if (choice.phases) CHECK_FALSE(all_finite(*of.phases, bad));
              if (choice.diagonal) CHECK_FALSE(all_finite(*of.diagonal, bad));
            }
            if (where == Where::phases) CHECK_FALSE(all_finite(*of.phases, bad));
          }
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("batch: parameters and vectors that matrices share", T, GIVENS_TEST_TYPES) {
  Random random(64);
  const Schedule schedule = Schedule::xor_(6);
  constexpr bool complex = givens::is_complex_v<T>;
  const Shape full{3, 20};
  for (const Shape& shared : {Shape{}, Shape{1}, Shape{3, 1}, Shape{1, 20}, Shape{20}, full}) {
    // One parameter is not shared: angles, phases, diagonal or signs.
    for (int own = 0; own < 4; ++own) {
      if (!complex && (own == 1 || own == 2)) continue;
      CAPTURE(shared.size());
      CAPTURE(own);
      const Choice choice{complex, complex && own != 3, own == 3};
      const BatchShapes batch(own == 0 ? full : shared, own == 1 ? full : shared,
                              own >= 2 ? full : shared);
      const auto parameters = parameters_of<real_t<T>>(AngleKind::full_turn, AngleKind::full_turn,
                                                       schedule, choice, random, batch);
      check_rotate(random.array<T>({3, 1, 2, 6}), parameters, schedule, {});
      check_vectors<T>({3, 20, 2, 6}, parameters, schedule, {}, random);
    }
  }
}

TEST_CASE_TEMPLATE("batch: in place", T, GIVENS_TEST_TYPES) {
  Random random(65);
  for (const std::int64_t n : {2, 7, 16}) {
    for (const Choice& choice : test::choices<T>()) {
      const Schedule schedule = Schedule::circle(n);
      const auto parameters = random_parameters<real_t<T>>(schedule, choice, random, {37});
      const auto x = random.array<T>({37, n});
      for (const Engine* engine : engines()) {
        CAPTURE(n);
        CAPTURE(choice);
        CAPTURE(std::string(engine->name));
        Array<T> both = x;
        engine_rotate<T>(*engine, both.view(), parameters.views(), schedule, both.view(), {});
        CHECK(same_bits(engine_rotated(*engine, x, parameters, schedule, {}).values, both.values));
      }
    }
  }
}

TEST_CASE_TEMPLATE("batch: sine and cosine are within 2 units in the last place", R, float,
                   double) {
  Random random(66);
  constexpr std::int64_t matrices = 8000;
  const Schedule schedule = Schedule::xor_(2);
  for (const double scale : {1e-3, 1.0, 10.0, 1e3, 6e3, 1e4, 1e6, 1e9, 1e30}) {
    CAPTURE(scale);
    auto angles = random.array<R>({matrices, 1}, scale);
    angles.values[0] = R(0);
    // Close to multiples of pi / 2, where a reduction that loses digits shows.
    for (std::size_t k = 1; k < 4000; ++k) {
      const double multiple = std::round(angles.values[k] / std::acos(0.0)) * std::acos(0.0);
      angles.values[k] = static_cast<R>(multiple);
    }
    const givens::Parameters<R> parameters{angles.view(), {}, {}, {}};
    for (const Engine* engine : engines()) {
      CAPTURE(std::string(engine->name));
      Array<R> U({matrices, 2, 2});
      engine->functions<R>().matrix(givens::validate::matrix<R>(parameters, schedule, U.view()),
                                    plan_of(schedule));
      long double worst = 0;
      bool rotations = true;
      for (std::size_t k = 0; k < matrices; ++k) {
        const test::ExactSinCos exact = test::exact_sincos(angles.values[k]);
        const auto units = [](R value, long double right) {
          const R near = std::abs(static_cast<R>(right));
          const R unit = std::nextafter(near, std::numeric_limits<R>::infinity()) - near;
          return std::abs(static_cast<long double>(value) - right) / static_cast<long double>(unit);
        };
        worst = std::max(worst, units(U.values[4 * k], exact.cosine));
        worst = std::max(worst, units(U.values[4 * k + 2], exact.sine));
        rotations = rotations && U.values[4 * k + 3] == U.values[4 * k] &&
                    U.values[4 * k + 1] == -U.values[4 * k + 2];
      }
      CHECK(worst <= 2);
      CHECK(rotations);
    }
  }
}
