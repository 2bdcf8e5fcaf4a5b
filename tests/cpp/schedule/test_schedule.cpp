#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <iterator>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "givens/schedule.hpp"
#include "problems.hpp"

namespace {

using givens::Pair;
using givens::Schedule;
using Requested = Schedule::RequestedPair;
using RequestedRounds = std::vector<std::vector<Requested>>;

std::string text(const std::vector<Pair>& round) {
  std::string out;
  for (const Pair& pair : round) out += std::to_string(pair.i) + std::to_string(pair.j) + " ";
  return out;
}

// All rounds as text: "01 23 | 02 13 | " for two rounds of two pairs. For n <= 10.
std::string text(const Schedule& schedule) {
  std::string out;
  for (std::int64_t r = 0; r < schedule.num_rounds(); ++r) out += text(schedule.round(r)) + "| ";
  return out;
}

RequestedRounds rounds_of(const Schedule& schedule) {
  RequestedRounds out(static_cast<std::size_t>(schedule.num_rounds()));
  for (std::size_t r = 0; r < out.size(); ++r) {
    for (const Pair& pair : schedule.round(static_cast<std::int64_t>(r))) {
      out[r].push_back({pair.i, pair.j});
    }
  }
  return out;
}

using Kind = Schedule::Kind;

// The kinds that have a rule: the last of all are the caller's own rounds.
std::vector<Schedule::KindInfo> kinds_with_a_rule() {
  std::vector<Schedule::KindInfo> out = Schedule::kinds();
  out.pop_back();
  return out;
}

// Every kind with a rule, in all `sizes` if it takes one; with `columns` only kinds that take them.
std::vector<Schedule> of_every_kind(std::int64_t n, const std::vector<std::int64_t>& sizes,
                                    std::optional<std::int64_t> columns = std::nullopt) {
  std::vector<Schedule> out;
  for (const auto& info : kinds_with_a_rule()) {
    if (columns && !info.takes_columns) continue;
    if (!info.takes_size) out.push_back(Schedule::from_kind(info.kind, n, {}, columns));
    for (const std::int64_t passes : {0, 2, 3}) {
      if (info.takes_passes) out.push_back(Schedule::from_kind(info.kind, n, {}, columns, passes));
    }
    for (const std::int64_t size : sizes) {
      if (info.takes_size) out.push_back(Schedule::from_kind(info.kind, n, size, columns));
    }
  }
  return out;
}

const std::vector<std::int64_t> kTeamSizes = {1, 2, 3, 4, 5, 8, 9, 12, 20, 30};

// In these every pair meets once, as in all kinds that can leave out columns.
// wavefront takes columns, but only neighbours meet in it.
bool has_all_pairs(const Schedule& schedule) { return schedule.kind() != Kind::wavefront; }

std::vector<Schedule> complete_schedules(std::int64_t n) {
  std::vector<Schedule> out;
  for (const Schedule& schedule : of_every_kind(n, kTeamSizes, n)) {
    if (has_all_pairs(schedule)) out.push_back(schedule);
  }
  return out;
}

void check_refused(const std::string& message, const std::function<void()>& make) {
  CAPTURE(message);
  CHECK_THROWS_WITH_AS(make(), message.c_str(), std::invalid_argument);
}

}  // namespace

