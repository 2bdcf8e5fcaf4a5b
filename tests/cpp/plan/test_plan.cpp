// Plans: whatever steps a plan cuts a schedule into, it must apply the rotations of the schedule,
// each once, in an order that gives the same product.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "givens/givens.hpp"
#include "plan/plan.hpp"
#include "problems.hpp"
#include "random.hpp"

namespace {

using givens::angle_of;
using givens::AngleMap;
using givens::for_each_rotation;
using givens::is_rotation_block;
using givens::kRowBlock;
using givens::MergeLevel;
using givens::Pair;
using givens::Pattern;
using givens::Plan;
using givens::RowPair;
using givens::Schedule;
using givens::Step;
using test::Random;

// Sizes around the row blocks and the powers of two.
constexpr std::int64_t kPlanSizes[] = {0,  1,  2,  3,  5,  7,  8,  9,   12,  15,  16,  17, 22,
                                       31, 32, 33, 45, 63, 64, 65, 100, 127, 128, 129, 257};

// The number of rotations in steps of pairs.
std::int64_t pair_rotations(const Plan& plan) {
  std::int64_t count = 0;
  for (const Step& step : plan.steps) {
    if (step.pattern == Pattern::pairs) count += step.count;
  }
  return count;
}

std::size_t at(std::int64_t k) { return static_cast<std::size_t>(k); }

// Every kind, with several numbers of columns around the row blocks.
std::vector<Schedule> planned_schedules(std::int64_t n, Random& random) {
  std::vector<Schedule> out;
  for (const auto& info : Schedule::kinds()) {
    for (const std::int64_t m : std::set<std::int64_t>{0, 1, 2, 7, 8, 9, n / 3, n / 2, n / 8 * 8,
                                                       n - 8, n - 2, n - 1, n}) {
      if (m < 0 || m > n || (m < n && !info.takes_columns)) continue;
      const auto columns = info.takes_columns ? std::optional(m) : std::nullopt;
      if (info.kind == Schedule::Kind::rounds) {
        out.push_back(Schedule::from_rounds(n, test::random_rounds(n, random), m));
      } else if (!info.takes_size) {
        out.push_back(Schedule::from_kind(info.kind, n, {}, columns));
        if (info.takes_passes) out.push_back(Schedule::from_kind(info.kind, n, {}, columns, 3));
      } else {
        for (const std::int64_t size : {1, 3, 8, 24}) {
          out.push_back(Schedule::from_kind(info.kind, n, size, columns));
        }
      }
    }
  }
  return out;
}

// What is wrong with a plan, in words; empty if nothing is. There are too many rotations for an
// assertion each.

std::string wrong_rows(const Schedule& schedule, const Plan& plan) {
  if (plan.rows % kRowBlock != 0) return "rows are not in full row blocks";
  if (static_cast<std::int64_t>(plan.coordinate_of_row.size()) != plan.rows) {
    return "not every row has a coordinate or is padding";
  }
  std::vector<int> times(at(schedule.n()), 0);
  for (const std::int32_t coordinate : plan.coordinate_of_row) {
    if (coordinate == -1) continue;
    if (coordinate < 0 || coordinate >= schedule.n()) return "a row without a valid coordinate";
    ++times[at(coordinate)];
  }
  const bool once = std::all_of(times.begin(), times.end(), [](int count) { return count == 1; });
  return once ? "" : "a coordinate without a row, or with two";
}

// The number of a step's entries in Plan::angle_indices.
std::int64_t angle_indices_of(const Step& step) {
  switch (step.angle_map) {
    case AngleMap::gather:
      return step.count;
    case AngleMap::contiguous:
      return step.count / (step.pattern == Pattern::diagonal_block ? 4 : 8);
    case AngleMap::affine:
      break;
  }
  return 0;
}

std::string wrong_step(const Schedule& schedule, const Plan& plan, const Step& step) {
  const bool rotation_block = is_rotation_block(step.pattern);
  const bool diagonal_block = step.pattern == Pattern::diagonal_block;
  if (step.count < 1) return "an empty step";
  if (rotation_block && step.count != 64) return "a rotation block that has not 64 rotations";
  if (diagonal_block && step.count != 28) return "a diagonal block that has not 28 rotations";
  if (rotation_block || diagonal_block) {
    if (step.a < 0 || step.a + kRowBlock > plan.rows) return "row block a is outside the rows";
    if (step.b < 0 || step.b + kRowBlock > plan.rows) return "row block b is outside the rows";
    if (rotation_block && std::abs(step.a - step.b) < kRowBlock)
      return "the row blocks of a rotation block overlap";
    if (step.pattern == Pattern::diamond_block && step.b != step.a + kRowBlock) {
      return "the rows of a diamond block do not follow one another";
    }
  } else {
    if (step.a < 0 || step.a + step.count > static_cast<std::int64_t>(plan.row_pairs.size())) {
      return "pairs beyond the pairs";
    }
    std::set<std::int32_t> rows;
    for (int e = 0; e < step.count; ++e) {
      const RowPair& pair = plan.row_pairs[at(step.a + e)];
      if (!rows.insert(pair.i).second || !rows.insert(pair.j).second) {
        return "a step of pairs that are not disjoint";
      }
    }
  }
  const bool contiguous_allowed = diagonal_block || step.pattern == Pattern::xor_block;
  if (step.angle_map == AngleMap::contiguous && !contiguous_allowed)
    return "contiguous angles in a step of another pattern";
  if (step.angle_map == AngleMap::affine && (!rotation_block || contiguous_allowed)) {
    return "affine angles in a step of another pattern";
  }
  if (step.first_angle < 0 || step.first_angle + angle_indices_of(step) >
                                  static_cast<std::int64_t>(plan.angle_indices.size())) {
    if (step.angle_map != AngleMap::affine) return "angles beyond the angle indices";
  }
  // Steps of pairs leave out absent rotations, and computed angles have none.
  const bool all_rotate = step.pattern == Pattern::pairs || step.angle_map != AngleMap::gather;
  int rotations = 0;
  for (int e = 0; e < step.count; ++e) {
    const std::int32_t angle = angle_of(plan, step, e);
    if (angle < (all_rotate ? 0 : -1) || angle >= schedule.num_rotations()) {
      return "a rotation without a valid angle";
    }
    rotations += angle >= 0 ? 1 : 0;
  }
  return rotations > 0 ? "" : "a step without a rotation";
}

// Rotations are numbered step after step.
std::string wrong_layout(const Schedule& schedule, const Plan& plan) {
  std::int64_t rotations = 0;
  for (const Step& step : plan.steps) {
    if (step.first_rotation != rotations)
      return "rotations are not numbered in the order of the steps";
    rotations += step.count;
    const std::string wrong = wrong_step(schedule, plan, step);
    if (!wrong.empty()) return wrong;
  }
  return rotations == plan.rotations ? "" : "the number of rotations is wrong";
}

// Each rotation is applied once, on the rows of its pair. Rotations of one coordinate, the only
// ones that do not commute, are in the order of the schedule, or with Adjoint in its reverse.
template <bool Adjoint>
std::string wrong_order(const Schedule& schedule, const Plan& plan) {
  const std::vector<Pair> pairs = schedule.pairs();
  const auto rotations = static_cast<std::int32_t>(pairs.size());
  std::vector<char> done(pairs.size(), 0);
  std::vector<std::int32_t> last(at(schedule.n()), Adjoint ? rotations : -1);
  std::string wrong;
  for (std::size_t k = 0; k < plan.steps.size() && wrong.empty(); ++k) {
    const Step& step = plan.steps[Adjoint ? plan.steps.size() - 1 - k : k];
    std::vector<int> visited(at(step.count), 0);
    for_each_rotation<Adjoint>(plan, step, [&](std::int32_t a, std::int32_t b, int e) {
      if (a < 0 || b < 0 || a >= plan.rows || b >= plan.rows || a == b) {
        wrong = "a rotation outside the rows";
        return;
      }
      if (e < 0 || e >= step.count) {
        wrong = "a rotation outside the step";
        return;
      }
      ++visited[at(e)];
      const std::int32_t angle = angle_of(plan, step, e);
      if (angle < 0) return;
      const std::int32_t x = plan.coordinate_of_row[at(a)];
      const std::int32_t y = plan.coordinate_of_row[at(b)];
      const Pair pair = pairs[at(angle)];
      if (std::min(x, y) != pair.i || std::max(x, y) != pair.j) {
        wrong = "a rotation on the wrong rows";
        return;
      }
      if (done[at(angle)]++ != 0) wrong = "a rotation that is applied twice";
      for (const std::int32_t coordinate : {x, y}) {
        std::int32_t& before = last[at(coordinate)];
        if (Adjoint ? angle >= before : angle <= before) wrong = "rotations in the wrong order";
        before = angle;
      }
    });
    for (const int count : visited) {
      if (count != 1 && wrong.empty()) wrong = "a rotation of the step that is not visited once";
    }
  }
  for (const char count : done) {
    if (count != 1 && wrong.empty()) wrong = "a rotation is missing";
  }
  return wrong;
}

// Levels cover the steps in order, and the steps of a block stay inside it: by induction the matrix
// is block-diagonal after each level.
std::string wrong_merge_levels(const Plan& plan) {
  std::int64_t next = 0;
  std::int64_t smaller = 1;
  for (const MergeLevel& level : plan.merge_levels) {
    if (level.block < smaller || level.block % smaller != 0) return "blocks do not nest";
    smaller = level.block;
    if (level.first.empty() || level.first.front() != next) return "levels leave steps out";
    if (!std::is_sorted(level.first.begin(), level.first.end())) return "blocks are out of order";
    next = level.first.back();
    if (next > static_cast<std::int64_t>(plan.steps.size())) return "more steps than there are";
    const auto blocks = static_cast<std::int64_t>(level.first.size()) - 1;
    if (blocks * level.block < plan.rows) return "rows in no block";
    for (std::int64_t q = 0; q < blocks; ++q) {
      bool inside = true;
      for (std::int64_t k = level.first[at(q)]; k < level.first[at(q + 1)]; ++k) {
        for_each_rotation<false>(plan, plan.steps[at(k)], [&](std::int32_t a, std::int32_t b, int) {
          inside = inside && a / level.block == q && b / level.block == q;
        });
      }
      if (!inside) return "a step leaves its block";
    }
  }
  if (next != static_cast<std::int64_t>(plan.steps.size())) return "levels leave steps out";
  return smaller >= plan.rows ? "" : "the last level does not reach all rows";
}

std::string wrong_row_pairs(const Plan& plan) {
  for (const RowPair& pair : plan.row_pairs) {
    if (pair.i < 0 || pair.j < 0 || pair.i >= plan.rows || pair.j >= plan.rows) {
      return "a pair outside the rows";
    }
    if (plan.coordinate_of_row[at(pair.i)] >= plan.coordinate_of_row[at(pair.j)]) {
      return "a pair whose larger coordinate comes first";
    }
  }
  return "";
}

}  // namespace

