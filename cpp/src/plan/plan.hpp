// How the CPU engine walks a schedule: in steps that keep a block of rows in registers.
#pragma once

#include <cstdint>
#include <vector>

#include "givens/schedule.hpp"
#include "plan/pattern.hpp"

namespace givens {

// How a step names the angles of its entries. -1 stands for no rotation: an entry that does
// nothing.
enum class Sources : std::uint8_t {
  // An angle, or -1, for every entry, from Plan::sources[source] on.
  each,
  // Of xor tiles and leaves: Plan::sources has the first angle of each row of 8 entries (of 4 in a
  // leaf); the others follow it.
  runs,
  // Of other tiles: rotation (k, l) has the angle source + k * step_k + l * step_l.
  affine,
};

// first .. last - 1, of steps or of slots.
struct Range {
  std::int64_t first;
  std::int64_t last;
};

struct Step {
  Pattern pattern;
  Sources sources;
  std::int32_t a;       // first slot of group a; pairs: index of the first pair in Plan::pair_slots
  std::int32_t b;       // first slot of group b; diamond_tile: a + 8
  std::int32_t count;   // entries: 64 of a tile, 28 of a leaf, the number of pairs
  std::int64_t entry;   // the number of entries before this step
  std::int64_t source;  // see Sources
  std::int32_t step_k = 0;
  std::int32_t step_l = 0;
};

// Steps that take the matrix from block-diagonal with smaller blocks to block-diagonal with blocks
// of `block` slots. Steps of block q are first[q] .. first[q + 1] - 1.
struct Level {
  std::int64_t block;
  std::vector<std::int64_t> first;
};

// Ranges of steps, first[q] .. first[q + 1] - 1, that touch different slots, so that they may be
// prepared at once.
struct Wave {
  std::vector<std::int64_t> first;
};

// Two slots, the one of the smaller coordinate first.
struct SlotPair {
  std::int32_t i;
  std::int32_t j;
};

// Immutable; made once for a schedule. A slot is a row of the engine's panels: coordinates may be
// reordered, and slots are padded to full groups.
struct Plan {
  std::int64_t slots = 0;
  std::vector<std::int32_t> coordinate_of_slot;  // -1: padding
  std::vector<std::int32_t> slot_of_coordinate;
  std::vector<Step> steps;
  std::vector<std::int32_t> sources;  // indices of angles; -1: no rotation
  std::vector<SlotPair> pair_slots;
  std::vector<Level> levels;  // in order; they cover all steps
  std::vector<Wave> waves;    // in order; they cover all steps
  std::int64_t entries = 0;
  // Whether slots next to each other have coordinates two apart. Then panels of U's columns have
  // those of even number before those of odd number, so that they reach fewer rows; see Reach.
  bool columns_by_parity = false;
};

Plan make_plan(const Schedule& schedule);

// The plan of a schedule, made at the first call for it (or a copy of it). Safe from many threads.
const Plan& plan_of(const Schedule& schedule);

// The entries of some steps that follow one another.
inline std::int64_t entries_of(const Plan& plan, Range steps) {
  if (steps.first == steps.last) return 0;
  const Step& last = plan.steps[static_cast<std::size_t>(steps.last - 1)];
  return last.entry + last.count - plan.steps[static_cast<std::size_t>(steps.first)].entry;
}

// The angles of a tile whose sources are affine, by row of eight entries and lane: as tile_index
// has them, without its divisions. Times `stride`: where they are among the caller's.
struct AffineAngles {
  AffineAngles(const Step& step, std::int64_t stride)
      : first(stride * step.source), step_k(stride * step.step_k), step_l(stride * step.step_l) {
    if (step.pattern == Pattern::difference_tile) {
      first += (kGroup - 1) * step_k;
      step_k = -step_k;
    }
  }
  std::int64_t at(int row, int lane) const {
    return first + lane * step_k + ((row - lane) & (kGroup - 1)) * step_l;
  }

  std::int64_t first;  // of k = 0, or of the last k where lanes go the other way
  std::int64_t step_k;
  std::int64_t step_l;
};

// The angle of an entry of a step, or -1.
inline std::int32_t source_of(const Plan& plan, const Step& step, int entry) {
  if (step.sources == Sources::affine) {
    const TileIndex at = tile_index(step.pattern, entry);
    return static_cast<std::int32_t>(step.source) + at.k * step.step_k + at.l * step.step_l;
  }
  const std::int32_t* source = plan.sources.data() + step.source;
  if (step.sources == Sources::each) return source[entry];
  const int run = step.pattern == Pattern::xor_leaf ? 4 : 8;
  return source[entry / run] + entry % run;
}

// Calls visit(slot, other slot, entry) for the rotations of a step in an order in which they may be
// done; with Undo, in the reverse of it.
template <bool Undo, class Visit>
void for_each_entry(const Plan& plan, const Step& step, Visit&& visit) {
  const auto nth = [](int k, int count) { return Undo ? count - 1 - k : k; };
  if (is_tile(step.pattern)) {
    // A row of the two groups' 16 has the slot group + row.
    const std::int32_t group_b = step.b - kGroup;
    static constexpr auto kXorOrder = tile_order<kGroup>(Pattern::xor_tile);
    static constexpr auto kSumOrder = tile_order<kGroup>(Pattern::sum_tile);
    static constexpr auto kDifferenceOrder = tile_order<kGroup>(Pattern::difference_tile);
    const auto& order = step.pattern == Pattern::xor_tile          ? kXorOrder
                        : step.pattern == Pattern::difference_tile ? kDifferenceOrder
                                                                   : kSumOrder;
    for (int m = 0; m < kTileEntries; ++m) {
      const TileIndex at = order[static_cast<std::size_t>(nth(m, kTileEntries))];
      const RowPair rows = tile_rows<kGroup>(step.pattern, at);
      visit((rows.i < kGroup ? step.a : group_b) + rows.i,
            (rows.j < kGroup ? step.a : group_b) + rows.j, tile_entry(step.pattern, at.k, at.l));
    }
  } else if (step.pattern == Pattern::xor_leaf) {
    static constexpr auto kOrder = leaf_order();
    for (int m = 0; m < kLeafEntries; ++m) {
      const int e = nth(m, kLeafEntries);
      const RowPair rows = kOrder[static_cast<std::size_t>(e)];
      visit(step.a + rows.i, step.a + rows.j, e);
    }
  } else {
    for (int m = 0; m < step.count; ++m) {
      const int e = nth(m, step.count);
      const SlotPair& pair = plan.pair_slots[static_cast<std::size_t>(step.a + e)];
      visit(pair.i, pair.j, e);
    }
  }
}

}  // namespace givens