TEST_CASE("kinds: the table has every factory under its name") {
  std::vector<std::string> names;
  for (const auto& info : Schedule::kinds()) names.emplace_back(info.name);
  CHECK(names == std::vector<std::string>{"circle", "xor", "team", "brickwall", "butterfly",
                                          "wavefront", "rounds"});
  CHECK(Schedule::from_kind(Kind::circle, 9, {}, 4) == Schedule::circle(9, 4));
  CHECK(Schedule::from_kind(Kind::xor_, 9, {}, 4) == Schedule::xor_(9, 4));
  CHECK(Schedule::from_kind(Kind::team, 9, 4, 3) == Schedule::team(9, 4, 3));
  CHECK(Schedule::from_kind(Kind::brickwall, 9) == Schedule::brickwall(9));
  CHECK(Schedule::from_kind(Kind::butterfly, 9) == Schedule::butterfly(9));
  CHECK(Schedule::from_kind(Kind::butterfly, 9, {}, {}, 3) == Schedule::butterfly(9, 3));
  CHECK(Schedule::from_kind(Kind::wavefront, 9, {}, 4) == Schedule::wavefront(9, 4));
  for (const auto& info : kinds_with_a_rule()) {
    const std::string name = info.name;
    CAPTURE(name);
    std::optional<std::int64_t> size;
    if (info.takes_size) size = 16;
    const Schedule schedule = Schedule::from_kind(info.kind, 64, size);
    CHECK(schedule.kind() == info.kind);
    CHECK(schedule.kind_name() == name);
    CHECK(schedule.team_size() == size.value_or(0));
    const std::string text = "Schedule." + name + (size ? "(64, 16" : "(64");
    CHECK(schedule.repr() == text + ")");
    CHECK(schedule.passes() == (info.takes_passes ? 1 : 0));
    const auto with_passes = [&] { return Schedule::from_kind(info.kind, 64, size, {}, 2); };
    if (info.takes_passes) {
      CHECK(with_passes().passes() == 2);
      CHECK(with_passes().repr() == text + ", passes=2)");
    } else {
      check_refused("passes must not be given for kind " + name, with_passes);
    }
    const auto with_columns = [&] { return Schedule::from_kind(info.kind, 64, size, 10); };
    if (info.takes_columns) {
      CHECK(with_columns().repr() == text + ", columns=10)");
    } else {
      check_refused("columns must not be given for kind " + name, with_columns);
    }
    const std::optional<std::int64_t> other_size =
        size ? std::nullopt : std::optional<std::int64_t>(16);
    check_refused(std::string("size must ") + (size ? "" : "not ") + "be given for kind " + name,
                  [&] { Schedule::from_kind(info.kind, 64, other_size); });
  }
  check_refused("kind must be one with a rule, got rounds",
                [] { Schedule::from_kind(Kind::rounds, 4); });

  const Schedule rounds = Schedule::from_rounds(4, {{{0, 1}}, {}});
  CHECK(rounds.kind() == Kind::rounds);
  CHECK(std::string(rounds.kind_name()) == "rounds");
  CHECK(rounds.repr() == "<Schedule of 2 rounds, 1 rotations, n=4>");
  CHECK(Schedule::from_rounds(4, {{{0, 1}}}, 1).repr() ==
        "<Schedule of 1 rounds, 1 rotations, n=4, columns=1>");
}

TEST_CASE("circle: rounds worked out by hand") {
  CHECK(text(Schedule::circle(2)) == "01 | ");
  CHECK(text(Schedule::circle(3)) == "02 | 01 | 12 | ");
  CHECK(text(Schedule::circle(4)) == "02 13 | 01 23 | 03 12 | ");
  CHECK(text(Schedule::circle(5)) == "04 12 | 03 24 | 02 13 | 01 34 | 14 23 | ");
  CHECK(text(Schedule::circle(6)) == "04 35 12 | 03 24 15 | 02 13 45 | 01 25 34 | 05 14 23 | ");
}

TEST_CASE("xor: rounds worked out by hand") {
  CHECK(text(Schedule::xor_(2)) == "01 | ");
  CHECK(text(Schedule::xor_(3)) == "01 | 02 | 12 | ");
  CHECK(text(Schedule::xor_(4)) == "01 23 | 02 13 | 03 12 | ");
  CHECK(text(Schedule::xor_(5)) == "01 23 | 02 13 | 03 12 | 04 | 14 | 24 | 34 | ");
  CHECK(text(Schedule::xor_(6)) == "01 23 45 | 02 13 | 03 12 | 04 15 | 05 14 | 24 35 | 25 34 | ");
}

