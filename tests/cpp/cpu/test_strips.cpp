// Every engine: contiguous vectors through butterfly rounds, which engines take in strips.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "engine_checks.hpp"
#include "layout_checks.hpp"

using namespace test;

namespace {

// Rounds in which coordinates meet that differ in the given bits; `absent` drops some of the pairs.
Schedule butterfly_rounds(std::int64_t n, const std::vector<int>& bits, bool absent,
                          Random& random) {
  std::vector<std::vector<Schedule::RequestedPair>> rounds;
  for (const int bit : bits) {
    rounds.emplace_back();
    const std::int64_t distance = std::int64_t{1} << bit;
    for (std::int64_t i = 0; i + distance < n; ++i) {
      if ((i & distance) != 0 || (absent && random.below(3) == 0)) continue;
      rounds.back().push_back({i, i + distance});
    }
  }
  return Schedule::from_rounds(n, rounds);
}

// Sizes around the lanes of a register, 2 to 16, and around sets of four registers, and orders of
// rounds: rising, falling, repeated, few.
std::vector<Schedule> strip_schedules(Random& random) {
  std::vector<Schedule> out;
  for (const std::int64_t n : {2, 3, 4, 7, 8, 15, 16, 17, 31, 32, 33, 48, 64, 65, 80, 127, 128}) {
    out.push_back(Schedule::butterfly(n));
  }
  for (const bool absent : {false, true}) {
    out.push_back(butterfly_rounds(64, {5, 4, 3, 2, 1, 0}, absent, random));
    out.push_back(butterfly_rounds(64, {0, 5, 0, 4, 3, 3, 5, 2, 4}, absent, random));
    out.push_back(butterfly_rounds(96, {6, 0, 1, 2, 3, 4, 5, 6, 6}, absent, random));
    out.push_back(butterfly_rounds(33, {3}, absent, random));
    out.push_back(butterfly_rounds(128, {6}, absent, random));
    out.push_back(butterfly_rounds(40, {2, 1, 2}, absent, random));
  }
  return out;
}

}  // namespace

TEST_CASE("plans: which schedules have butterfly rounds only") {
  Random random(90);
  for (const Schedule& schedule : strip_schedules(random)) {
    CAPTURE(schedule.repr());
    const givens::ButterflyRounds& found = plan_of(schedule).butterfly;
    CHECK(static_cast<std::int64_t>(found.bits.size()) == schedule.num_rounds());
    CHECK(found.gaps == (2 * schedule.num_rotations() < schedule.n() * schedule.num_rounds()));
  }
  // Other distances, pairs of several distances, distances that wrap, rounds of a single pair.
  using Rounds = std::vector<std::vector<Schedule::RequestedPair>>;
  for (const Rounds& rounds :
       {Rounds{{{0, 3}, {1, 2}}}, Rounds{{{0, 1}, {4, 6}}}, Rounds{{{1, 2}, {3, 4}}},
        Rounds{{{0, 1}}, {{2, 3}}, {{4, 5}}}, Rounds{}}) {
    CHECK(plan_of(Schedule::from_rounds(9, rounds)).butterfly.bits.empty());
  }
  CHECK(plan_of(Schedule::xor_(8)).butterfly.bits.empty());
}

