// Every engine: NaN and infinity stay where they belong.
#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "engine_checks.hpp"

using namespace test;

namespace {

// What an engine, or the reference, makes of the same arguments.
template <class T>
struct Results {
  Array<T> y;
  Array<T> U;
  Gradients<T> g;
};

// Checks results where one parameter is not finite. `expected` are the reference's; `one` and
// `other` have two different numbers in place of the parameter: where they differ, the result
// depends on the parameter and must show it. Where the reference is finite, so must the result be,
// unless `may_spread`.
template <class A, class B>
void check_spread(const Array<A>& got, const Array<B>& expected, const Array<B>& one,
                  const Array<B>& other, double allowed, bool may_spread = false) {
  const auto finite = [](const auto& value) {
    return std::isfinite(std::real(value)) && std::isfinite(std::imag(value));
  };
  bool shown = true;
  bool confined = true;
  for (std::size_t k = 0; k < got.values.size(); ++k) {
    const A& value = got.values[k];
    const bool depends = std::abs(test::wide(one.values[k]) - test::wide(other.values[k])) > 1e-3;
    if (depends && finite(value)) shown = false;
    if (!finite(expected.values[k])) continue;
    const double error = std::abs(test::wide(value) - test::wide(expected.values[k]));
    if (!(error <= allowed)) confined = false;
  }
  CHECK(shown);
  CHECK((confined || may_spread));
}

// A parameter that is made to be not finite.
template <class R>
struct Spoilt {
  OwnedParameters<R> parameters;
  std::optional<Array<R>> OwnedParameters<R>::* optional;  // null: the angles
  std::size_t index;

  R& value() {
    return optional ? (parameters.*optional)->values[index] : parameters.angles.values[index];
  }
};

}  // namespace

TEST_CASE_TEMPLATE("engines: parameters that are not finite", T, GIVENS_TEST_TYPES) {
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
    const double allowed =
        relative_allowance<R>(schedule) * std::sqrt(static_cast<double>(2 * schedule.n()));
    const auto any = [&](std::int64_t count) {
      return static_cast<std::size_t>(random.below(count));
    };
    for (const R bad : {std::numeric_limits<R>::quiet_NaN(), infinity, -infinity}) {
      for (const bool inverse : {false, true}) {
        CAPTURE(inverse);
        const RotateOptions options{-1, inverse};
        const GradientAllowance allowed_gradients =
            gradient_allowance(x, gy, {schedule.num_rotations()}, schedule, options);
        const auto parameters = [&](const Choice& choice) {
          return random_parameters<R>(schedule, choice, random);
        };
        std::vector<Spoilt<R>> cases = {{parameters({}), nullptr, any(schedule.num_rotations())}};
        if (givens::is_complex_v<T>) {
          const Choice all = {true, true, false};
          const Choice with_signs = {true, false, true};
          cases.push_back({parameters(all), nullptr, any(schedule.num_rotations())});
          cases.push_back(
              {parameters(with_signs), &OwnedParameters<R>::phases, any(schedule.num_rotations())});
          cases.push_back({parameters(all), &OwnedParameters<R>::diagonal, any(schedule.n())});
        }
        for (Spoilt<R>& spoilt : cases) {
          CAPTURE(&spoilt - cases.data());
          const bool in_diagonal = &spoilt - cases.data() == 3;
          const auto with = [&](R value) {
            spoilt.value() = value;
            const auto wide = widened(spoilt.parameters);
            return Results<Wide<T>>{
                reference_rotate(widened(x), wide, schedule, options),
                reference_matrix<Wide<T>>(wide, schedule),
                gradients<Wide<T>>(nullptr, widened(x), widened(gy), wide, schedule, options)};
          };
          const auto one = with(R(0.3));
          const auto other = with(R(1.9));
          const auto expected = with(bad);
          for (const Engine* engine : engines()) {
            CAPTURE(std::string(engine->name));
            const auto check = [&](const auto& got, auto&& of, double most,
                                   bool may_spread = false) {
              check_spread(got, of(expected), of(one), of(other), most, may_spread);
            };
            check(
                engine_rotated(*engine, x, spoilt.parameters, schedule, options),
                [](const auto& r) { return r.y; }, allowed);
            check(
                engine_matrix<T>(*engine, spoilt.parameters, schedule),
                [](const auto& r) { return r.U; }, allowed);
            const Gradients<T> g = gradients(engine, x, gy, spoilt.parameters, schedule, options);
            check(g.gx, [](const auto& r) { return r.g.gx; }, allowed);
            check(
                g.of.angles, [](const auto& r) { return r.g.of.angles; }, allowed_gradients.angles);
            if (g.of.phases) {
              check(
                  *g.of.phases, [](const auto& r) { return *r.g.of.phases; },
                  allowed_gradients.phases);
            }
            if (g.of.diagonal) {
              // The reference reads the gradient of a diagonal's entry from y as it came, an engine
              // may do so after the entry has been applied in reverse.
              check(
                  *g.of.diagonal, [](const auto& r) { return *r.g.of.diagonal; },
                  allowed_gradients.diagonal, in_diagonal);
            }
          }
        }
      }
    }
  }
}

