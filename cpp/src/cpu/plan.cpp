#include "plan.hpp"

#include <algorithm>

namespace givens::cpu {

namespace {

std::int64_t groups_of(std::int64_t rows) { return (rows + kGroup - 1) / kGroup; }

std::int32_t narrow(std::int64_t value) { return static_cast<std::int32_t>(value); }

std::size_t at(std::int64_t value) { return static_cast<std::size_t>(value); }

void add_step(Plan& plan, Pattern pattern, bool runs, std::int64_t a, std::int64_t b,
              std::int64_t count, std::int64_t sources) {
  plan.steps.push_back({pattern, runs ? Sources::runs : Sources::each, narrow(a), narrow(b),
                        narrow(count), plan.entries,
                        static_cast<std::int64_t>(plan.sources.size())});
  plan.entries += count;
  plan.sources.resize(plan.sources.size() + at(sources), -1);
}

void close_block(const Plan& plan, Level& level) {
  level.first.push_back(static_cast<std::int64_t>(plan.steps.size()));
}

// xor: slots are coordinates. After rounds 1 .. 2^k - 1 the matrix is block-diagonal with blocks of
// 2^k: the leaves are blocks of 8, and level h = 1, 2, 4, .. joins blocks of 8 h by tiles (a, a ^
// h), in an order that returns to a group soon after it was left, so that it is still in cache.
class XorPlanner {
 public:
  explicit XorPlanner(const Schedule& schedule)
      : schedule_(schedule),
        n_(schedule.n()),
        // Pairs have i < last_i: those with both coordinates beyond the columns are dropped.
        last_i_(schedule.columns()),
        groups_(groups_of(n_)) {
    plan_.slots = groups_ * kGroup;
    for (std::int64_t k = 0; k < plan_.slots; ++k) {
      plan_.coordinate_of_slot.push_back(narrow(k < n_ ? k : -1));
    }
  }

  Plan run() {
    step_of_.assign(at(groups_ * groups_), -1);
    Level leaves{kGroup, {0}};
    for (std::int64_t a = 0; a < groups_; ++a) {
      if (a * kGroup < last_i_) {
        remember(a, a);
        const bool runs = regular(a, a);
        add_step(plan_, Pattern::xor_leaf, runs, a * kGroup, a * kGroup, 28, runs ? 7 : 28);
      }
      close_block(plan_, leaves);
    }
    plan_.levels.push_back(std::move(leaves));
    for (std::int64_t h = 1; h < groups_; h *= 2) {
      Level level{2 * h * kGroup, {static_cast<std::int64_t>(plan_.steps.size())}};
      for (std::int64_t a = 0; a < groups_; a += 2 * h) {
        join(a, a + h, h);
        close_block(plan_, level);
      }
      plan_.levels.push_back(std::move(level));
    }
    assign_sources();
    return std::move(plan_);
  }

 private:
  // Whether all pairs between the groups exist.
  bool regular(std::int64_t a, std::int64_t b) const {
    return (a + 1) * kGroup <= last_i_ && (b + 1) * kGroup <= n_;
  }

  void remember(std::int64_t a, std::int64_t b) {
    step_of_[at(a * groups_ + b)] = static_cast<std::int64_t>(plan_.steps.size());
  }

  // The tiles between groups a .. a + h - 1 and b .. b + h - 1.
  void join(std::int64_t a, std::int64_t b, std::int64_t h) {
    if (b >= groups_ || a * kGroup >= last_i_) return;
    if (h == 1) {
      remember(a, b);
      const bool runs = regular(a, b);
      add_step(plan_, Pattern::xor_tile, runs, a * kGroup, b * kGroup, 64, runs ? 8 : 64);
      return;
    }
    h /= 2;
    join(a, b, h);
    join(a + h, b + h, h);
    join(a, b + h, h);
    join(a + h, b, h);
  }

