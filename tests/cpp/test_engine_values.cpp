// Every engine: angles and vectors of every kind, and how orthogonal U is.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
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
