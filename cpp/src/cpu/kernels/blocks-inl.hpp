// Which rotations of a step are applied together, with their rows in registers. Compiled for each
// instruction set; see engine_headers.hpp.
#pragma once

#include "cpu/simd/vector_pack-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

// The rows of each row block that are in registers at once. The rows of one panel fill half of the
// registers; the rows of a gradient's two panels fill them together with the sums of the rotations.
template <class F, bool Gradient>
inline constexpr int kRegisterBlock =
    GIVENS_VECTOR_REGISTERS / ((Gradient ? 8 : 4) * static_cast<int>(kReals<F>));

// A rotation of rows i and j of a register block. Its index in the step is `index` more than the
// block's first low or high one; see RegisterBlock.
struct BlockRotation {
  int i;
  int j;
  bool high;
  int index;
};

// The classes below list the rotations of a register block in the order in which they are applied.
// It has kHalf rows of row block a, then kHalf of row block b.

// B x B rotations of a rotation block.
template <Pattern P, int B>
struct PartOfRotationBlock {
  static constexpr int kHalf = B;
  static constexpr int kCount = B * B;
  static constexpr BlockRotation at(int m) {
    const BlockIndex index = block_order<B>(P)[static_cast<std::size_t>(m)];
    const RowPair rows = rows_of_rotation<B>(P, index);
    const LanePosition place = lane_position<B>(P, index.k, index.l);
    return {rows.i, rows.j, place.row >= B, 8 * (place.row % B) + place.lane};
  }
};

// A whole diagonal block.
struct WholeDiagonalBlock {
  static constexpr int kHalf = kRowBlock / 2;
  static constexpr int kCount = kDiagonalBlockRotations;
  static constexpr BlockRotation at(int m) {
    const RowPair rows = diagonal_block_order()[static_cast<std::size_t>(m)];
    return {rows.i, rows.j, false, m};
  }
};

// A diagonal block that does not fit into the registers is applied in parts: first rounds 1, 2, 3
// within each half of its rows. The indices of the second half are higher by 2.
struct HalfOfDiagonalBlock {
  static constexpr int kHalf = kRowBlock / 4;
  static constexpr int kCount = 6;
  static constexpr BlockRotation at(int m) {
    const int index = m / 2 * 4 + m % 2;
    const RowPair rows = diagonal_block_order()[static_cast<std::size_t>(index)];
    return {rows.i, rows.j, false, index};
  }
};

// Then rounds 4 .. 7, which are 4 x 4 rotations between the halves, B x B at a time.
template <int B>
struct BetweenHalves {
  static constexpr int kHalf = B;
  static constexpr int kCount = B * B;
  static constexpr BlockRotation at(int m) {
    const BlockIndex index = block_order<B>(Pattern::xor_block)[static_cast<std::size_t>(m)];
    return {index.k, B + index.l, false, 4 * (index.k ^ index.l) + index.k};
  }
};

// Calls visit(part, row a, row b, first index, last) for the parts of a diagonal block in the order
// in which they are applied; with Adjoint in the reverse order. `last`: no part after it has its
// rows.
template <int B, bool Adjoint, class Visit>
constexpr void for_each_part_of_diagonal_block(Visit&& visit) {
  const auto halves = [&] {
    visit(HalfOfDiagonalBlock{}, 0, 2, 0, Adjoint);
    visit(HalfOfDiagonalBlock{}, 4, 6, 2, Adjoint);
  };
  if (!Adjoint) halves();
  constexpr auto kOrder = block_order<4 / B>(Pattern::xor_block);
  for (std::size_t m = 0; m < kOrder.size(); ++m) {
    const BlockIndex at = kOrder[Adjoint ? kOrder.size() - 1 - m : m];
    const int round = at.k ^ at.l;
    visit(BetweenHalves<B>{}, B * at.k, kRowBlock / 2 + B * at.l, 12 + B * (4 * round + at.k),
          !Adjoint && round == 4 / B - 1);
  }
  if (Adjoint) halves();
}

}  // namespace givens::cpu::GIVENS_ISA