TEST_CASE("a plan applies the rotations of its schedule, each once, in a right order") {
  Random random(51);
  for (const std::int64_t n : kPlanSizes) {
    for (const Schedule& schedule : planned_schedules(n, random)) {
      CAPTURE(schedule.repr());
      const Plan plan = givens::make_plan(schedule);
      REQUIRE(wrong_rows(schedule, plan) == "");
      REQUIRE(wrong_layout(schedule, plan) == "");
      REQUIRE(wrong_row_pairs(plan) == "");
      CHECK(wrong_order<false>(schedule, plan) == "");
      CHECK(wrong_order<true>(schedule, plan) == "");
      CHECK(wrong_merge_levels(plan) == "");
    }
  }
}

namespace {

double share_in_blocks(const Plan& plan, const Schedule& schedule) {
  return 1.0 -
         static_cast<double>(pair_rotations(plan)) / static_cast<double>(schedule.num_rotations());
}

double share_of(const Plan& plan, AngleMap angle_map) {
  std::int64_t rotations = 0;
  for (const Step& step : plan.steps) {
    if (step.angle_map == angle_map) rotations += step.count;
  }
  return static_cast<double>(rotations) / static_cast<double>(plan.rotations);
}

}  // namespace

// What makes plans fast: nothing else would notice a planner that fell back on pairs.
TEST_CASE("nearly all rotations are in blocks, with angles that are not listed one by one") {
  for (const std::int64_t n : {256, 257, 263}) {
    for (const Schedule& schedule : {Schedule::circle(n), Schedule::brickwall(n)}) {
      CAPTURE(schedule.repr());
      CHECK(share_in_blocks(givens::make_plan(schedule), schedule) > 0.85);
    }
    CHECK(share_in_blocks(givens::make_plan(Schedule::circle(n, n / 3)),
                          Schedule::circle(n, n / 3)) > 0.75);
    CHECK(pair_rotations(givens::make_plan(Schedule::xor_(n))) == 0);
  }
  CHECK(share_of(givens::make_plan(Schedule::xor_(256)), AngleMap::contiguous) == 1.0);
  for (const Schedule& schedule :
       {Schedule::circle(256), Schedule::circle(257), Schedule::brickwall(256)}) {
    CAPTURE(schedule.repr());
    CHECK(share_of(givens::make_plan(schedule), AngleMap::affine) > 0.7);
  }
}

