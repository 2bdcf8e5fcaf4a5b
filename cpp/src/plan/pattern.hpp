// Patterns: sets of rotations of up to 16 rows that the CPU engine runs with the rows in registers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace givens {

// Rows are worked on in groups of this many.
inline constexpr int kRowBlock = 8;

enum class Pattern : std::uint8_t {
  // Blocks: all 64 rotations between group a and group b, numbered (k, l), k, l = 0..7. They differ
  // in the order, and in the rows that a rotation turns.
  //
  // Row k of a with row l of b, by rising k XOR l.
  xor_block,
  // Row k of a with row l of b, by rising k + l.
  sum_block,
  // Rows 7 - k + l and 8 - k + l of the 16 of a and b together, by rising k + l: neighbours meet
  // only.
  diamond_block,
  // The 28 rotations within group a in the order of xor: for r = 1..7 the four pairs (i, i XOR r)
  // by rising i.
  diagonal_block,
  // Rotations of disjoint pairs of rows.
  pairs,
};

constexpr bool is_rotation_block(Pattern pattern) {
  return pattern != Pattern::diagonal_block && pattern != Pattern::pairs;
}

// Rotations in a tile and in a leaf.
inline constexpr int kBlockRotations = 64;
inline constexpr int kDiagonalBlockRotations = 28;

// A rotation of a tile.
struct BlockIndex {
  int k;
  int l;
};

// Entries, the numbers under which a step has its rotations: 8 rows of 8, each in a lane of its
// own, so that the rotations of one row of entries turn different rows.
struct LanePosition {
  int row;  // modulo Size
  int lane;
};

// Where rotation (k, l) of Size x Size is among the entries. Of a tile in blocks it is where the
// block is.
template <int Size>
constexpr LanePosition lane_position(Pattern pattern, int k, int l) {
  return {pattern == Pattern::xor_block ? k ^ l : k + l, k};
}

constexpr int rotation_index(Pattern pattern, int k, int l) {
  const LanePosition place = lane_position<kRowBlock>(pattern, k, l);
  return 8 * (place.row % 8) + place.lane;
}

constexpr BlockIndex block_index(Pattern pattern, int index) {
  const int row = index / 8;
  const int lane = index % 8;
  return {lane, pattern == Pattern::xor_block ? lane ^ row : (row + 8 - lane) % 8};
}

// The rotations of a tile of Size x Size in an order in which they may be done. Of a tile in blocks
// it is the order of the blocks.
template <int Size>
constexpr auto block_order(Pattern pattern) {
  std::array<BlockIndex, static_cast<std::size_t>(Size * Size)> out{};
  std::size_t count = 0;
  if (pattern == Pattern::xor_block) {
    for (int s = 0; s < Size; ++s) {
      for (int k = 0; k < Size; ++k) out[count++] = {k, k ^ s};
    }
    return out;
  }
  for (int k = 0; k < Size; ++k) {
    for (int l = 0; l < Size; ++l) out[count++] = {k, l};
  }
  return out;
}

// Two rows of the 2 * Size of a tile, those of group a first.
struct RowPair {
  int i;
  int j;
};

template <int Size>
constexpr RowPair rows_of_rotation(Pattern pattern, BlockIndex at) {
  if (pattern == Pattern::diamond_block) return {Size - 1 - at.k + at.l, Size - at.k + at.l};
  return {at.k, Size + at.l};
}

// The first rows, of the 8 of group a and of the 8 of group b, that block `at` of Size x Size
// rotations turns: Size from each. The rows of a diamond's block follow one another.
template <int Size>
constexpr RowPair register_block_rows(Pattern pattern, BlockIndex at) {
  if (pattern == Pattern::diamond_block) {
    const int first = kRowBlock - Size - Size * (at.k - at.l);
    return {first, first + Size - kRowBlock};
  }
  return {Size * at.k, Size * at.l};
}

// Size x Size rotations of a tile that are done together.
struct RegisterBlock {
  RowPair rows;  // see register_block_rows
  // Rotation (k, l) of the block with lane_position (row, lane) has the entry `low + 8 row + lane`
  // if row < Size, else `high + 8 (row - Size) + lane`.
  int low;
  int high;
  // Whether no block before has the rows of group a, and of group b.
  bool new_a;
  bool new_b;
};

// The blocks of a tile in the order of doing, or of undoing.
template <int Size, bool Adjoint>
constexpr auto register_blocks(Pattern pattern) {
  constexpr int kBlocks = kRowBlock / Size;
  constexpr auto kCount = static_cast<std::size_t>(kBlocks * kBlocks);
  const auto order = block_order<kBlocks>(pattern);
  std::array<RegisterBlock, kCount> out{};
  std::array<bool, 2 * kRowBlock> seen{};
  for (std::size_t m = 0; m < kCount; ++m) {
    const BlockIndex at = order[Adjoint ? kCount - 1 - m : m];
    const LanePosition place = lane_position<kBlocks>(pattern, at.k, at.l);
    RegisterBlock& block = out[m];
    block.rows = register_block_rows<Size>(pattern, at);
    block.low = 8 * (Size * place.row % 8) + Size * place.lane;
    block.high = 8 * (Size * (place.row + 1) % 8) + Size * place.lane;
    const auto a = static_cast<std::size_t>(block.rows.i);
    const auto b = static_cast<std::size_t>(kRowBlock + block.rows.j);
    block.new_a = !seen[a];
    block.new_b = !seen[b];
    for (std::size_t k = 0; k < Size; ++k) seen[a + k] = seen[b + k] = true;
  }
  return out;
}

// The pairs of a leaf by entry, which is the order of doing.
constexpr std::array<RowPair, kDiagonalBlockRotations> diagonal_block_order() {
  std::array<RowPair, kDiagonalBlockRotations> out{};
  std::size_t count = 0;
  for (int r = 1; r < kRowBlock; ++r) {
    for (int i = 0; i < kRowBlock; ++i) {
      if (i < (i ^ r)) out[count++] = {i, i ^ r};
    }
  }
  return out;
}

}  // namespace givens
