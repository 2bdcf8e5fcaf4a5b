// Every engine: angles and vectors of every kind, and how orthogonal U is.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "engine_checks.hpp"

using namespace test;

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
      const auto parameters =
          parameters_of<R>(kind, AngleKind::full_turn, schedule, any_choice<T>(random), random);
      for (const bool inverse : {false, true}) {
        CAPTURE(inverse);
        check_vectors<T>(shape, parameters, schedule, {-1, inverse}, random);
        check_rotate(vectors_of<T>(VectorKind::one_hot, shape, -1, random), parameters, schedule,
                     {-1, inverse});
      }
      check_matrix<T>(parameters, schedule, random);
    }
  }
}

TEST_CASE_TEMPLATE("engines: phases of every kind", T, std::complex<float>, std::complex<double>) {
  using R = real_t<T>;
  Random random(86);
  for (const Schedule& schedule :
       {Schedule::xor_(40), Schedule::circle(41), Schedule::team(24, 8), Schedule::xor_(64)}) {
    CAPTURE(schedule.repr());
    const Shape shape = {17, schedule.n()};
    for (const AngleKind kind : kAngleKinds) {
      for (const Choice& choice : {Choice{true, true, false}, Choice{true, false, true}}) {
        if (too_long(schedule.n(), random)) continue;
        CAPTURE(kind);
        CAPTURE(choice.diagonal);
        const AngleKind angles = either(random) ? kind : AngleKind::full_turn;
        CAPTURE(angles);
        const auto parameters = parameters_of<R>(angles, kind, schedule, choice, random);
        const RotateOptions options{-1, either(random)};
        CAPTURE(options.inverse);
        check_vectors<T>(shape, parameters, schedule, options, random);
        check_rotate(vectors_of<T>(VectorKind::one_hot, shape, -1, random), parameters, schedule,
                     options);
        check_matrix<T>(parameters, schedule, random);
      }
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
          const Choice choice = any_choice<T>(random);
          CAPTURE(choice);
          const auto parameters =
              parameters_of<R>(angles, AngleKind::full_turn, schedule, choice, random);
          const RotateOptions options{-2, inverse};
          const Array<T> x = vectors_of<T>(kind, shape, -2, random);
          check_rotate(x, parameters, schedule, options);
          // Each with an ordinary one: the product of two huge ones may overflow in any order.
          check_vjp(x, random.array<T>(shape), parameters, schedule, options);
          check_vjp(random.array<T>(shape), x, parameters, schedule, options);
        }
      }
    }
    for (const Choice& choice : test::choices<T>()) {
      const auto parameters = random_parameters<R>(schedule, choice, random);
      check_rotate(mixed_vectors<T>(shape, -2, random), parameters, schedule, {-2, false});
      check_rotate(mixed_vectors<T>(shape, -2, random), parameters, schedule, {-2, true});
    }
  }
}

// |y| |gy| is far from the largest number, and so is every gradient. Products of stored rows, which
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
      for (const bool inverse : {false, true}) {
        const Choice choice = any_choice<T>(random);
        const auto parameters =
            parameters_of<R>(kind, AngleKind::full_turn, schedule, choice, random);
        check_vjp(random.array<T>(shape, scale), random.array<T>(shape, scale), parameters,
                  schedule, {-1, inverse});
      }
    }
  }
}

// Every scale of a block is near the least that the fast form allows elsewhere, and the vectors are
// within its limit: the products of stored rows are far larger than |y| |gy|.
TEST_CASE_TEMPLATE("engines: the gradient of vectors within the limit does not overflow", T,
                   GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(80);
  constexpr bool kFloat = sizeof(R) == 4;
  const R angle = static_cast<R>(std::acos(kFloat ? std::exp2(-7.25) : std::exp2(-45.0)));
  const double scale = kFloat ? 0x1p15 : 0x1p240;
  for (const Schedule& schedule : {Schedule::xor_(40), Schedule::circle(41)}) {
    CAPTURE(schedule.repr());
    const Shape shape = {5, schedule.n()};
    auto parameters = random_parameters<R>(schedule, any_choice<T>(random), random);
    std::fill(parameters.angles.values.begin(), parameters.angles.values.end(), angle);
    for (const bool inverse : {false, true}) {
      check_vjp(random.array<T>(shape, scale), random.array<T>(shape, scale), parameters, schedule,
                {-1, inverse});
    }
  }
}

// Vectors that are too large go alone, and so do their sums: no sum may be lost or taken twice.
TEST_CASE_TEMPLATE("engines: the gradient of large vectors beside others", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(87);
  for (const Schedule& schedule : {Schedule::xor_(20), Schedule::circle(21)}) {
    CAPTURE(schedule.repr());
    // Matrices follow one another with and without such vectors, and have two panels.
    const Shape shape = {4, 70, schedule.n()};
    for (const Choice& choice : test::choices<T>()) {
      CAPTURE(choice);
      for (const bool inverse : {false, true}) {
        CAPTURE(inverse);
        const auto parameters = random_parameters<R>(schedule, choice, random, Shape{4});
        Array<T> y = random.array<T>(shape);
        Array<T> gy = random.array<T>(shape);
        make_some_large(y, gy, -1, 70, 4, random);
        check_vjp(y, gy, parameters, schedule, {-1, inverse});
      }
    }
  }
}

