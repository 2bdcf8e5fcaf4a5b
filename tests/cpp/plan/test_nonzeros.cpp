// The columns of the identity that steps must rotate, compared with a matrix of what may be
// nonzero.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "givens/givens.hpp"
#include "plan/nonzeros.hpp"
#include "plan/plan.hpp"
#include "problems.hpp"
#include "random.hpp"

namespace {

using givens::ColumnMask;
using givens::for_each_rotation;
using givens::for_each_run;
using givens::kMaskedReals;
using givens::NonzeroStructure;
using givens::Pattern;
using givens::Plan;
using givens::plan_of;
using givens::Schedule;
using givens::Step;
using test::Random;

std::size_t at(std::int64_t k) { return static_cast<std::size_t>(k); }

struct Rotated {
  std::string wrong;  // empty if nothing is
  double share = 0;   // the share of the columns that a rotation rotates, on average
};

// For columns `first` .. first + count - 1, in reverse order.
Rotated rotated_columns(const Plan& plan, std::int64_t first, std::int64_t count,
                        std::int64_t reals) {
  std::vector<std::int32_t> coordinates;
  for (std::int64_t k = 0; k < count; ++k) {
    coordinates.push_back(static_cast<std::int32_t>(first + count - 1 - k));
  }
  NonzeroStructure nonzeros;
  nonzeros.find(plan, coordinates.data(), count, reals);
  std::vector<ColumnMask> not_zero(at(plan.rows));
  for (std::int64_t k = 0; k < count; ++k) {
    const std::int32_t row = plan.row_of_coordinate[at(coordinates[at(k)])];
    not_zero[at(row)] = static_cast<ColumnMask>(not_zero[at(row)] | 1 << k * reals / kMaskedReals);
  }
  Rotated out;
  std::int64_t rotations = 0;
  std::int64_t columns = 0;
  std::vector<ColumnMask> rotated_before(at(plan.rows));
  for (std::int64_t k = 0; k < static_cast<std::int64_t>(plan.steps.size()); ++k) {
    const Step& step = plan.steps[at(k)];
    const ColumnMask* by_pair =
        step.pattern == Pattern::pairs ? nonzeros.rotated_by_pairs(plan, k) : nullptr;
    for_each_rotation<false>(plan, step, [&](std::int32_t i, std::int32_t j, int e) {
      const ColumnMask rotated = by_pair ? by_pair[e] : nonzeros.rotated_by(k);
      const auto reached = static_cast<ColumnMask>(not_zero[at(i)] | not_zero[at(j)]);
      if ((reached & ~rotated) != 0) out.wrong = "leaves out columns that are not zero";
      if (((rotated_before[at(i)] | rotated_before[at(j)]) & ~rotated) != 0) {
        out.wrong = "leaves out what was rotated before";
      }
      if ((rotated & ~nonzeros.rotated_by(k)) != 0) out.wrong = "a pair rotates more than its step";
      rotated_before[at(i)] = rotated_before[at(j)] = rotated;
      if (givens::angle_of(plan, step, e) < 0) return;
      not_zero[at(i)] = not_zero[at(j)] = reached;
      ++rotations;
      for_each_run(rotated, count * reals,
                   [&](std::int64_t begin, std::int64_t end) { columns += (end - begin) / reals; });
    });
  }
  if (rotations > 0) {
    out.share = static_cast<double>(columns) / static_cast<double>(rotations * count);
  }
  return out;
}

}  // namespace

TEST_CASE("nonzeros: no column that is not zero is left out") {
  Random random(91);
  for (const std::int64_t n : {1, 2, 3, 8, 9, 33, 63, 64, 65, 128, 131}) {
    for (const Schedule& schedule : test::schedules(n, random)) {
      CAPTURE(schedule.repr());
      const Plan& plan = plan_of(schedule);
      for (const std::int64_t count : {std::int64_t{1}, n / 2, n}) {
        for (const std::int64_t reals : {1, 2}) {
          if (count == 0 || count * reals > 8 * kMaskedReals) continue;
          CAPTURE(count);
          CAPTURE(reals);
          CHECK(rotated_columns(plan, random.below(n - count + 1), count, reals).wrong == "");
        }
      }
    }
  }
}

TEST_CASE("nonzeros: in the first rounds a column has few nonzero rows") {
  // Before round r a column has about 2 r nonzero rows. With circle that holds until one of them
  // meets the fixed player, which brings more.
  const Schedule brickwall = Schedule::brickwall(512);
  CHECK(rotated_columns(plan_of(brickwall), 240, 32, 1).share < 0.8);
  const Schedule circle = Schedule::circle(512);
  const Plan& plan = plan_of(circle);
  CHECK(rotated_columns(plan, 240, 16, 1).share < 0.9);
  // What columns_by_parity promises, except at the end of the circle.
  CHECK(plan.columns_by_parity);
  for (const std::int64_t row : {0, 100, 200, 300}) {
    CHECK(std::abs(plan.coordinate_of_row[at(row)] - plan.coordinate_of_row[at(row + 1)]) == 2);
  }
}

TEST_CASE("nonzeros: runs of the columns of a mask") {
  const auto runs = [](ColumnMask parts, std::int64_t width) {
    std::string out;
    for_each_run(parts, width, [&](std::int64_t first, std::int64_t last) {
      out += std::to_string(first) + "-" + std::to_string(last) + " ";
    });
    return out;
  };
  CHECK(runs(0, 128) == "");
  CHECK(runs(1, 16) == "0-16 ");
  CHECK(runs(0b1111, 128) == "0-128 ");
  CHECK(runs(0b1011, 112) == "0-64 96-112 ");
  CHECK(runs(0b0110, 128) == "32-96 ");
}