namespace {

// Whether a number is NaN, or the same infinity, where the reference's is, and else close to it.
template <class R>
bool agrees(R got, R expected, double allowed) {
  if (std::isnan(expected) || std::isinf(expected)) {
    return std::isnan(expected) ? std::isnan(got) : got == expected;
  }
  return std::abs(static_cast<double>(got) - static_cast<double>(expected)) <= allowed;
}

// The same for all numbers. `unitary` rotations mix real and imaginary parts, and which of the two
// NaN and infinities reach is a matter of the order: there a complex number as a whole is finite or
// not.
template <class T>
bool agrees(const std::vector<T>& got, const std::vector<T>& expected, double allowed,
            bool unitary) {
  bool all = true;
  for (std::size_t k = 0; k < got.size(); ++k) {
    if (unitary && !std::isfinite(std::abs(test::wide(expected[k])))) {
      all = all && !std::isfinite(std::abs(test::wide(got[k])));
      continue;
    }
    all = all && agrees(std::real(got[k]), std::real(expected[k]), allowed) &&
          agrees(std::imag(got[k]), std::imag(expected[k]), allowed);
  }
  return all;
}

// How many numbers of vectors other than `except` differ, bit for bit; vectors are rows.
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
        // The last kind makes subnormal numbers, which the engines might treat in another way.
        for (const AngleKind angles :
             {AngleKind::full_turn, AngleKind::small, AngleKind::subnormal}) {
          if (too_long(schedule.n(), random)) continue;
          CAPTURE(kind);
          CAPTURE(angles);
          const RotateOptions options{-1, either(random)};
          CAPTURE(options.inverse);
          const Choice choice = any_choice<T>(random);
          const bool unitary = choice.phases || choice.diagonal;
          CAPTURE(choice);
          const auto parameters =
              parameters_of<R>(angles, AngleKind::full_turn, schedule, choice, random);
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
            CHECK(agrees(got.values, expected.values, 2 * allowed, unitary));

            const auto clean_g = gradients(engine, x, gy, parameters, schedule, options);
            const auto bad_y = gradients(engine, bad_x, gy, parameters, schedule, options);
            CHECK(differing(bad_y.gx, clean_g.gx, vector) == 0);
            Array<T> bad_gy = gy;
            bad_gy.values[place] = bad_x.values[place];
            const auto bad_g = gradients(engine, x, bad_gy, parameters, schedule, options);
            CHECK(differing(bad_g.gx, clean_g.gx, vector) == 0);
            const auto expected_g = gradients<T>(nullptr, x, bad_gy, parameters, schedule, options);
            CHECK(agrees(bad_g.gx.values, expected_g.gx.values, 4 * allowed, unitary));
          }
        }
      }
    }
  }
}