namespace {

// The largest entry of |U^H U - I|.
template <class T>
double from_unitary(const Array<T>& U, const Schedule& schedule) {
  const auto n = static_cast<std::size_t>(schedule.n());
  std::vector<Wide<T>> products(n * n);
  std::vector<Wide<T>> row(n);
  for (std::size_t r = 0; r < n; ++r) {
    for (std::size_t a = 0; a < n; ++a) row[a] = static_cast<Wide<T>>(U.values[r * n + a]);
    for (std::size_t a = 0; a < n; ++a) {
      Wide<T>* out = products.data() + a * n;
      if constexpr (givens::is_complex_v<T>) {
        const double re = row[a].real();
        const double im = row[a].imag();
        for (std::size_t b = 0; b <= a; ++b) {
          out[b] += Wide<T>(re * row[b].real() + im * row[b].imag(),
                            re * row[b].imag() - im * row[b].real());
        }
      } else {
        for (std::size_t b = 0; b <= a; ++b) out[b] += row[a] * row[b];
      }
    }
  }
  double worst = 0;
  for (std::size_t a = 0; a < n; ++a) {
    for (std::size_t b = 0; b <= a; ++b) {
      const double off = std::abs(products[a * n + b] - (a == b ? 1.0 : 0.0));
      worst = std::isnan(off) ? std::numeric_limits<double>::infinity() : std::max(worst, off);
    }
  }
  return worst;
}

}  // namespace

// Each column of U is off by at most the allowance, and the scalar product of two columns by twice
// as much.
TEST_CASE_TEMPLATE("engines: U is unitary", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(83);
  const Schedule schedules[] = {Schedule::xor_(65), Schedule::xor_(129), Schedule::xor_(256),
                                Schedule::circle(129), Schedule::brickwall(100)};
  for (const Schedule& schedule : schedules) {
    CAPTURE(schedule.repr());
    for (const AngleKind kind : {AngleKind::full_turn, AngleKind::near_right, AngleKind::special}) {
      if (too_long(schedule.n(), random)) continue;
      CAPTURE(kind);
      const auto parameters =
          parameters_of<R>(kind, AngleKind::full_turn, schedule, full_choice<T>(), random);
      for (const Engine* engine : engines()) {
        CAPTURE(std::string(engine->name));
        const Array<T> U = engine_matrix<T>(*engine, parameters, schedule);
        CHECK(from_unitary(U, schedule) <= 2.1 * relative_allowance<R>(schedule));
      }
    }
  }
}

// A bound for the worst case leaves room for much that should not be. Independent roundings add up
// like the root of their number, as they do in the standard form. An error of more than a few times
// as much means that some are not independent, such as scales that drift off their reciprocals.
TEST_CASE_TEMPLATE("engines: U is as unitary as in the standard form", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(84);
  for (const Schedule& schedule :
       {Schedule::xor_(256), Schedule::circle(256), Schedule::xor_(200)}) {
    CAPTURE(schedule.repr());
    for (const AngleKind kind : {AngleKind::full_turn, AngleKind::normal, AngleKind::small}) {
      if (too_long(schedule.n(), random)) continue;
      CAPTURE(kind);
      const auto parameters =
          parameters_of<R>(kind, AngleKind::full_turn, schedule, full_choice<T>(), random);
      const double standard = from_unitary(reference_matrix<T>(parameters, schedule), schedule);
      for (const Engine* engine : engines()) {
        CAPTURE(std::string(engine->name));
        const Array<T> U = engine_matrix<T>(*engine, parameters, schedule);
        CHECK(from_unitary(U, schedule) <= 5 * standard);
      }
    }
  }
}

namespace {

// The 2-norm of all differences.
template <class R>
double distance(const std::vector<R>& got, const std::vector<double>& expected) {
  double sum = 0;
  for (std::size_t k = 0; k < got.size(); ++k) {
    const double off = static_cast<double>(got[k]) - expected[k];
    sum += off * off;
  }
  return std::sqrt(sum);
}

}  // namespace

// The same for the gradients, whose bounds leave even more room. The engine finds the gradients by
// the phases in another way than the reference, which must not cost digits.
TEST_CASE_TEMPLATE("engines: gradients are as exact as in the standard form", T, float,
                   std::complex<float>) {
  using R = real_t<T>;
  Random random(88);
  for (const Schedule& schedule :
       {Schedule::xor_(64), Schedule::circle(100), Schedule::brickwall(60)}) {
    CAPTURE(schedule.repr());
    const Shape shape = {33, schedule.n()};
    for (const AngleKind kind : {AngleKind::full_turn, AngleKind::normal, AngleKind::small}) {
      if (too_long(schedule.n(), random)) continue;
      CAPTURE(kind);
      const auto parameters =
          parameters_of<R>(kind, AngleKind::full_turn, schedule, full_choice<T>(), random);
      const Array<T> y = random.array<T>(shape);
      const Array<T> gy = random.array<T>(shape);
      for (const bool inverse : {false, true}) {
        CAPTURE(inverse);
        const RotateOptions options{-1, inverse};
        const auto exact = gradients<Wide<T>>(nullptr, widened(y), widened(gy), widened(parameters),
                                              schedule, options);
        // The reference has sums in double, which the engine keeps in T: as much error again, and
        // some for the coefficients. A drift of 4 eps a rotation is seen.
        const auto standard = gradients<T>(nullptr, y, gy, parameters, schedule, options);
        for (const Engine* engine : engines()) {
          CAPTURE(std::string(engine->name));
          const auto got = gradients<T>(engine, y, gy, parameters, schedule, options);
          CHECK(distance(got.of.angles.values, exact.of.angles.values) <=
                2.5 * distance(standard.of.angles.values, exact.of.angles.values));
          if (!got.of.phases) continue;
          CHECK(distance(got.of.phases->values, exact.of.phases->values) <=
                2.5 * distance(standard.of.phases->values, exact.of.phases->values));
        }
      }
    }
  }
}
