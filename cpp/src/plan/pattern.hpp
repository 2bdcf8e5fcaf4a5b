// Patterns: sets of rotations of up to 16 rows that the CPU engine runs with the rows in registers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace givens {

// Rows are worked on in groups of this many.
inline constexpr int kGroup = 8;

enum class Pattern : std::uint8_t {
  // Tiles: all 64 rotations between group a and group b, numbered (k, l), k, l = 0..7. They differ
  // in the order, and in the rows that a rotation turns.
  //
  // Row k of a with row l of b, by rising k XOR l.
  xor_tile,
  // Row k of a with row l of b, by rising k + l.
  sum_tile,
  // Row k of a with row l of b, by rising l - k.
  difference_tile,
  // Rows 7 - k + l and 8 - k + l of the 16 of a and b together, by rising k + l: neighbours meet
  // only.
  diamond_tile,
  // The 28 rotations within group a in the order of xor: for r = 1..7 the four pairs (i, i XOR r)
  // by rising i.
  xor_leaf,
  // Rotations of disjoint pairs of rows.
  pairs,
};

constexpr bool is_tile(Pattern pattern) {
  return pattern != Pattern::xor_leaf && pattern != Pattern::pairs;
}

// Rotations in a tile and in a leaf.
inline constexpr int kTileEntries = 64;
inline constexpr int kLeafEntries = 28;

// A rotation of a tile.
struct TileIndex {
  int k;
  int l;
};

// Entries, the numbers under which a step has its rotations: 8 rows of 8, each in a lane of its
// own, so that the rotations of one row of entries turn different rows.
struct EntryPlace {
  int row;  // modulo Size
  int lane;
};

// Where rotation (k, l) of Size x Size is among the entries. Of a tile in blocks it is where the
// block is.
template <int Size>
constexpr EntryPlace entry_place(Pattern pattern, int k, int l) {
  switch (pattern) {
    case Pattern::xor_tile:
      return {k ^ l, k};
    case Pattern::difference_tile:
      return {Size - 1 - k + l, Size - 1 - k};
    default:
      return {k + l, k};
  }
}

constexpr int tile_entry(Pattern pattern, int k, int l) {
  const EntryPlace place = entry_place<kGroup>(pattern, k, l);
  return 8 * (place.row % 8) + place.lane;
}

constexpr TileIndex tile_index(Pattern pattern, int entry) {
  const int row = entry / 8;
  const int lane = entry % 8;
  switch (pattern) {
    case Pattern::xor_tile:
      return {lane, lane ^ row};
    case Pattern::difference_tile:
      return {7 - lane, (row + 8 - lane) % 8};
    default:
      return {lane, (row + 8 - lane) % 8};
  }
}

// The rotations of a tile of Size x Size in an order in which they may be done. Of a tile in blocks
// it is the order of the blocks.
template <int Size>
constexpr auto tile_order(Pattern pattern) {
  std::array<TileIndex, static_cast<std::size_t>(Size * Size)> out{};
  std::size_t count = 0;
  if (pattern == Pattern::xor_tile) {
    for (int s = 0; s < Size; ++s) {
      for (int k = 0; k < Size; ++k) out[count++] = {k, k ^ s};
    }
    return out;
  }
  for (int lane = 0; lane < Size; ++lane) {
    for (int l = 0; l < Size; ++l) {
      out[count++] = {pattern == Pattern::difference_tile ? Size - 1 - lane : lane, l};
    }
  }
  return out;
}

// Two rows of the 2 * Size of a tile, those of group a first.
struct RowPair {
  int i;
  int j;
};

template <int Size>
constexpr RowPair tile_rows(Pattern pattern, TileIndex at) {
  if (pattern == Pattern::diamond_tile) return {Size - 1 - at.k + at.l, Size - at.k + at.l};
  return {at.k, Size + at.l};
}

// The first rows, of the 8 of group a and of the 8 of group b, that block `at` of Size x Size
// rotations turns: Size from each. The rows of a diamond's block follow one another.
template <int Size>
constexpr RowPair block_rows(Pattern pattern, TileIndex at) {
  if (pattern == Pattern::diamond_tile) {
    const int first = kGroup - Size - Size * (at.k - at.l);
    return {first, first + Size - kGroup};
  }
  return {Size * at.k, Size * at.l};
}

// Size x Size rotations of a tile that are done together.
struct Block {
  RowPair rows;  // see block_rows
  // Rotation (k, l) of the block with entry_place (row, lane) has the entry `low + 8 row + lane` if
  // row < Size, else `high + 8 (row - Size) + lane`.
  int low;
  int high;
  // Whether no block before has the rows of group a, and of group b.
  bool new_a;
  bool new_b;
};

// The blocks of a tile in the order of doing, or of undoing.
template <int Size, bool Undo>
constexpr auto tile_blocks(Pattern pattern) {
  constexpr int kBlocks = kGroup / Size;
  constexpr auto kCount = static_cast<std::size_t>(kBlocks * kBlocks);
  const auto order = tile_order<kBlocks>(pattern);
  std::array<Block, kCount> out{};
  std::array<bool, 2 * kGroup> seen{};
  for (std::size_t m = 0; m < kCount; ++m) {
    const TileIndex at = order[Undo ? kCount - 1 - m : m];
    const EntryPlace place = entry_place<kBlocks>(pattern, at.k, at.l);
    Block& block = out[m];
    block.rows = block_rows<Size>(pattern, at);
    block.low = 8 * (Size * place.row % 8) + Size * place.lane;
    block.high = 8 * (Size * (place.row + 1) % 8) + Size * place.lane;
    const auto a = static_cast<std::size_t>(block.rows.i);
    const auto b = static_cast<std::size_t>(kGroup + block.rows.j);
    block.new_a = !seen[a];
    block.new_b = !seen[b];
    for (std::size_t k = 0; k < Size; ++k) seen[a + k] = seen[b + k] = true;
  }
  return out;
}

// The pairs of a leaf by entry, which is the order of doing.
constexpr std::array<RowPair, kLeafEntries> leaf_order() {
  std::array<RowPair, kLeafEntries> out{};
  std::size_t count = 0;
  for (int r = 1; r < kGroup; ++r) {
    for (int i = 0; i < kGroup; ++i) {
      if (i < (i ^ r)) out[count++] = {i, i ^ r};
    }
  }
  return out;
}

}  // namespace givens