  // Walks the rounds in the order of the angles.
  void assign_sources() {
    for (std::int64_t r = 1; r <= schedule_.num_rounds(); ++r) {
      std::int64_t angle = schedule_.round_offsets()[at(r - 1)];
      const std::int64_t h = r / kGroup;
      const std::int64_t s = r % kGroup;
      for (std::int64_t a = 0; a < groups_; ++a) {
        const std::int64_t b = a ^ h;
        if (b < a || b >= groups_) continue;
        const std::int64_t index = step_of_[at(a * groups_ + b)];
        if (index < 0) continue;
        const Step& step = plan_.steps[at(index)];
        const std::int64_t per_round = h == 0 ? kGroup / 2 : kGroup;
        std::int32_t* source = plan_.sources.data() + step.source;
        const std::int64_t round_in_step = h == 0 ? s - 1 : s;
        if (step.sources == Sources::runs) {
          source[round_in_step] = narrow(angle);
          angle += per_round;
          continue;
        }
        std::int64_t entry = round_in_step * per_round;
        for (std::int64_t k = 0; k < kGroup; ++k) {
          const std::int64_t i = a * kGroup + k;
          const std::int64_t j = i ^ r;
          if (j < i) continue;
          if (i < last_i_ && j < n_) source[entry] = narrow(angle++);
          ++entry;
        }
      }
    }
  }

  const Schedule& schedule_;
  const std::int64_t n_;
  const std::int64_t last_i_;
  const std::int64_t groups_;
  std::vector<std::int64_t> step_of_;
  Plan plan_;
};

// One level over all slots, for plans that know no block structure.
void add_single_level(Plan& plan) {
  plan.levels.push_back(
      {std::max<std::int64_t>(plan.slots, 1), {0, static_cast<std::int64_t>(plan.steps.size())}});
}

void add_pair(Plan& plan, std::int64_t slot_i, std::int64_t slot_j, std::int64_t angle) {
  plan.pair_slots.push_back({narrow(slot_i), narrow(slot_j)});
  plan.sources.push_back(narrow(angle));
}

// Ends a step of pairs that were added since `first_pair`.
void add_pairs_step(Plan& plan, std::size_t first_pair) {
  const auto count = static_cast<std::int64_t>(plan.pair_slots.size() - first_pair);
  if (count == 0) return;
  plan.steps.push_back({Pattern::pairs, Sources::each, narrow(static_cast<std::int64_t>(first_pair)),
                        0, narrow(count), plan.entries,
                        static_cast<std::int64_t>(plan.sources.size()) - count});
  plan.entries += count;
  plan.pair_entries += count;
}

// circle: with M = N - 1 and the fixed player aside, coordinate x has the label z, x = -1 - 2 z mod
// M (M for 0), in which round r pairs the labels with z_i + z_j = r mod M. Between two groups of 8
// labels whose sums do not pass M, the rotations then run in order of the sum: a tile. It is placed
// at the time of its middle: in a group, row k is in the tile for the rounds t + k .. t + k + 7,
// whatever k, so that t + 7 is after all that comes before the tile in any of its rows and before
// all that comes after. What is not in a full tile is done round by round.
class CirclePlanner {
 public:
  explicit CirclePlanner(const Schedule& schedule)
      : schedule_(schedule), n_(schedule.n()), rounds_(schedule.num_rounds()) {
    plan_.slots = groups_of(rounds_ + 1) * kGroup;
    plan_.coordinate_of_slot.assign(at(plan_.slots), -1);
    slot_of_.resize(at(n_));
    for (std::int64_t z = 0; z < rounds_; ++z) {
      const std::int64_t x = (2 * rounds_ - 1 - 2 * z) % rounds_;
      place(x == 0 ? rounds_ : x, z);
    }
    place(0, rounds_);  // the fixed player
  }

