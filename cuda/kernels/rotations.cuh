// Which rows the rotations of a work item turn, in the order in which kernels do them.
#pragma once

#include "host/plan.hpp"
#include "kernels/portable.cuh"

namespace givens::cuda {

// Two of the 16 rows of a tile, or of the 8 of a leaf; a pair has rows 0 and 1. Rows 0 .. 7 are
// those of group a, and 8 .. 15 those of group b, each from the last to the first if it is
// reversed.
struct Rows {
  int x;
  int y;
};

// Rotation (k, l) of a tile turns row k of group a and row l of group b, but of a diamond rows
// 7 - k + l and 8 - k + l of both together.
struct BlockIndex {
  int k;
  int l;
};

GIVENS_DEVICE constexpr BlockIndex block_index(WorkKind kind, int m) {
  if (kind == WorkKind::xor_block) return {m % 8, m % 8 ^ m / 8};
  return {m / 8, m % 8};
}

GIVENS_DEVICE constexpr Rows rows_of_rotation(WorkKind kind, BlockIndex at) {
  if (kind == WorkKind::diamond_block) return {7 - at.k + at.l, 8 - at.k + at.l};
  return {at.k, 8 + at.l};
}

// Round r = 1 .. 7 of a leaf has the pairs (i, i XOR r), four each; to undo it rounds fall.
GIVENS_DEVICE constexpr Rows leaf_rows(int m, bool undo) {
  const int r = undo ? 7 - m / 4 : 1 + m / 4;
  const int top = r >= 4 ? 4 : r >= 2 ? 2 : 1;
  const int i = (m % 4 & (top - 1)) | (m % 4 & ~(top - 1)) << 1;
  return {i, i ^ r};
}

template <WorkKind Kind, bool Undo>
GIVENS_DEVICE constexpr Rows rows_of(int m) {
  if (Kind == WorkKind::pair) return {0, 1};
  if (Kind == WorkKind::leaf) return leaf_rows(m, Undo);
  return rows_of_rotation(Kind, block_index(Kind, m));
}

// The same for a kind that is not known beforehand.
GIVENS_DEVICE inline Rows rows_of(const Work& work, bool undo, int m) {
  if (work.kind == WorkKind::pair) return {0, 1};
  if (work.kind == WorkKind::leaf) return leaf_rows(m, undo);
  return rows_of_rotation(work.kind, block_index(work.kind, m));
}

// The slot of a row of a work item.
GIVENS_DEVICE inline std::int32_t slot_of(const Work& work, int row) {
  if (work.kind == WorkKind::pair) return row == 0 ? work.a : work.b;
  if (row < 8) return work.reverse_a ? work.a + 7 - row : work.a + row;
  return work.reverse_b ? work.b + 15 - row : work.b + row - 8;
}

// The angle of rotation m, or -1.
GIVENS_DEVICE inline std::int32_t angle_of(const Work& work, const std::int32_t* sources, bool undo,
                                           int m) {
  if (work.kind == WorkKind::pair) return work.source;
  int run, place, entry;
  if (work.kind == WorkKind::leaf) {
    entry = undo ? 4 * (6 - m / 4) + m % 4 : m;
    run = entry / 4;
    place = entry % 4;
  } else {
    BlockIndex at = block_index(work.kind, m);
    // A diamond that is undone has both groups reversed, and changed places.
    if (work.reverse_a) at.k = 7 - at.k;
    if (work.reverse_b) at.l = 7 - at.l;
    if (work.sources == AngleMap::affine) {
      return work.source + at.k * work.step_k + at.l * work.step_l;
    }
    entry = rotation_index(work.pattern, at.k, at.l);
    run = entry / 8;
    place = entry % 8;
  }
  return work.sources == AngleMap::gather ? sources[work.source + entry]
                                          : sources[work.source + run] + place;
}

}  // namespace givens::cuda