// It is so for half of the rotation blocks of a super block; see plan/modular.cpp.
TEST_CASE("rotation blocks that follow one another share rows") {
  for (const Schedule& schedule : {Schedule::circle(512), Schedule::circle(509)}) {
    CAPTURE(schedule.repr());
    const Step* before = nullptr;
    std::int64_t blocks = 0;
    std::int64_t shared = 0;
    for (const Step& step : givens::plan_of(schedule).steps) {
      if (!is_rotation_block(step.pattern)) continue;
      if (before && (step.a == before->a || step.b == before->b)) ++shared;
      before = &step;
      ++blocks;
    }
    CHECK(blocks > 1500);
    CHECK(3 * shared > blocks);
  }
}

TEST_CASE("copies of a schedule share one plan") {
  const Schedule schedule = Schedule::xor_(20);
  const Schedule copy = schedule;
  Schedule assigned = Schedule::circle(3);
  assigned = copy;
  const Plan* plan = &givens::plan_of(schedule);
  CHECK(&givens::plan_of(schedule) == plan);
  CHECK(&givens::plan_of(copy) == plan);
  CHECK(&givens::plan_of(assigned) == plan);
  CHECK(plan->rotations == givens::make_plan(schedule).rotations);
  CHECK(wrong_order<false>(schedule, *plan) == "");
}

TEST_CASE("threads that ask for a plan at once get the same one, complete") {
  for (int repeat = 0; repeat < 10; ++repeat) {
    const Schedule schedule = repeat % 2 == 0 ? Schedule::xor_(40) : Schedule::circle(40);
    std::vector<const Plan*> plans(6, nullptr);
    std::vector<std::string> wrong(plans.size());
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < plans.size(); ++t) {
      threads.emplace_back([&plans, &wrong, &schedule, t] {
        const Schedule copy = schedule;
        plans[t] = &givens::plan_of(copy);
        wrong[t] = wrong_order<false>(copy, *plans[t]);
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(std::count(plans.begin(), plans.end(), plans.front()) == 6);
    CHECK(std::count(wrong.begin(), wrong.end(), "") == 6);
  }
}