TEST_CASE_TEMPLATE("strips: rotate and its gradient", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(91);
  for (const Schedule& schedule : strip_schedules(random)) {
    CAPTURE(schedule.repr());
    for (const Choice& choice : test::choices<T>()) {
      CAPTURE(choice);
      const auto parameters =
          parameters_of<R>(AngleKind::normal, AngleKind::full_turn, schedule, choice, random);
      // One and more than the rows that share coefficients.
      for (const std::int64_t vectors : {1, 2, 7, 0}) {
        CAPTURE(vectors);
        const Shape shape = {vectors, schedule.n()};
        for (const bool inverse : {false, true}) {
          CAPTURE(inverse);
          const RotateOptions options{-1, inverse};
          check_rotate(random.array<T>(shape), parameters, schedule, options);
          check_vjp(random.array<T>(shape), random.array<T>(shape), parameters, schedule, options);
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("strips: arrays of any strides, in place", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(92);
  // Contiguous vectors at uniform distances or not, backwards, and vectors that are not contiguous.
  const Layout layouts[] = {{{0, 1, 2}, 1, 0, false}, {{0, 1, 2}, 1, 0}, {{1, 0, 2}, 1, 0},
                            {{0, 1, 2}, 1, 2},        {{0, 1, 2}, 2, 0}, {{0, 2, 1}, 1, 0}};
  for (const Schedule& schedule : {Schedule::butterfly(64), Schedule::butterfly(40)}) {
    CAPTURE(schedule.repr());
    const Shape shape = {2, 5, schedule.n()};
    const auto parameters =
        random_parameters<R>(schedule, test::choices<T>().back(), random, Shape{});
    for (const bool inverse : {false, true}) {
      CAPTURE(inverse);
      for (std::size_t k = 0; k < std::size(layouts); ++k) {
        CAPTURE(k);
        const auto next = [&, in = k](std::size_t axes) mutable {
          return axes == 1 ? Layout{{0}, 1, 0} : layouts[in++ % std::size(layouts)];
        };
        check_layouts(random.array<T>(shape), random.array<T>(shape), parameters, schedule,
                      {-1, inverse}, next);
      }
    }
  }
}

TEST_CASE_TEMPLATE("strips: what is not finite stays with its coordinates", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(93);
  for (const bool absent : {false, true}) {
    const Schedule schedule = butterfly_rounds(48, {4, 0, 3}, absent, random);
    const auto parameters = random_parameters<R>(schedule, Choice{}, random, Shape{});
    Array<T> x = random.array<T>({6, 48});
    x.values[48 + 5] = T(std::numeric_limits<R>::infinity());
    x.values[4 * 48 + 20] = T(std::numeric_limits<R>::quiet_NaN());
    const auto expected = reference_rotate(widened(x), widened(parameters), schedule);
    for (const Engine* engine : engines()) {
      CAPTURE(std::string(engine->name));
      const Array<T> y = engine_rotated(*engine, x, parameters, schedule, {});
      for (std::size_t k = 0; k < y.values.size(); ++k) {
        CAPTURE(k);
        const auto is_finite = [](const auto& value) { return std::abs(test::wide(value)) < 1e9; };
        CHECK(is_finite(y.values[k]) == is_finite(expected.values[k]));
      }
    }
  }
}

TEST_CASE_TEMPLATE("strips: the same bits as panels", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(94);
  for (const Schedule& schedule : strip_schedules(random)) {
    CAPTURE(schedule.repr());
    const std::int64_t n = schedule.n();
    const auto parameters = parameters_of<R>(AngleKind::full_turn, AngleKind::full_turn, schedule,
                                             test::choices<T>().back(), random);
    const Array<T> x = random.array<T>({5, n});
    Array<T> columns({n, 5});
    for (std::int64_t k = 0; k < 5 * n; ++k) {
      columns.values[static_cast<std::size_t>(k % n * 5 + k / n)] =
          x.values[static_cast<std::size_t>(k)];
    }
    for (const Engine* engine : engines()) {
      CAPTURE(std::string(engine->name));
      const Array<T> rows = engine_rotated(*engine, x, parameters, schedule, {-1, false});
      const Array<T> others = engine_rotated(*engine, columns, parameters, schedule, {-2, false});
      bool same = true;
      for (std::int64_t k = 0; k < 5 * n; ++k) {
        same = same && rows.values[static_cast<std::size_t>(k)] ==
                           others.values[static_cast<std::size_t>(k % n * 5 + k / n)];
      }
      CHECK(same);
    }
  }
}
