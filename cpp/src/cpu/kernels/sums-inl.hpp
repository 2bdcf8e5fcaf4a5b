// The sums over columns that gradients are made of. Compiled for each instruction set; see
// engine_headers.hpp.
#pragma once

#include "cpu/coefficients/coefficients-inl.hpp"
#include "cpu/kernels/blocks-inl.hpp"
#include "cpu/simd/shuffle-inl.hpp"
#include "cpu/simd/vector_pack-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

// --- Where the sum of a rotation is ---

// By the index of a rotation: where its sum is among the sums of its step, which follow one another
// in the order in which the rotations are applied.
using SumOffsets = std::array<std::int8_t, kBlockRotations>;

template <class Block>
constexpr void add_block_offsets(SumOffsets& offsets, int low, int high, int first) {
  for (int m = 0; m < Block::kCount; ++m) {
    const BlockRotation rotation = Block::at(m);
    offsets[static_cast<std::size_t>((rotation.high ? high : low) + rotation.index)] =
        static_cast<std::int8_t>(first + m);
  }
}

template <Pattern P, int B, bool Adjoint>
constexpr SumOffsets rotation_block_offsets() {
  SumOffsets out{};
  int first = 0;
  for (const RegisterBlock& block : register_blocks<B, Adjoint>(P)) {
    add_block_offsets<PartOfRotationBlock<P, B>>(out, block.low, block.high, first);
    first += B * B;
  }
  return out;
}

template <int B, bool Adjoint>
constexpr SumOffsets diagonal_block_offsets() {
  SumOffsets out{};
  int first = 0;
  for_each_part_of_diagonal_block<B, Adjoint>([&](auto part, int, int, int index, bool) {
    add_block_offsets<decltype(part)>(out, index, 0, first);
    first += part.kCount;
  });
  return out;
}

// By pattern.
template <class F, bool Adjoint>
inline constexpr SumOffsets kSumOffsets[] = {
    rotation_block_offsets<Pattern::xor_block, kRegisterBlock<F, true>, Adjoint>(),
    rotation_block_offsets<Pattern::sum_block, kRegisterBlock<F, true>, Adjoint>(),
    rotation_block_offsets<Pattern::diamond_block, kRegisterBlock<F, true>, Adjoint>(),
    diagonal_block_offsets<kRegisterBlock<F, true>, Adjoint>()};

// Null where the sums of a step are in the order of the rotations' indices.
template <class F>
const std::int8_t* sum_offsets(const Step& step, Mode mode, bool adjoint) {
  if (mode == Mode::standard || step.pattern == Pattern::pairs) return nullptr;
  const SumOffsets* offsets = adjoint ? kSumOffsets<F, true> : kSumOffsets<F, false>;
  return offsets[static_cast<std::size_t>(step.pattern)].data();
}

// --- Sums of lanes ---

// Adds Im(g conj(y)) of complex packs in memory, lane by lane.
template <class F>
[[gnu::always_inline]] inline void add_imaginary_products(Vector<real_t<F>>& total,
                                                          const real_t<F>* y, const real_t<F>* g) {
  const auto a = VectorPack<F>::load_from(y);
  const auto b = VectorPack<F>::load_from(g);
  total = fnma(b.re, a.im, fma(b.im, a.re, total));
}

// Neighbouring lanes added: the pairs of u, then the pairs of v.
template <class R>
[[gnu::always_inline]] inline Vector<R> add_neighbours(const Vector<R>& u, const Vector<R>& v) {
  return shuffle<EvenLanes>(u, v) + shuffle<OddLanes>(u, v);
}

// Adds to out[m] the m-th sum of `Spread` neighbouring lanes of the `Vectors` vectors, `Count` sums
// in all.
template <class R, int Vectors, int Spread, int Count>
[[gnu::always_inline]] inline void add_spread_sums(const Vector<R>* v, R* out) {
  constexpr int L = static_cast<int>(kLanes<R>);
  if constexpr (Spread > 1) {
    // This halves the number of vectors, with each sum spread over half as many lanes.
    constexpr int kHalf = (Vectors + 1) / 2;
    Vector<R> half[kHalf];
    unrolled<kHalf>([&](auto m) __attribute__((always_inline)) {
      constexpr int second = 2 * m + 1 < Vectors ? 2 * m + 1 : 2 * m;
      half[m] = add_neighbours<R>(v[2 * m], v[second]);
    });
    add_spread_sums<R, kHalf, Spread / 2, Count>(half, out);
  } else if constexpr (Count == L) {
    store(out, load(out) + v[0]);
  } else {
    unrolled<Count>([&](auto m) __attribute__((always_inline)) { out[m] += v[m / L][m % L]; });
  }
}

// Adds to out[m] the sum of the lanes of v[m], for Count vectors.
template <class R, int Count>
[[gnu::always_inline]] inline void add_sums_of_lanes(const Vector<R>* v, R* out) {
  constexpr int L = static_cast<int>(kLanes<R>);
  if constexpr (Count > L) {
    add_sums_of_lanes<R, L>(v, out);
    add_sums_of_lanes<R, Count - L>(v + L, out + L);
  } else if constexpr (Count == 1) {
    *out += sum<R>(*v);
  } else {
    add_spread_sums<R, Count, L, Count>(v, out);
  }
}

// The same for Count packs, whose sums are kReals numbers each.
template <class R, int Count>
[[gnu::always_inline]] inline void add_sums_of_packs(const VectorPack<R>* total, R* sums) {
  Vector<R> v[Count];
  unrolled<Count>([&](auto m) __attribute__((always_inline)) { v[m] = total[m].v; });
  add_sums_of_lanes<R, Count>(v, sums);
}

template <class R, int Count>
[[gnu::always_inline]] inline void add_sums_of_packs(const VectorPack<std::complex<R>>* total,
                                                     R* sums) {
  Vector<R> v[2 * Count];
  unrolled<Count>([&](auto m) __attribute__((always_inline)) {
    v[2 * m] = total[m].re;
    v[2 * m + 1] = total[m].im;
  });
  add_sums_of_lanes<R, 2 * Count>(v, sums);
}

}  // namespace givens::cpu::GIVENS_ISA
