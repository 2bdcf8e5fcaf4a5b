// Plans of the CPU engine: whatever steps a plan cuts a schedule into, it must do the schedule's
// rotations, each once, in an order that gives the same product.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "givens/givens.hpp"
#include "plan/plan.hpp"
#include "problems.hpp"
#include "random.hpp"

namespace {

using givens::for_each_entry;
using givens::is_tile;
using givens::kGroup;
using givens::Level;
using givens::Pair;
using givens::Pattern;
using givens::Plan;
using givens::Schedule;
using givens::SlotPair;
using givens::source_of;
using givens::Sources;
using givens::Step;
using givens::Wave;
using test::Random;

// Around the groups of 8 rows and the powers of two.
constexpr std::int64_t kPlanSizes[] = {0,  1,  2,  3,  5,  7,  8,  9,   12,  15,  16,  17, 22,
                                       31, 32, 33, 45, 63, 64, 65, 100, 127, 128, 129, 257};

// The rotations that are in no tile or leaf.
std::int64_t pair_entries(const Plan& plan) {
  std::int64_t count = 0;
  for (const Step& step : plan.steps) {
    if (step.pattern == Pattern::pairs) count += step.count;
  }
  return count;
}

std::size_t at(std::int64_t k) { return static_cast<std::size_t>(k); }

// Every kind; those whose pairs depend on the columns with several, around the groups of 8.
std::vector<Schedule> planned_schedules(std::int64_t n, Random& random) {
  std::vector<std::int64_t> columns = {0,     1,         2,     7,     8,     9, n / 3,
                                       n / 2, n / 8 * 8, n - 8, n - 2, n - 1, n};
  std::sort(columns.begin(), columns.end());
  columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
  std::vector<Schedule> out = {Schedule::brickwall(n), Schedule::butterfly(n)};
  for (const std::int64_t m : columns) {
    if (m < 0 || m > n) continue;
    out.push_back(Schedule::circle(n, m));
    out.push_back(Schedule::xor_(n, m));
    out.push_back(Schedule::from_rounds(n, test::random_rounds(n, random), m));
    if (n > 65 && m != n / 3 && m != n - 8 && m != n) continue;
    for (const std::int64_t size : {1, 2, 3, 4, 8, 12, 16, 24, 32}) {
      out.push_back(Schedule::team(n, size, m));
    }
  }
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

// The number of Plan::sources that a step has.
std::int64_t sources_of(const Step& step) {
  switch (step.sources) {
    case Sources::each:
      return step.count;
    case Sources::runs:
      return step.count / (step.pattern == Pattern::xor_leaf ? 4 : 8);
    case Sources::affine:
      break;
  }
  return 0;
}

std::string wrong_step(const Schedule& schedule, const Plan& plan, const Step& step) {
  const bool tile = is_tile(step.pattern);
  const bool leaf = step.pattern == Pattern::xor_leaf;
  if (step.count < 1) return "an empty step";
  if (tile && step.count != 64) return "a tile that has not 64 entries";
  if (leaf && step.count != 28) return "a leaf that has not 28 entries";
  if (tile || leaf) {
    if (step.a < 0 || step.a + kGroup > plan.slots) return "group a is not in the slots";
    if (step.b < 0 || step.b + kGroup > plan.slots) return "group b is not in the slots";
    if (tile && std::abs(step.a - step.b) < kGroup) return "the groups of a tile overlap";
    if (step.pattern == Pattern::diamond_tile && step.b != step.a + kGroup) {
      return "the rows of a diamond do not follow one another";
    }
  } else {
    if (step.a < 0 || step.a + step.count > static_cast<std::int64_t>(plan.pair_slots.size())) {
      return "pairs beyond the pairs";
    }
    std::set<std::int32_t> slots;
    for (int e = 0; e < step.count; ++e) {
      const SlotPair& pair = plan.pair_slots[at(step.a + e)];
      if (!slots.insert(pair.i).second || !slots.insert(pair.j).second) {
        return "a step of pairs that are not disjoint";
      }
    }
  }
  const bool runs_allowed = leaf || step.pattern == Pattern::xor_tile;
  if (step.sources == Sources::runs && !runs_allowed) return "runs in a step of another pattern";
  if (step.sources == Sources::affine && (!tile || runs_allowed)) {
    return "affine angles in a step of another pattern";
  }
  if (step.source < 0 ||
      step.source + sources_of(step) > static_cast<std::int64_t>(plan.sources.size())) {
    if (step.sources != Sources::affine) return "angles beyond the sources";
  }
  // Neither an identity where a step of pairs, or of angles that are computed, can leave it out.
  const bool all_rotate = step.pattern == Pattern::pairs || step.sources != Sources::each;
  int rotations = 0;
  for (int e = 0; e < step.count; ++e) {
    const std::int32_t source = source_of(plan, step, e);
    if (source < (all_rotate ? 0 : -1) || source >= schedule.num_rotations()) {
      return "an entry without a valid angle";
    }
    rotations += source >= 0 ? 1 : 0;
  }
  return rotations > 0 ? "" : "a step without a rotation";
}

// Entries are numbered step after step.
std::string wrong_layout(const Schedule& schedule, const Plan& plan) {
  std::int64_t entries = 0;
  for (const Step& step : plan.steps) {
    if (step.entry != entries) return "entries are not numbered in the order of the steps";
    entries += step.count;
    const std::string wrong = wrong_step(schedule, plan, step);
    if (!wrong.empty()) return wrong;
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

// Waves cover the steps in order, and the ranges of a wave touch different slots.
std::string wrong_waves(const Plan& plan) {
  std::int64_t next = 0;
  for (const Wave& wave : plan.waves) {
    if (wave.first.size() < 2 || wave.first.front() != next) return "waves leave steps out";
    next = wave.first.back();
    std::vector<std::size_t> range_of(at(plan.slots), 0);
    for (std::size_t range = 1; range < wave.first.size(); ++range) {
      const std::int64_t end = wave.first[range];
      if (end < wave.first[range - 1]) return "ranges are out of order";
      if (end > static_cast<std::int64_t>(plan.steps.size())) return "more steps than there are";
      bool apart = true;
      for (std::int64_t k = wave.first[range - 1]; k < end; ++k) {
        for_each_entry<false>(plan, plan.steps[at(k)], [&](std::int32_t a, std::int32_t b, int) {
          for (const std::int32_t slot : {a, b}) {
            std::size_t& other = range_of[at(slot)];
            apart = apart && (other == 0 || other == range);
            other = range;
          }
        });
      }
      if (!apart) return "two ranges of a wave touch one slot";
    }
  }
  return next == static_cast<std::int64_t>(plan.steps.size()) ? "" : "waves leave steps out";
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
      const Plan plan = givens::make_plan(schedule);
      REQUIRE(wrong_slots(schedule, plan) == "");
      REQUIRE(wrong_layout(schedule, plan) == "");
      REQUIRE(wrong_pair_slots(plan) == "");
      CHECK(wrong_order<false>(schedule, plan) == "");
      CHECK(wrong_order<true>(schedule, plan) == "");
      CHECK(wrong_levels(plan) == "");
      CHECK(wrong_waves(plan) == "");
    }
  }
}

namespace {

double share_in_tiles(const Plan& plan, const Schedule& schedule) {
  return 1.0 -
         static_cast<double>(pair_entries(plan)) / static_cast<double>(schedule.num_rotations());
}

double share_of_sources(const Plan& plan, Sources sources) {
  std::int64_t entries = 0;
  for (const Step& step : plan.steps) {
    if (step.sources == sources) entries += step.count;
  }
  return static_cast<double>(entries) / static_cast<double>(plan.entries);
}

}  // namespace

// What makes plans fast, which a planner that fell back on pairs would lose unnoticed.
TEST_CASE("nearly all rotations are in tiles, with angles that are not listed one by one") {
  for (const std::int64_t n : {256, 257, 263}) {
    for (const Schedule& schedule : {Schedule::circle(n), Schedule::brickwall(n),
                                     Schedule::team(n, 8), Schedule::team(n, 32)}) {
      CAPTURE(schedule.repr());
      CHECK(share_in_tiles(givens::make_plan(schedule), schedule) > 0.85);
    }
    CHECK(share_in_tiles(givens::make_plan(Schedule::circle(n, n / 3)),
                         Schedule::circle(n, n / 3)) > 0.75);
    CHECK(pair_entries(givens::make_plan(Schedule::xor_(n))) == 0);
  }
  CHECK(share_of_sources(givens::make_plan(Schedule::xor_(256)), Sources::runs) == 1.0);
  for (const Schedule& schedule :
       {Schedule::circle(256), Schedule::circle(257), Schedule::brickwall(256)}) {
    CAPTURE(schedule.repr());
    CHECK(share_of_sources(givens::make_plan(schedule), Sources::affine) > 0.7);
  }
  // Of the tiles (alpha, beta) of a match of 4 + 4 groups, those of 4 are cut.
  CHECK(share_of_sources(givens::make_plan(Schedule::team(256, 32)), Sources::affine) > 0.5);
}

// Half of the tiles of a block; see plan_sums.cpp.
TEST_CASE("tiles that follow one another share rows") {
  for (const Schedule& schedule : {Schedule::circle(512), Schedule::circle(509)}) {
    CAPTURE(schedule.repr());
    const Step* before = nullptr;
    std::int64_t tiles = 0;
    std::int64_t shared = 0;
    for (const Step& step : givens::plan_of(schedule).steps) {
      if (!is_tile(step.pattern)) continue;
      if (before && (step.a == before->a || step.b == before->b)) ++shared;
      before = &step;
      ++tiles;
    }
    CHECK(tiles > 1500);
    CHECK(3 * shared > tiles);
  }
}

TEST_CASE("large plans come in waves of enough ranges") {
  const auto share_in_waves = [](const Plan& plan, std::size_t ranges) {
    std::int64_t steps = 0;
    for (const Wave& wave : plan.waves) {
      CHECK(wave.first.size() <= 17);
      if (wave.first.size() > ranges) steps += wave.first.back() - wave.first.front();
    }
    return static_cast<double>(steps) / static_cast<double>(plan.steps.size());
  };
  for (const Schedule& schedule :
       {Schedule::xor_(512), Schedule::xor_(1000), Schedule::team(512, 16)}) {
    CAPTURE(schedule.repr());
    const Plan plan = givens::make_plan(schedule);
    CHECK(share_in_waves(plan, 8) > 0.6);
    CHECK(share_in_waves(plan, 4) > 0.9);
  }
  CHECK(givens::make_plan(Schedule::xor_(64)).waves.size() == 1);
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
  CHECK(plan->entries == givens::make_plan(schedule).entries);
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
