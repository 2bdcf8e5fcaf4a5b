// Plans of the CPU engine: whatever steps a plan cuts a schedule into, it must do the schedule's
// rotations, each once, in an order that gives the same product.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "cpu/plan.hpp"
#include "givens/givens.hpp"
#include "problems.hpp"
#include "random.hpp"

namespace {

using givens::Pair;
using givens::Schedule;
using givens::cpu::for_each_entry;
using givens::cpu::kGroup;
using givens::cpu::Level;
using givens::cpu::Pattern;
using givens::cpu::Plan;
using givens::cpu::SlotPair;
using givens::cpu::source_of;
using givens::cpu::Step;
using test::Random;

// Around the groups of 8 rows and the powers of two.
constexpr std::int64_t kPlanSizes[] = {0,  1,  2,  3,  7,  8,  9,   15,  16, 17,
                                       31, 32, 33, 63, 64, 65, 100, 129, 257};

std::size_t at(std::int64_t k) { return static_cast<std::size_t>(k); }

// Every kind; those whose pairs depend on the columns with several, around the groups of 8.
std::vector<Schedule> planned_schedules(std::int64_t n, Random& random) {
  std::vector<std::int64_t> columns = {0, 1, 7, 8, 9, n / 3, n / 2, n / 8 * 8, n - 8, n - 1, n};
  std::sort(columns.begin(), columns.end());
  columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
  std::vector<Schedule> out = {Schedule::brickwall(n), Schedule::butterfly(n)};
  for (const std::int64_t m : columns) {
    if (m < 0 || m > n) continue;
    out.push_back(Schedule::circle(n, m));
    out.push_back(Schedule::xor_(n, m));
    out.push_back(Schedule::team(n, 4, m));
    out.push_back(Schedule::from_rounds(n, test::random_rounds(n, random), m));
  }
  for (const std::int64_t size : {1, 3, 8, 16}) out.push_back(Schedule::team(n, size));
  return out;
}

// What is wrong with a plan, in words; empty if nothing is. Not an assertion for every entry: there
// are millions.

std::string wrong_slots(const Schedule& schedule, const Plan& plan) {
  if (plan.slots % kGroup != 0) return "slots are not in full groups";
  if (static_cast<std::int64_t>(plan.coordinate_of_slot.size()) != plan.slots) {
    return "not every slot has a coordinate or is padding";
  }
  std::vector<int> times(at(schedule.n()), 0);
  for (const std::int32_t coordinate : plan.coordinate_of_slot) {
    if (coordinate == -1) continue;
    if (coordinate < 0 || coordinate >= schedule.n()) return "a slot of no coordinate";
    ++times[at(coordinate)];
  }
  const bool once = std::all_of(times.begin(), times.end(), [](int count) { return count == 1; });
  return once ? "" : "a coordinate without a slot, or with two";
}

// Entries and angles are laid out one step after the other, within their arrays.
std::string wrong_layout(const Schedule& schedule, const Plan& plan) {
  std::int64_t entries = 0;
  for (const Step& step : plan.steps) {
    if (step.entry != entries) return "entries are not numbered in the order of the steps";
    entries += step.count;
    const bool leaf = step.pattern == Pattern::xor_leaf;
    const bool tile = step.pattern == Pattern::xor_tile || step.pattern == Pattern::sum_tile;
    if (leaf && step.count != 28) return "a leaf that has not 28 entries";
    if (tile && step.count != 64) return "a tile that has not 64 entries";
    if (step.count < 1) return "an empty step";
    const std::int64_t sources = !step.runs ? step.count : leaf ? 7 : 8;
    if (step.runs && !leaf && !tile) return "runs in a step of pairs";
    if (step.source < 0 || step.source + sources > static_cast<std::int64_t>(plan.sources.size())) {
      return "angles beyond the sources";
    }
    for (int e = 0; e < step.count; ++e) {
      const std::int32_t source = source_of(plan, step, e);
      if (source < (step.runs ? 0 : -1) || source >= schedule.num_rotations()) {
        return "an entry without a valid angle";
      }
    }
  }
  return entries == plan.entries ? "" : "the number of entries is wrong";
}

// Each rotation once, on the slots of its pair; and those of one coordinate, the only ones that do
// not commute, in the schedule's order, or in its reverse.
template <bool Undo>
std::string wrong_order(const Schedule& schedule, const Plan& plan) {
  const std::vector<Pair> pairs = schedule.pairs();
  const auto rotations = static_cast<std::int32_t>(pairs.size());
  std::vector<char> done(pairs.size(), 0);
  std::vector<std::int32_t> last(at(schedule.n()), Undo ? rotations : -1);
  std::string wrong;
  for (std::size_t k = 0; k < plan.steps.size() && wrong.empty(); ++k) {
    const Step& step = plan.steps[Undo ? plan.steps.size() - 1 - k : k];
    std::vector<int> visited(at(step.count), 0);
    for_each_entry<Undo>(plan, step, [&](std::int32_t a, std::int32_t b, int e) {
      if (a < 0 || b < 0 || a >= plan.slots || b >= plan.slots || a == b) {
        wrong = "a rotation outside the slots";
        return;
      }
      if (e < 0 || e >= step.count) {
        wrong = "an entry outside the step";
        return;
      }
      ++visited[at(e)];
      const std::int32_t source = source_of(plan, step, e);
      if (source < 0) return;
      const std::int32_t x = plan.coordinate_of_slot[at(a)];
      const std::int32_t y = plan.coordinate_of_slot[at(b)];
      const Pair pair = pairs[at(source)];
      if (std::min(x, y) != pair.i || std::max(x, y) != pair.j) {
        wrong = "a rotation on the wrong slots";
        return;
      }
      if (done[at(source)]++ != 0) wrong = "a rotation done twice";
      for (const std::int32_t coordinate : {x, y}) {
        std::int32_t& before = last[at(coordinate)];
        if (Undo ? source >= before : source <= before) wrong = "rotations in the wrong order";
        before = source;
      }
    });
    for (const int count : visited) {
      if (count != 1 && wrong.empty()) wrong = "an entry that is not visited once";
    }
  }
  for (const char count : done) {
    if (count != 1 && wrong.empty()) wrong = "a rotation is missing";
  }
  return wrong;
}

// Levels cover the steps in order, and the steps of a block stay inside it: by induction the matrix
// is block-diagonal after each level.
std::string wrong_levels(const Plan& plan) {
  std::int64_t next = 0;
  std::int64_t smaller = 1;
  for (const Level& level : plan.levels) {
    if (level.block < smaller || level.block % smaller != 0) return "blocks do not nest";
    smaller = level.block;
    if (level.first.empty() || level.first.front() != next) return "levels leave steps out";
    if (!std::is_sorted(level.first.begin(), level.first.end())) return "blocks are out of order";
    next = level.first.back();
    if (next > static_cast<std::int64_t>(plan.steps.size())) return "more steps than there are";
    const auto blocks = static_cast<std::int64_t>(level.first.size()) - 1;
    if (blocks * level.block < plan.slots) return "slots in no block";
    for (std::int64_t q = 0; q < blocks; ++q) {
      bool inside = true;
      for (std::int64_t k = level.first[at(q)]; k < level.first[at(q + 1)]; ++k) {
        for_each_entry<false>(plan, plan.steps[at(k)], [&](std::int32_t a, std::int32_t b, int) {
          inside = inside && a / level.block == q && b / level.block == q;
        });
      }
      if (!inside) return "a step leaves its block";
    }
  }
  if (next != static_cast<std::int64_t>(plan.steps.size())) return "levels leave steps out";
  return smaller >= plan.slots ? "" : "the last level does not reach all slots";
}

std::string wrong_pair_slots(const Plan& plan) {
  for (const SlotPair& pair : plan.pair_slots) {
    if (pair.i < 0 || pair.j < 0 || pair.i >= plan.slots || pair.j >= plan.slots) {
      return "a pair outside the slots";
    }
    if (plan.coordinate_of_slot[at(pair.i)] >= plan.coordinate_of_slot[at(pair.j)]) {
      return "a pair whose larger coordinate comes first";
    }
  }
  return "";
}

}  // namespace

