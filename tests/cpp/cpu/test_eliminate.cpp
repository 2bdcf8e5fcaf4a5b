// Every engine: the elimination of the entries below the diagonal, and what it checks before.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdint>
#include <limits>
#include <vector>

#include "array.hpp"
#include "cpu/engine.hpp"
#include "engine_checks.hpp"
#include "givens/givens.hpp"
#include "problems.hpp"
#include "random.hpp"

using namespace test;

namespace {

using givens::cpu::Elimination;

template <class F>
void load(const Elimination<F>& elimination, const Array<F>& U) {
  for (std::int64_t r = 0; r < elimination.n; ++r) {
    for (std::int64_t c = 0; c < elimination.columns; ++c) {
      elimination.set_entry(r, c, at(U.view(), {r, c}));
    }
  }
}

// The first columns of a random matrix.
template <class F>
Array<F> random_frame(std::int64_t n, std::int64_t columns, Random& random) {
  const Schedule schedule = Schedule::circle(n, columns);
  const auto parameters = random_parameters<double>(schedule, full_choice<F>(), random);
  Array<F> U({n, columns});
  givens::matrix<F>(parameters.views(), schedule, U.view());
  return U;
}

// The matrix of what the engine has found.
template <class F>
Array<F> matrix_of(const Elimination<F>& elimination, const Schedule& schedule) {
  const std::int64_t n = schedule.n();
  Array<double> angles({schedule.num_rotations()}), phases(angles), diagonal({n}), signs({n});
  for (std::size_t k = 0; k < angles.values.size(); ++k) {
    angles.values[k] = elimination.angles[k].angle;
    phases.values[k] = elimination.angles[k].phase;
  }
  for (std::size_t r = 0; r < signs.values.size(); ++r) {
    diagonal.values[r] = elimination.phases.data()[r];
    signs.values[r] = diagonal.values[r] == 0 ? 1 : -1;
  }
  givens::Parameters<double> parameters{angles.view(), {}, {}, {}};
  if constexpr (givens::is_complex_v<F>) {
    parameters.phases = phases.view();
    parameters.diagonal = diagonal.view();
  } else {
    parameters.signs = signs.view();
  }
  Array<F> U({n, schedule.columns()});
  givens::matrix<F>(parameters, schedule, U.view());
  return U;
}

template <class F>
void check_elimination(const Schedule& schedule, Random& random) {
  CAPTURE(schedule.repr());
  for (const givens::cpu::Engine* engine : givens::cpu::engines()) {
    CAPTURE(engine->name);
    Elimination<F> elimination(schedule);
    // The second finds the memory of the first.
    for (int repeat = 0; repeat < 2; ++repeat) {
      const Array<F> U = random_frame<F>(schedule.n(), schedule.columns(), random);
      load(elimination, U);
      engine->functions<F>().eliminate(elimination);
      // The elimination and the two products err in each column by `rounding`.
      CHECK(test::largest_difference(matrix_of(elimination, schedule).values, U.values) <=
            3 * test::rounding<double>(schedule));
    }
  }
}

}  // namespace

TEST_CASE_TEMPLATE("engines: elimination, both schedules and every size", F, double,
                   std::complex<double>) {
  Random random(90);
  for (const std::int64_t n : kEngineSizes) {
    check_elimination<F>(Schedule::brickwall(n), random);
    for (const std::int64_t columns : {n, n / 2, std::min<std::int64_t>(n, 9)}) {
      check_elimination<F>(Schedule::wavefront(n, columns), random);
    }
  }
}

TEST_CASE_TEMPLATE("engines: the largest entry of U^H U - I", F, double, std::complex<double>) {
  Random random(91);
  for (const std::int64_t n : kEngineSizes) {
    for (const std::int64_t columns : {n, n / 2, std::min<std::int64_t>(n, 9)}) {
      CAPTURE(n);
      CAPTURE(columns);
      const Array<F> U = random.array<F>({n, columns});
      double expected = 0;
      for (std::int64_t i = 0; i < columns; ++i) {
        for (std::int64_t k = i; k < columns; ++k) {
          Complex sum = i == k ? -1 : 0;
          for (std::int64_t r = 0; r < n; ++r) {
            sum += std::conj(Complex(at(U.view(), {r, i}))) * Complex(at(U.view(), {r, k}));
          }
          expected = std::max(expected, std::abs(sum));
        }
      }
      Elimination<F> elimination(Schedule::wavefront(n, columns));
      load(elimination, U);
      for (const givens::cpu::Engine* engine : givens::cpu::engines()) {
        CAPTURE(engine->name);
        // n products of at most 2 each, and their sum, are within eps of n numbers.
        CHECK(std::abs(engine->functions<F>().orthonormality_error(elimination) - expected) <=
              4 * static_cast<double>(n * n) * std::numeric_limits<double>::epsilon());
      }
    }
  }
}
