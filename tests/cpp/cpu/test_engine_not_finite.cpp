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

// What must hold of results where one parameter is not finite. `expected` are the reference's;
// `one` and `other` those with two different numbers in its place: where they differ, the result
// depends on the parameter and must show it; where the reference is finite, so must it be.
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

namespace {

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
        const GradientAllowance allowed_gradients = gradient_allowance(x, gy, schedule, options);
        const auto parameters = [&](const Choice& choice) {
          return parameters_of<R>(AngleKind::full_turn, AngleKind::full_turn, schedule, choice,
                                  random);
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
            struct Results {
              Array<Wide<T>> y;
              Array<Wide<T>> U;
              Gradients<Wide<T>> g;
            };
            return Results{
                reference_rotate(widened(x), wide, schedule, options),
                reference_matrix<Wide<T>>(wide, schedule),
                gradients<Wide<T>>(nullptr, widened(x), widened(gy), wide, schedule, options)};
          };
          const auto one = with(R(0.3));
          const auto other = with(R(1.9));
          const auto expected = with(bad);
          for (const Engine* engine : engines()) {
            CAPTURE(std::string(engine->name));
            const auto y = engine_rotated(*engine, x, spoilt.parameters, schedule, options);
            const Spread of_y =
                spread(y.values, expected.y.values, one.y.values, other.y.values, allowed);
            CHECK(of_y.shown);
            CHECK(of_y.confined);
            const auto U = engine_matrix<T>(*engine, spoilt.parameters, schedule);
            const Spread of_U =
                spread(U.values, expected.U.values, one.U.values, other.U.values, allowed);
            CHECK(of_U.shown);
            CHECK(of_U.confined);
            const Gradients<T> g = gradients(engine, x, gy, spoilt.parameters, schedule, options);
            const Spread of_gx = spread(g.gx.values, expected.g.gx.values, one.g.gx.values,
                                        other.g.gx.values, allowed);
            CHECK(of_gx.shown);
            CHECK(of_gx.confined);
            const Spread of_gangles =
                spread(g.of.angles.values, expected.g.of.angles.values, one.g.of.angles.values,
                       other.g.of.angles.values, allowed_gradients.angles);
            CHECK(of_gangles.shown);
            CHECK(of_gangles.confined);
            if (g.of.phases) {
              const Spread of_gphases =
                  spread(g.of.phases->values, expected.g.of.phases->values, one.g.of.phases->values,
                         other.g.of.phases->values, allowed_gradients.phases);
              CHECK(of_gphases.shown);
              CHECK(of_gphases.confined);
            }
            if (g.of.diagonal) {
              const Spread of_gdiagonal = spread(
                  g.of.diagonal->values, expected.g.of.diagonal->values, one.g.of.diagonal->values,
                  other.g.of.diagonal->values, allowed_gradients.diagonal);
              CHECK(of_gdiagonal.shown);
              // The reference reads that of an entry from y as it came, an engine may do so after
              // the entry has been undone.
              CHECK((of_gdiagonal.confined || in_diagonal));
            }
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

// The same for all of them. `unitary` rotations mix the real and the imaginary part of an entry,
// and which of them the NaN and infinities reach is a matter of the order: there an entry as a
// whole is finite or not.
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
          const Choice choice = any_choice<T>(random);
          const bool unitary = choice.phases || choice.diagonal;
          CAPTURE(choice.phases);
          CAPTURE(choice.diagonal);
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