TEST_CASE("team: rounds worked out by hand") {
  CHECK(text(Schedule::team(4, 2)) == "01 23 | 02 13 | 03 12 | ");
  // The teams {0 1} {2 3} {4 5}; an odd number of teams has a bye.
  CHECK(text(Schedule::team(6, 2)) ==
        "01 23 45 | 04 15 | 05 14 | 02 13 | 03 12 | 24 35 | 25 34 | ");
  // The teams {0 1 2} {3 4}, {0 1 2 3} {4 5} and {0 1 2 3} {4 5 6}: the last team plays the circle
  // of its own number of players.
  CHECK(text(Schedule::team(5, 3)) == "12 34 | 01 | 02 | 03 14 | 04 23 | 13 24 | ");
  CHECK(text(Schedule::team(6, 4)) ==
        "03 12 45 | 01 23 | 02 13 | 04 15 | 05 34 | 24 35 | 14 25 | ");
  CHECK(text(Schedule::team(7, 4)) ==
        "03 12 56 | 01 23 45 | 02 13 46 | 04 15 26 | 05 16 34 | 06 24 35 | 14 25 36 | ");
  CHECK(text(Schedule::team(3, 8)) == "12 | 01 | 02 | ");
  // A team of everyone has no matches: the circle's steps from first to last, where circle has last
  // to first. Teams of one have nobody within to meet: the circle itself.
  CHECK(text(Schedule::team(4, 4)) == "03 12 | 01 23 | 02 13 | ");
  CHECK(text(Schedule::team(4, 1)) == text(Schedule::circle(4)));
}

TEST_CASE("brickwall and butterfly: rounds worked out by hand") {
  CHECK(text(Schedule::brickwall(2)) == "01 | | ");
  CHECK(text(Schedule::brickwall(4)) == "01 23 | 12 | 01 23 | 12 | ");
  CHECK(text(Schedule::brickwall(5)) == "01 23 | 12 34 | 01 23 | 12 34 | 01 23 | ");
  CHECK(text(Schedule::butterfly(2)) == "01 | ");
  CHECK(text(Schedule::butterfly(4)) == "01 23 | 02 13 | ");
  CHECK(text(Schedule::butterfly(6)) == "01 23 45 | 02 13 | 04 15 | ");
  CHECK(text(Schedule::butterfly(3, 2)) == "01 | 02 | 01 | 02 | ");
  CHECK(text(Schedule::butterfly(4, 0)) == "");
}

TEST_CASE("wavefront: rounds worked out by hand") {
  CHECK(text(Schedule::wavefront(1)) == "");
  CHECK(text(Schedule::wavefront(2)) == "01 | ");
  CHECK(text(Schedule::wavefront(3)) == "12 | 01 | 12 | ");
  CHECK(text(Schedule::wavefront(4)) == "23 | 12 | 01 23 | 12 | 23 | ");
  CHECK(text(Schedule::wavefront(5, 1)) == "01 | 12 | 23 | 34 | ");
  CHECK(text(Schedule::wavefront(5, 2)) == "12 | 01 23 | 12 34 | 23 | 34 | ");
  CHECK(text(Schedule::wavefront(5, 0)) == "");
}

// The rule as design documents and papers state it, by steps of the elimination.
TEST_CASE("wavefront: step t holds (i, i + 1), i = n - 2 - t + 2 j, for columns j <= i <= n - 2") {
  for (std::int64_t n = 2; n <= 20; ++n) {
    for (std::int64_t m = 1; m <= n; ++m) {
      const Schedule schedule = Schedule::wavefront(n, m);
      const std::int64_t columns = std::min(m, n - 1);
      CAPTURE(schedule.repr());
      REQUIRE(schedule.num_rounds() == n + columns - 2);
      CHECK(schedule.num_rotations() == n * columns - columns * (columns + 1) / 2);
      for (std::int64_t t = 0; t < n + columns - 2; ++t) {
        std::vector<Pair> pairs;
        for (std::int64_t j = 0; j < columns; ++j) {
          const std::int64_t i = n - 2 - t + 2 * j;
          if (j <= i && i <= n - 2) {
            pairs.push_back({static_cast<std::int32_t>(i), static_cast<std::int32_t>(i + 1)});
          }
        }
        CHECK(schedule.round(n + columns - 3 - t) == pairs);
      }
    }
  }
}