TEST_CASE("a plan does the rotations of its schedule, each once, in an order that is right") {
  Random random(51);
  for (const std::int64_t n : kPlanSizes) {
    for (const Schedule& schedule : planned_schedules(n, random)) {
      CAPTURE(schedule.repr());
      const Plan plan = givens::cpu::make_plan(schedule);
      REQUIRE(wrong_slots(schedule, plan) == "");
      REQUIRE(wrong_layout(schedule, plan) == "");
      REQUIRE(wrong_pair_slots(plan) == "");
      CHECK(wrong_order<false>(schedule, plan) == "");
      CHECK(wrong_order<true>(schedule, plan) == "");
      CHECK(wrong_levels(plan) == "");
    }
  }
}

TEST_CASE("copies of a schedule share one plan") {
  const Schedule schedule = Schedule::xor_(20);
  const Schedule copy = schedule;
  Schedule assigned = Schedule::circle(3);
  assigned = copy;
  const Plan* plan = &givens::cpu::plan_of(schedule);
  CHECK(&givens::cpu::plan_of(schedule) == plan);
  CHECK(&givens::cpu::plan_of(copy) == plan);
  CHECK(&givens::cpu::plan_of(assigned) == plan);
  CHECK(plan->entries == givens::cpu::make_plan(schedule).entries);
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
        plans[t] = &givens::cpu::plan_of(copy);
        wrong[t] = wrong_order<false>(copy, *plans[t]);
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(std::count(plans.begin(), plans.end(), plans.front()) == 6);
    CHECK(std::count(wrong.begin(), wrong.end(), "") == 6);
  }
}
