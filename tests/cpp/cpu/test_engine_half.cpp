// Vectors of 16 bits. An engine rounds what it gives for the same vectors in float, and nothing
// else: results have the same bits, in every layout, for every number of rows. The engines' results
// in float have tests of their own.
#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "arguments/fill.hpp"
#include "engine_checks.hpp"
#include "reference/half.hpp"

using namespace test;
using givens::BFloat16;
using givens::Half;

namespace {

// Memory with margins, and a view into it.
template <class T>
struct Stored {
  std::vector<T> memory;
  Shape shape;
  Shape strides;
  std::int64_t first;

  ArrayView<T> view() {
    return {memory.data() + first, static_cast<int>(shape.size()), shape.data(), strides.data()};
  }
};

template <class To, class From>
std::vector<To> converted(const std::vector<From>& from) {
  std::vector<To> out;
  for (const From& x : from) {
    if constexpr (std::is_same_v<To, float>) {
      out.push_back(givens::reference::widened(x));
    } else {
      out.push_back(givens::reference::rounded<To>(x));
    }
  }
  return out;
}

template <class To, class From>
Stored<To> converted(const Stored<From>& from) {
  return {converted<To>(from.memory), from.shape, from.strides, from.first};
}

// Random numbers in an array of so many axes, some of them swapped, backwards or with gaps.
template <class H>
Stored<H> any_layout(const Shape& shape, Random& random) {
  std::vector<std::size_t> order(shape.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (std::size_t k = order.size(); k > 1; --k) {
    if (random.below(3) == 0) {
      std::swap(order[k - 1],
                order[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(k)))]);
    }
  }
  const std::int64_t gap = random.below(4) == 0 ? 2 : 1;
  const std::int64_t padding = 3 * random.below(2);
  Shape strides(shape.size());
  std::int64_t next = gap;
  std::int64_t first = 20;
  for (std::size_t k = order.size(); k-- > 0;) {
    const std::size_t axis = order[k];
    strides[axis] = next;
    next = next * shape[axis] + padding;
    if (shape[axis] > 0 && random.below(4) == 0) {
      first += (shape[axis] - 1) * strides[axis];
      strides[axis] = -strides[axis];
    }
  }
  const Array<float> numbers = random.array<float>({next + 40}, 4.0);
  return {converted<H>(numbers.values), shape, strides, first};
}

// An engine, or the reference engine by null.
template <class T>
void run_rotate(const Engine* engine, const givens::RotateProblem<T>& problem) {
  if (engine) {
    engine->functions<T>().rotate(problem, plan_of(problem.schedule));
  } else {
    givens::reference::rotate(problem);
  }
}

template <class T>
void run_vjp(const Engine* engine, const givens::VjpProblem<T>& problem) {
  if (engine) {
    engine->functions<T>().vjp(problem, plan_of(problem.schedule));
  } else {
    givens::reference::vjp(problem);
  }
}

std::vector<const Engine*> engines_and_reference() {
  std::vector<const Engine*> out = engines();
  out.push_back(nullptr);
  return out;
}

// Checks rotate, in place too, and its gradient. Gaps and margins of the memory are compared too.
template <class H>
void check_halves(const Shape& shape, const OwnedParameters<float>& parameters,
                  const Schedule& schedule, const RotateOptions& options, Random& random) {
  const Stored<H> x = any_layout<H>(shape, random);
  const Stored<H> gy = any_layout<H>(shape, random);
  const Stored<H> y = any_layout<H>(shape, random);
  for (const Engine* engine : engines_and_reference()) {
    CAPTURE(std::string(engine ? engine->name : "reference"));
    const auto rotated = [&](auto from, auto to) {
      using T = std::decay_t<decltype(from.memory[0])>;
      run_rotate<T>(engine, givens::validate::rotate<T>(from.view(), parameters.views(), schedule,
                                                        to.view(), options));
      return to.memory;
    };
    CHECK(
        same_bits(rotated(x, y), converted<H>(rotated(converted<float>(x), converted<float>(y)))));

    const auto in_place = [&](auto from) {
      using T = std::decay_t<decltype(from.memory[0])>;
      run_rotate<T>(engine, givens::validate::rotate<T>(from.view(), parameters.views(), schedule,
                                                        from.view(), options));
      return from.memory;
    };
    CHECK(same_bits(in_place(x), converted<H>(in_place(converted<float>(x)))));

    OwnedGradients<float> gradients(parameters);
    const auto gx = [&](auto from, auto gradient, auto to) {
      using T = std::decay_t<decltype(from.memory[0])>;
      givens::fill_with_zero(gradients.views());
      run_vjp<T>(engine,
                 givens::validate::rotate_vjp<T>(from.view(), gradient.view(), parameters.views(),
                                                 schedule, to.view(), gradients.views(), options));
      return to.memory;
    };
    const std::vector<H> got = gx(x, gy, y);
    const std::vector<float> of_parameters = gradients.all();
    CHECK(same_bits(
        got, converted<H>(gx(converted<float>(x), converted<float>(gy), converted<float>(y)))));
    CHECK(same_bits(of_parameters, gradients.all()));
  }
}

}  // namespace