TEST_CASE("blocks, sums and reversed: worked out by hand") {
  const Schedule s = Schedule::from_rounds(3, {{{0, 1}}, {}, {{1, 2}}});
  const Schedule b = Schedule::butterfly(4);
  CHECK(text(Schedule::blocks(s, 3)) == "01 34 67 | | 12 45 78 | ");
  CHECK(text(Schedule::blocks(b, 2)) == "01 23 45 67 | 02 13 46 57 | ");
  CHECK(Schedule::blocks(b, 1) == b);
  CHECK(Schedule::blocks(b, 0) == Schedule::from_rounds(0, {{}, {}}));
  CHECK(Schedule::blocks(Schedule::xor_(0), 1000000000000) == Schedule::xor_(0));
  CHECK(Schedule::blocks(s, 3).n() == 9);
  CHECK(Schedule::blocks(s, 3).columns() == 9);

  CHECK(text(s + Schedule::xor_(3)) == "01 | | 12 | 01 | 02 | 12 | ");
  CHECK(s + Schedule::from_rounds(3, {}) == s);
  CHECK(b + b + b == Schedule::butterfly(4, 3));
  CHECK_FALSE(s + Schedule::xor_(3) == Schedule::xor_(3) + s);

  CHECK(text(s.reversed()) == "12 | | 01 | ");
  CHECK(text(b.reversed()) == "13 02 | 23 01 | ");
  CHECK(Schedule::xor_(0).reversed() == Schedule::xor_(0));
  for (const Schedule& made : {Schedule::blocks(b, 2), b + b, b.reversed()}) {
    CHECK(made.kind() == Kind::rounds);
  }
}

TEST_CASE("blocks, sums and reversed: identities, and what the rounds say of a schedule") {
  for (const std::int64_t n : {0, 1, 2, 3, 5, 8, 13}) {
    for (const Schedule& a : of_every_kind(n, {3})) {
      CAPTURE(a.repr());
      CHECK(a.reversed().reversed() == a);
      CHECK(Schedule::blocks(Schedule::blocks(a, 2), 3) == Schedule::blocks(a, 6));
      CHECK(Schedule::blocks(a.reversed(), 1) == a.reversed());
      for (const Schedule& b : of_every_kind(n, {3})) {
        CHECK((a + b).reversed() == b.reversed() + a.reversed());
        CHECK((a + b).num_rounds() == a.num_rounds() + b.num_rounds());
        CHECK((a + b).num_rotations() == a.num_rotations() + b.num_rotations());
      }
      for (const Schedule& made : {a.reversed(), a + a, Schedule::blocks(a, 3)}) {
        const Schedule same = Schedule::from_rounds(made.n(), rounds_of(made));
        CHECK(made == same);
        CHECK(made.hash() == same.hash());
        CHECK(made.is_complete() == same.is_complete());
      }
    }
  }
}

TEST_CASE("blocks, sums and reversed: what is refused") {
  const std::string columns = "schedule must have all its columns to be composed, got ";
  const Schedule narrow = Schedule::xor_(4, 2);
  const Schedule s = Schedule::xor_(4);
  check_refused(columns + narrow.repr(), [&] { Schedule::blocks(narrow, 2); });
  check_refused(columns + narrow.repr(), [&] { s + narrow; });
  check_refused(columns + narrow.repr(), [&] { narrow + s; });
  check_refused(columns + narrow.repr(), [&] { narrow.reversed(); });
  check_refused(
      "schedules must have the same n to be added, got Schedule.xor(4) and "
      "Schedule.circle(5)",
      [&] { s + Schedule::circle(5); });
  check_refused("count must be at least 0, got -1", [&] { Schedule::blocks(s, -1); });
  // 6 rotations a block: 357913941 blocks are the most.
  for (const std::int64_t count : {std::int64_t{357913942}, std::int64_t{1} << 62}) {
    check_refused("a schedule must have fewer than 2^31 coordinates and rotations, got " +
                      std::to_string(count) + " blocks of Schedule.xor(4)",
                  [&] { Schedule::blocks(s, count); });
  }
}

