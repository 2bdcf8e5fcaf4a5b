// How the CPU engine walks a schedule: in steps that keep a block of rows in registers.
#pragma once

#include <cstdint>
#include <vector>

#include "givens/schedule.hpp"

namespace givens::cpu {

// Rows are worked on in groups of this many.
inline constexpr int kGroup = 8;

// The rotations of one step and the order of their coefficients ("entries") in it.
enum class Pattern : std::uint8_t {
  // All 64 rotations between groups a and b, in the order of xor: for s = 0..7, row k of a with row
  // k ^ s of b. Entry 8 s + k.
  xor_tile,
  // All 64 rotations between groups a and b, in the order of the circle: row k of a with row l of
  // b, by
  // rising k + l. Entry 8 ((k + l) mod 8) + k.
  sum_tile,
  // The 28 rotations within group a in the order of xor: for r = 1..7 the four pairs (i, i ^ r).
  // Entry 4 (r - 1) + t, pair t counted by rising i.
  xor_leaf,
  // Any rotations, one after the other. As many entries as rotations.
  pairs,
};

struct Step {
  Pattern pattern;
  // Whether Plan::sources has the first angle of each run of neighbouring entries (8 runs of 8 in a
  // tile, 7 of 4 in a leaf) instead of an angle for every entry.
  bool runs;
  std::int32_t a;       // first slot of group a; pairs: index of the first pair in Plan::pair_slots
  std::int32_t b;       // first slot of group b
  std::int32_t count;   // entries
  std::int64_t entry;   // the number of entries before this step
  std::int64_t source;  // where its angles are in Plan::sources
};

// Steps that take the matrix from block-diagonal with smaller blocks to block-diagonal with blocks
// of `block` slots. Steps of block q are first[q] .. first[q + 1] - 1.
struct Level {
  std::int64_t block;
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
  std::vector<Step> steps;
  std::vector<std::int32_t> sources;  // indices of angles; -1: no rotation
  std::vector<SlotPair> pair_slots;
  std::vector<Level> levels;  // in order; they cover all steps
  std::int64_t entries = 0;
};

Plan make_plan(const Schedule& schedule);

// The plan of a schedule, made at the first call for it (or a copy of it). Safe from many threads.
const Plan& plan_of(const Schedule& schedule);

// The angle of an entry of a step, or -1.
inline std::int32_t source_of(const Plan& plan, const Step& step, int entry) {
  const std::int32_t* source = plan.sources.data() + step.source;
  if (!step.runs) return source[entry];
  const int run = step.pattern == Pattern::xor_leaf ? 4 : 8;
  return source[entry / run] + entry % run;
}

// Calls visit(slot, other slot, entry) for the rotations of a step in an order in which they may be
// done; with Undo, in the reverse of it.
template <bool Undo, class Visit>
void for_each_entry(const Plan& plan, const Step& step, Visit&& visit) {
  const auto nth = [](int k, int count) { return Undo ? count - 1 - k : k; };
  switch (step.pattern) {
    case Pattern::xor_tile:
      for (int m = 0; m < 64; ++m) {
        const int e = nth(m, 64);
        visit(step.a + e % 8, step.b + (e % 8 ^ e / 8), e);
      }
      break;
    case Pattern::sum_tile:
      for (int m = 0; m < 64; ++m) {
        const int k = nth(m, 64) % 8;
        const int l = nth(m, 64) / 8;
        visit(step.a + k, step.b + l, 8 * ((k + l) % 8) + k);
      }
      break;
    case Pattern::xor_leaf:
      for (int m = 0; m < 28; ++m) {
        const int e = nth(m, 28);
        const int r = e / 4 + 1;
        // Pair t of round r: t with a zero put in at the place of r's highest bit.
        const int high = r >= 4 ? 4 : r >= 2 ? 2 : 1;
        const int i = (e % 4 & (high - 1)) | (e % 4 & ~(high - 1)) << 1;
        visit(step.a + i, step.a + (i ^ r), e);
      }
      break;
    case Pattern::pairs:
      for (int m = 0; m < step.count; ++m) {
        const int e = nth(m, step.count);
        const SlotPair& pair = plan.pair_slots[static_cast<std::size_t>(step.a + e)];
        visit(pair.i, pair.j, e);
      }
      break;
  }
}

}  // namespace givens::cpu
