// Patterns: sets of rotations of up to 16 rows, which an engine applies with the rows in registers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace givens {

// The number of rows in a row block.
inline constexpr int kRowBlock = 8;

enum class Pattern : std::uint8_t {
  // Rotation blocks have all 64 rotations (k, l), k, l = 0..7, between two row blocks a and b. They
  // differ in the order of the rotations and in the rows that these turn.
  //
  // Row k of a with row l of b, by rising k XOR l.
  xor_block,
  // Row k of a with row l of b, by rising k + l.
  sum_block,
  // Neighbouring rows: rows 7 - k + l and 8 - k + l of the 16 rows of a and b, by rising k + l.
  diamond_block,
  // The 28 rotations within row block a in the order of xor: for r = 1..7 the four pairs
  // (i, i XOR r) by rising i.
  diagonal_block,
  // Rotations of disjoint pairs of rows.
  pairs,
};

constexpr bool is_rotation_block(Pattern pattern) {
  return pattern != Pattern::diagonal_block && pattern != Pattern::pairs;
}

// The number of rotations in a rotation block and in a diagonal block.
inline constexpr int kBlockRotations = 64;
inline constexpr int kDiagonalBlockRotations = 28;

// A rotation of a rotation block.
struct BlockIndex {
  int k;
  int l;
};

// A step numbers the rotations of a block in 8 rows of 8, so that the rotations of one such row can
// be the lanes of a vector: they turn different rows of the matrix. (In a diamond block neighbours
// share a row.)
struct LanePosition {
  int row;  // modulo Size
  int lane;
};

// Where rotation (k, l) of Size x Size rotations is in this numbering. For a rotation block that is
// cut into register blocks, (k, l) may be a register block.
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

// An order in which Size x Size rotations may be applied, or the register blocks of a rotation
// block.
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

// Two of the 2 * Size rows that a block of rotations turns, counted from the rows of block a on.
struct RowPair {
  int i;
  int j;
};

template <int Size>
constexpr RowPair rows_of_rotation(Pattern pattern, BlockIndex at) {
  if (pattern == Pattern::diamond_block) return {Size - 1 - at.k + at.l, Size - at.k + at.l};
  return {at.k, Size + at.l};
}

// The first rows that register block `at` of Size x Size rotations turns, in row block a and in row
// block b: Size rows from each. In a diamond block the two runs of rows follow one another.
template <int Size>
constexpr RowPair register_block_rows(Pattern pattern, BlockIndex at) {
  if (pattern == Pattern::diamond_block) {
    const int first = kRowBlock - Size - Size * (at.k - at.l);
    return {first, first + Size - kRowBlock};
  }
  return {Size * at.k, Size * at.l};
}

// Size x Size rotations of a rotation block that are applied with their rows in registers.
struct RegisterBlock {
  RowPair rows;  // see register_block_rows
  // The rotation with lane_position (row, lane) in the register block has the index
  // `low + 8 row + lane` in the rotation block if row < Size, else `high + 8 (row - Size) + lane`.
  int low;
  int high;
  // Whether no register block after it has these rows of row block a, and of row block b.
  bool last_a;
  bool last_b;
};

// The register blocks of a rotation block in the order in which they are applied; with Adjoint, in
// the reverse order.
template <int Size, bool Adjoint>
constexpr auto register_blocks(Pattern pattern) {
  constexpr int kBlocks = kRowBlock / Size;
  constexpr auto kCount = static_cast<std::size_t>(kBlocks * kBlocks);
  const auto order = block_order<kBlocks>(pattern);
  std::array<RegisterBlock, kCount> out{};
  for (std::size_t m = 0; m < kCount; ++m) {
    const BlockIndex at = order[Adjoint ? kCount - 1 - m : m];
    const LanePosition place = lane_position<kBlocks>(pattern, at.k, at.l);
    RegisterBlock& block = out[m];
    block.rows = register_block_rows<Size>(pattern, at);
    block.low = 8 * (Size * place.row % 8) + Size * place.lane;
    block.high = 8 * (Size * (place.row + 1) % 8) + Size * place.lane;
  }
  std::array<bool, 2 * kRowBlock> seen{};
  for (std::size_t m = kCount; m-- > 0;) {
    RegisterBlock& block = out[m];
    const auto a = static_cast<std::size_t>(block.rows.i);
    const auto b = static_cast<std::size_t>(kRowBlock + block.rows.j);
    block.last_a = !seen[a];
    block.last_b = !seen[b];
    seen[a] = seen[b] = true;
  }
  return out;
}

// The pairs of a diagonal block by the index of their rotation, which is the order of application.
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