TEST_CASE("columns: pairs of two later coordinates are dropped") {
  CHECK(text(Schedule::xor_(4, 2)) == "01 | 02 13 | 03 12 | ");
  CHECK(text(Schedule::circle(5, 1)) == "04 | 03 | 02 | 01 | | ");
  CHECK(text(Schedule::team(4, 2, 1)) == "01 | 02 | 03 | ");
  CHECK(text(Schedule::xor_(4, 3)) == text(Schedule::xor_(4)));
  CHECK(text(Schedule::xor_(4, 4)) == text(Schedule::xor_(4)));
  CHECK(text(Schedule::xor_(4, 0)) == "| | | ");
  CHECK(text(Schedule::from_rounds(4, {{{0, 1}, {2, 3}}, {{3, 2}, {1, 0}}}, 2)) == "01 | 01 | ");
}

TEST_CASE("circle, xor and team: every pair meets once, in disjoint rounds") {
  for (std::int64_t n = 0; n <= 33; ++n) {
    for (const Schedule& schedule : complete_schedules(n)) {
      CAPTURE(schedule.repr());
      std::set<std::pair<int, int>> met;
      bool disjoint = true;
      bool ordered = true;
      for (std::int64_t r = 0; r < schedule.num_rounds(); ++r) {
        std::set<int> busy;
        for (const Pair& pair : schedule.round(r)) {
          ordered = ordered && 0 <= pair.i && pair.i < pair.j && pair.j < n;
          disjoint = disjoint && busy.insert(pair.i).second && busy.insert(pair.j).second;
          met.insert({pair.i, pair.j});
        }
      }
      CHECK(disjoint);
      CHECK(ordered);
      CHECK(schedule.is_complete());
      CHECK(schedule.num_rotations() == n * (n - 1) / 2);
      CHECK(static_cast<std::int64_t>(met.size()) == n * (n - 1) / 2);
    }
  }
}

TEST_CASE("columns: as many rotations as the Stiefel manifold has dimensions") {
  for (const std::int64_t n : {1, 2, 3, 7, 8, 12}) {
    for (std::int64_t m = 0; m <= n; ++m) {
      for (const Schedule& schedule : of_every_kind(n, {3}, m)) {
        CAPTURE(schedule.repr());
        CHECK(schedule.columns() == m);
        CHECK(schedule.num_rotations() == n * m - m * (m + 1) / 2);
        CHECK(schedule.is_complete() == (m >= n - 1 && (n <= 2 || has_all_pairs(schedule))));
      }
    }
  }
}

TEST_CASE("n = 0 and n = 1 have no rotations") {
  for (const std::int64_t n : {0, 1}) {
    std::vector<Schedule> schedules = of_every_kind(n, {3});
    schedules.push_back(Schedule::from_rounds(n, {}));
    schedules.push_back(Schedule::from_rounds(n, {{}}));
    for (const Schedule& schedule : schedules) {
      CAPTURE(schedule.repr());
      CHECK(schedule.n() == n);
      CHECK(schedule.columns() == n);
      CHECK(schedule.num_rotations() == 0);
      CHECK(schedule.pairs().empty());
      CHECK(schedule.triangular_index().empty());
      CHECK(schedule.is_complete());
      CHECK(schedule.round_offsets().size() == static_cast<std::size_t>(schedule.num_rounds()) + 1);
    }
  }
}

TEST_CASE("num_rounds") {
  CHECK(Schedule::circle(0).num_rounds() == 0);
  CHECK(Schedule::circle(8).num_rounds() == 7);
  CHECK(Schedule::circle(9).num_rounds() == 9);
  CHECK(Schedule::xor_(1).num_rounds() == 0);
  CHECK(Schedule::xor_(8).num_rounds() == 7);
  CHECK(Schedule::xor_(9).num_rounds() == 15);
  CHECK(Schedule::team(8, 4).num_rounds() == 3 + 4);
  CHECK(Schedule::team(9, 4).num_rounds() == 3 + 3 * 4);
  CHECK(Schedule::team(9, 1).num_rounds() == 9);
  CHECK(Schedule::team(9, 16).num_rounds() == 9);
  CHECK(Schedule::brickwall(9).num_rounds() == 9);
  CHECK(Schedule::butterfly(8).num_rounds() == 3);
  CHECK(Schedule::butterfly(9).num_rounds() == 4);
  CHECK(Schedule::butterfly(9, 3).num_rounds() == 12);
  CHECK(Schedule::from_rounds(9, {{}, {{0, 1}}, {}}).num_rounds() == 3);
}

