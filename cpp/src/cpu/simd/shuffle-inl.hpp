// Moving lanes between vectors. Compiled for each instruction set; see engine_headers.hpp.
#pragma once

#include "cpu/simd/vector-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

// The orders of `shuffle`: lane k of the result is lane at(k, lanes) of the two operands, whose
// lanes are counted one vector after the other.
struct EvenLanes {
  static constexpr int at(int k, int) { return 2 * k; }
};
struct OddLanes {
  static constexpr int at(int k, int) { return 2 * k + 1; }
};
// One lane of either in turn, from the first half of their lanes or from the second.
struct FirstHalvesInTurn {
  static constexpr int at(int k, int lanes) { return k / 2 + k % 2 * lanes; }
};
struct SecondHalvesInTurn {
  static constexpr int at(int k, int lanes) { return lanes / 2 + k / 2 + k % 2 * lanes; }
};

template <class Order, class V, int... K>
[[gnu::always_inline]] inline V shuffle(const V& a, const V& b, std::integer_sequence<int, K...>) {
  return __builtin_shufflevector(a, b, Order::at(K, sizeof...(K))...);
}
template <class Order, class V>
[[gnu::always_inline]] inline V shuffle(const V& a, const V& b) {
  return shuffle<Order>(a, b, std::make_integer_sequence<int, sizeof(V) / sizeof(a[0])>{});
}

}  // namespace givens::cpu::GIVENS_ISA