  Plan run() {
    const std::int64_t groups = rounds_ / kGroup;  // full groups of labels
    // Tiles by the round at which they are placed.
    struct Tile {
      std::int64_t a, b;
    };
    std::vector<std::vector<Tile>> tiles(at(rounds_));
    tile_of_.assign(at(groups * groups), -1);
    for (std::int64_t a = 0; a < groups; ++a) {
      for (std::int64_t b = a + 1; b < groups; ++b) {
        const std::int64_t first = kGroup * (a + b);
        const bool late = first + 2 * (kGroup - 1) < rounds_;
        const bool early = first >= rounds_;
        if ((late || early) && all_pairs_exist(a) && all_pairs_exist(b)) {
          tiles[at((late ? first : first - rounds_) + kGroup - 1)].push_back({a, b});
        }
      }
    }
    // In which tile a pair is must be known before the rounds are walked.
    for (const auto& at_round : tiles) {
      for (const Tile& tile : at_round) tile_of_[at(tile.a * groups + tile.b)] = 0;
    }
    // Lay out tiles and loose pairs in order of rounds.
    for (std::int64_t r = 0; r < rounds_; ++r) {
      for (const Tile& tile : tiles[at(r)]) {
        tile_of_[at(tile.a * groups + tile.b)] = static_cast<std::int64_t>(plan_.steps.size());
        add_step(plan_, Pattern::sum_tile, false, tile.a * kGroup, tile.b * kGroup, 64, 64);
      }
      const std::size_t first_pair = plan_.pair_slots.size();
      walk_round(r, groups,
                 [&](std::int64_t i, std::int64_t j, std::int64_t angle, std::int64_t tile) {
                   if (tile < 0) add_pair(plan_, i, j, angle);
                 });
      add_pairs_step(plan_, first_pair);
    }
    for (std::int64_t r = 0; r < rounds_; ++r) {
      walk_round(
          r, groups, [&](std::int64_t i, std::int64_t j, std::int64_t angle, std::int64_t tile) {
            if (tile < 0) return;
            const std::int64_t k = std::min(i, j) % kGroup;
            const std::int64_t l = std::max(i, j) % kGroup;
            plan_.sources[at(plan_.steps[at(tile)].source + kGroup * ((k + l) % kGroup) + k)] =
                narrow(angle);
          });
    }
    add_single_level(plan_);
    return std::move(plan_);
  }

 private:
  void place(std::int64_t coordinate, std::int64_t slot) {
    if (coordinate >= n_) return;  // the dummy
    plan_.coordinate_of_slot[at(slot)] = narrow(coordinate);
    slot_of_[at(coordinate)] = slot;
  }

  bool all_pairs_exist(std::int64_t group) const {
    for (std::int64_t k = 0; k < kGroup; ++k) {
      const std::int32_t x = plan_.coordinate_of_slot[at(group * kGroup + k)];
      if (x < 0 || x >= schedule_.columns()) return false;
    }
    return true;
  }

  // Calls visit(slot of i, slot of j, angle, tile) for the pairs of a round; tile is -1 for a loose
  // pair.
  template <class Visit>
  void walk_round(std::int64_t r, std::int64_t groups, Visit&& visit) {
    std::int64_t angle = schedule_.round_offsets()[at(r)];
    for (const Pair& pair : schedule_.round(r)) {
      const std::int64_t i = slot_of_[at(pair.i)];
      const std::int64_t j = slot_of_[at(pair.j)];
      const std::int64_t a = std::min(i, j) / kGroup;
      const std::int64_t b = std::max(i, j) / kGroup;
      visit(i, j, angle++, b < groups ? tile_of_[at(a * groups + b)] : -1);
    }
  }

  const Schedule& schedule_;
  const std::int64_t n_;
  const std::int64_t rounds_;
  std::vector<std::int64_t> slot_of_;
  std::vector<std::int64_t> tile_of_;
  Plan plan_;
};

// Any schedule: round by round.
Plan plan_by_rounds(const Schedule& schedule) {
  Plan plan;
  plan.slots = groups_of(schedule.n()) * kGroup;
  for (std::int64_t k = 0; k < plan.slots; ++k) {
    plan.coordinate_of_slot.push_back(narrow(k < schedule.n() ? k : -1));
  }
  std::int64_t angle = 0;
  for (std::int64_t r = 0; r < schedule.num_rounds(); ++r) {
    const std::size_t first_pair = plan.pair_slots.size();
    for (const Pair& pair : schedule.round(r)) add_pair(plan, pair.i, pair.j, angle++);
    add_pairs_step(plan, first_pair);
  }
  add_single_level(plan);
  return plan;
}

}  // namespace

Plan make_plan_(const Schedule& schedule) {
  switch (schedule.kind()) {
    case Schedule::Kind::xor_:
      return XorPlanner(schedule).run();
    case Schedule::Kind::circle:
      return CirclePlanner(schedule).run();
    default:
      return plan_by_rounds(schedule);
  }
}

Plan make_plan(const Schedule& schedule) {
  Plan plan = make_plan_(schedule);
  plan.waves.push_back({{0, static_cast<std::int64_t>(plan.steps.size())}});
  return plan;
}

}  // namespace givens::cpu