// The offsets come from closed forms, the rounds from the rules.
TEST_CASE("pairs and round_offsets agree with the rounds, whatever the columns") {
  test::Random random(2);
  for (std::int64_t n = 0; n <= 26; ++n) {
    std::vector<Schedule> schedules = of_every_kind(n, kTeamSizes);
    for (std::int64_t m = 0; m < n; ++m) {
      for (const Schedule& schedule : of_every_kind(n, kTeamSizes, m))
        schedules.push_back(schedule);
    }
    schedules.push_back(Schedule::from_rounds(n, test::random_rounds(n, random), n / 2));
    for (const Schedule& schedule : schedules) {
      CAPTURE(schedule.repr());
      std::vector<Pair> pairs;
      std::vector<std::int64_t> offsets{0};
      for (std::int64_t r = 0; r < schedule.num_rounds(); ++r) {
        for (const Pair& pair : schedule.round(r)) pairs.push_back(pair);
        offsets.push_back(static_cast<std::int64_t>(pairs.size()));
      }
      CHECK(schedule.pairs() == pairs);
      CHECK(schedule.round_offsets() == offsets);
      CHECK(schedule.num_rotations() == offsets.back());
    }
  }
}

TEST_CASE("is_complete: every pair exactly once") {
  CHECK_FALSE(Schedule::brickwall(3).is_complete());
  CHECK(Schedule::brickwall(2).is_complete());
  CHECK_FALSE(Schedule::butterfly(3).is_complete());
  CHECK_FALSE(Schedule::butterfly(4).is_complete());
  CHECK(Schedule::butterfly(2).is_complete());
  CHECK_FALSE(Schedule::butterfly(2, 2).is_complete());
  CHECK_FALSE(Schedule::butterfly(2, 0).is_complete());
  CHECK(Schedule::from_rounds(3, {{{2, 1}}, {{0, 1}}, {{0, 2}}}).is_complete());
  CHECK_FALSE(Schedule::from_rounds(3, {{{1, 2}}, {{0, 1}}}).is_complete());
  CHECK_FALSE(Schedule::from_rounds(3, {{{1, 2}}, {{0, 1}}, {{2, 1}}}).is_complete());
  CHECK_FALSE(Schedule::from_rounds(3, {{{1, 2}}, {{0, 1}}, {{0, 2}}, {{0, 2}}}).is_complete());
}

TEST_CASE("triangular_index") {
  using Numbers = std::vector<std::int64_t>;
  // n = 4: 01 02 03 12 13 23 have the numbers 0 .. 5.
  CHECK(Schedule::circle(4).triangular_index() == Numbers{1, 4, 0, 5, 2, 3});
  CHECK(Schedule::xor_(4).triangular_index() == Numbers{0, 5, 1, 4, 2, 3});
  CHECK(Schedule::xor_(4, 2).triangular_index() == Numbers{0, 1, 4, 2, 3});
  CHECK(Schedule::from_rounds(3, {{{2, 1}}, {{0, 2}}, {{1, 0}}}).triangular_index() ==
        Numbers{2, 1, 0});
  CHECK(Schedule::from_rounds(4, {{{1, 2}, {0, 3}}}, 0).triangular_index().empty());
}

TEST_CASE("triangular_index numbers each pair of a complete schedule once") {
  for (const std::int64_t n : test::kSizes) {
    for (const Schedule& schedule : complete_schedules(n)) {
      CAPTURE(schedule.repr());
      const auto index = schedule.triangular_index();
      const std::set<std::int64_t> distinct(index.begin(), index.end());
      CHECK(distinct.size() == index.size());
      if (n > 1) {
        CHECK(*distinct.begin() == 0);
        CHECK(*distinct.rbegin() == schedule.num_rotations() - 1);
      }
    }
  }
}