TEST_CASE_TEMPLATE("16 bits: every schedule and size", H, Half, BFloat16) {
  Random random(41);
  for (const std::int64_t n : kEngineSizes) {
    for (const Schedule& schedule : test::schedules(n, random)) {
      if (too_long(n, random) || (n > 33 && random.below(4) != 0)) continue;
      CAPTURE(schedule.repr());
      const Arrangement a =
          arrangement(n, kVectorCounts[random.below(std::size(kVectorCounts))], random);
      const RotateOptions options{a.axis, either(random)};
      CAPTURE(options.axis);
      const auto parameters =
          random_parameters<float>(schedule, {false, false, either(random)}, random);
      check_halves<H>(a.shape, parameters, schedule, options, random);
    }
  }
}

TEST_CASE_TEMPLATE("16 bits: any number of vectors", H, Half, BFloat16) {
  Random random(42);
  for (const Schedule& schedule : {Schedule::xor_(20), Schedule::circle(16)}) {
    const auto parameters = random_parameters<float>(schedule, {false, false, true}, random);
    for (const std::int64_t vectors : kVectorCounts) {
      CAPTURE(vectors);
      check_halves<H>({vectors, schedule.n()}, parameters, schedule, {-1, either(random)}, random);
      check_halves<H>({schedule.n(), vectors}, parameters, schedule, {-2, either(random)}, random);
    }
  }
}

TEST_CASE_TEMPLATE("16 bits: batches of matrices", H, Half, BFloat16) {
  Random random(43);
  // Fewer matrices than an engine has lanes, as many, and more.
  for (const std::int64_t matrices : {0, 1, 3, 4, 8, 16, 19, 33}) {
    for (const std::int64_t n : {1, 2, 3, 4, 7, 8, 16, 31, 40}) {
      CAPTURE(matrices);
      CAPTURE(n);
      const Schedule schedule = Schedule::circle(n);
      const auto parameters =
          random_parameters<float>(schedule, {false, false, true}, random, {matrices});
      const std::int64_t vectors = random.below(5);
      check_halves<H>({matrices, vectors, n}, parameters, schedule, {-1, either(random)}, random);
      check_halves<H>({matrices, n, vectors}, parameters, schedule, {-2, either(random)}, random);
    }
  }
}

TEST_CASE_TEMPLATE("16 bits: matrix and its gradient", H, Half, BFloat16) {
  Random random(44);
  for (const std::int64_t n : kEngineSizes) {
    for (const std::int64_t matrices : {1, 17}) {
      if (n > 65 && matrices > 1) continue;
      const Schedule schedule = Schedule::xor_(n, n - n / 3);
      CAPTURE(schedule.repr());
      const auto parameters =
          random_parameters<float>(schedule, {false, false, true}, random, {matrices});
      for (const Engine* engine : engines()) {
        CAPTURE(std::string(engine->name));
        const Array<float> U = engine_matrix<float>(*engine, parameters, schedule);
        Array<H> got(U.shape);
        engine->functions<H>().matrix(
            givens::validate::matrix<H>(parameters.views(), schedule, got.view()),
            plan_of(schedule));
        CHECK(same_bits(got.values, converted<H>(U.values)));

        Array<H> gU(U.shape);
        gU.values = converted<H>(random.array<float>(U.shape).values);
        const auto gradients_of = [&](const auto& u, const auto& gu) {
          using T = std::decay_t<decltype(u.values[0])>;
          return matrix_gradients<T>(engine, u, gu, parameters, schedule).of.all();
        };
        const auto wide = [](const Array<H>& narrow) {
          Array<float> out(narrow.shape);
          out.values = converted<float>(narrow.values);
          return out;
        };
        CHECK(same_bits(gradients_of(got, gU), gradients_of(wide(got), wide(gU))));
      }
    }
  }
}

TEST_CASE_TEMPLATE("16 bits: infinities and NaN stay in their vectors", H, Half, BFloat16) {
  Random random(45);
  const Schedule schedule = Schedule::xor_(20);
  const auto parameters = random_parameters<float>(schedule, {}, random);
  Array<float> x = random.array<float>({7, 20});
  x.values[23] = INFINITY;
  x.values[65] = NAN;
  Array<H> narrow(x.shape);
  narrow.values = converted<H>(x.values);
  for (const Engine* engine : engines()) {
    CAPTURE(std::string(engine->name));
    Array<H> y(x.shape);
    engine_rotate<H>(*engine, narrow.view(), parameters.views(), schedule, y.view(), {});
    const auto got = converted<float>(y.values);
    for (std::size_t k = 0; k < got.size(); ++k) {
      CHECK(std::isfinite(got[k]) == (k / 20 != 1 && k / 20 != 3));
    }
  }
}