TEST_CASE("triangular_index is refused where pairs recur or lack") {
  const std::string needs =
      "the triangular order needs a schedule with each pair i < columns exactly once, got ";
  for (const Schedule& schedule : {Schedule::brickwall(3), Schedule::butterfly(4),
                                   Schedule::from_rounds(4, {{{0, 1}}, {{0, 2}}, {{0, 2}}}, 1)}) {
    check_refused(needs + schedule.repr(), [&] { schedule.triangular_index(); });
  }
}

TEST_CASE("from_rounds: refused rounds are named") {
  const auto refused = [](std::int64_t n, const RequestedRounds& rounds, const char* message,
                          std::optional<std::int64_t> columns = std::nullopt) {
    check_refused(message, [&] { Schedule::from_rounds(n, rounds, columns); });
  };
  refused(3, {{{0, 1}}, {{0, 3}}}, "rounds[1]: pair (0, 3) has a coordinate outside 0..2");
  refused(3, {{{-1, 1}}}, "rounds[0]: pair (-1, 1) has a coordinate outside 0..2");
  refused(3, {{{0, 4294967296}}}, "rounds[0]: pair (0, 4294967296) has a coordinate outside 0..2");
  refused(3, {{}, {}, {{1, 1}}}, "rounds[2]: pair (1, 1) has two equal coordinates");
  refused(4, {{{0, 1}, {2, 3}}, {{0, 2}, {3, 2}}},
          "rounds[1]: pairs (0, 2) and (3, 2) share coordinate 2");
  refused(4, {{{0, 1}, {1, 0}}}, "rounds[0]: pairs (0, 1) and (1, 0) share coordinate 1");
  // Even where columns would drop the pair.
  refused(4, {{{2, 3}, {3, 2}}}, "rounds[0]: pairs (2, 3) and (3, 2) share coordinate 3", 1);
}

TEST_CASE("from_rounds: pairs keep their order and become i < j") {
  const Schedule schedule = Schedule::from_rounds(6, {{{5, 0}, {1, 2}, {4, 3}}, {}, {{0, 5}}});
  CHECK(text(schedule) == "05 12 34 | | 05 | ");
}

TEST_CASE("limits") {
  const auto refused = [](auto&& make, const char* message) { check_refused(message, make); };
  const char* negative = "n must be at least 0, got -1";
  for (const auto& info : kinds_with_a_rule()) {
    const auto make = [&](std::int64_t n, std::optional<std::int64_t> columns = std::nullopt) {
      return Schedule::from_kind(
          info.kind, n, info.takes_size ? std::optional<std::int64_t>(2) : std::nullopt, columns);
    };
    refused([&] { make(-1); }, negative);
    refused([&] { make(2147483648); }, "n must be at most 2147483647, got 2147483648");
    CHECK_THROWS_AS(make(2147483647), std::invalid_argument);
    if (!info.takes_columns) continue;
    refused([&] { make(4, -1); }, "columns must be between 0 and n = 4, got -1");
    refused([&] { make(4, 5); }, "columns must be between 0 and n = 4, got 5");
  }
  refused([] { Schedule::from_rounds(-1, {}); }, negative);
  refused([] { Schedule::from_rounds(2147483648, {}); },
          "n must be at most 2147483647, got 2147483648");
  refused([] { Schedule::from_rounds(4, {}, 5); }, "columns must be between 0 and n = 4, got 5");

  refused([] { Schedule::team(4, 0); }, "size must be between 1 and 65536, got 0");
  refused([] { Schedule::team(4, 65537); }, "size must be between 1 and 65536, got 65537");

  // 65537 * 65536 / 2 rotations.
  refused(
      [] { Schedule::circle(65537); },
      "a schedule must have fewer than 2^31 rotations, n = 65537 asks for up to 65537 rounds of "
      "32768");
  CHECK_THROWS_AS(Schedule::team(2147483647, 65536), std::invalid_argument);
  refused([] { Schedule::butterfly(4, -1); }, "passes must be between 0 and 2147483647, got -1");
  refused([] { Schedule::butterfly(4, 2147483648); },
          "passes must be between 0 and 2147483647, got 2147483648");
  CHECK_THROWS_AS(Schedule::butterfly(2147483647, 2147483647), std::invalid_argument);
}

TEST_CASE("equal schedules are equal whatever made them, and have one hash") {
  const std::pair<Schedule, Schedule> equal[] = {
      {Schedule::circle(2), Schedule::xor_(2)},
      {Schedule::butterfly(2), Schedule::xor_(2)},
      {Schedule::wavefront(2), Schedule::xor_(2)},
      {Schedule::butterfly(1, 5), Schedule::butterfly(1)},
      {Schedule::from_rounds(5, rounds_of(Schedule::butterfly(5, 2))), Schedule::butterfly(5, 2)},
      {Schedule::from_rounds(5, rounds_of(Schedule::wavefront(5))), Schedule::wavefront(5)},
      {Schedule::team(4, 2), Schedule::xor_(4)},
      {Schedule::team(5, 1), Schedule::circle(5)},
      {Schedule::from_rounds(6, rounds_of(Schedule::circle(6))), Schedule::circle(6)},
      {Schedule::from_rounds(7, rounds_of(Schedule::team(7, 3))), Schedule::team(7, 3)},
      {Schedule::from_rounds(5, rounds_of(Schedule::brickwall(5))), Schedule::brickwall(5)},
      {Schedule::from_rounds(6, rounds_of(Schedule::xor_(6)), 2), Schedule::xor_(6, 2)},
      {Schedule::from_rounds(0, {}), Schedule::xor_(0)},
      {Schedule::circle(4), Schedule::circle(4)},
  };
  for (const auto& both : equal) {
    const Schedule& a = both.first;
    const Schedule& b = both.second;
    CAPTURE(a.repr());
    CAPTURE(b.repr());
    CHECK(a == b);
    CHECK(b == a);
    CHECK_FALSE(a != b);
    CHECK(a.hash() == b.hash());
    CHECK(std::hash<Schedule>{}(a) == a.hash());
  }
}

TEST_CASE("schedules that differ anywhere are not equal") {
  const Schedule different[] = {
      Schedule::xor_(4),
      Schedule::circle(4),
      Schedule::xor_(4, 3),  // the same pairs, but fewer columns of U
      Schedule::xor_(4, 2),
      Schedule::xor_(5),
      Schedule::team(4, 4),
      Schedule::team(8, 2),  // as many pairs in every round as the next
      Schedule::team(8, 4),
      Schedule::brickwall(4),
      Schedule::butterfly(4),
      Schedule::butterfly(4, 2),
      Schedule::butterfly(4, 3),
      Schedule::wavefront(4),
      Schedule::wavefront(4, 3),
      Schedule::wavefront(4, 1),
      Schedule::from_rounds(4, {{{2, 3}, {0, 1}}, {{0, 2}, {1, 3}}, {{0, 3}, {1, 2}}}),
      Schedule::from_rounds(4, {{{0, 1}, {2, 3}}, {{1, 3}, {0, 2}}, {{0, 3}, {1, 2}}}),
      Schedule::from_rounds(4, {{{0, 1}, {2, 3}}, {}, {{0, 2}, {1, 3}}, {{0, 3}, {1, 2}}}),
      Schedule::from_rounds(4, {}),
      Schedule::from_rounds(4, {{}}),
      Schedule::from_rounds(5, {}),
  };
  std::unordered_set<Schedule> set;
  for (const Schedule& a : different) {
    for (const Schedule& b : different) {
      CAPTURE(a.repr());
      CAPTURE(b.repr());
      CHECK((a == b) == (&a == &b));
      CHECK((a != b) == (&a != &b));
    }
    CHECK(set.insert(a).second);
  }
  CHECK(set.size() == std::size(different));
}
