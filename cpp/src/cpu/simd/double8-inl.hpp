// Eight doubles or integers at once, whatever the registers' width: one row of a tile. Compiled for
// each instruction set; see engine_headers.hpp.
//
// They are in pieces of one register each: vectors wider than the registers would be compared and
// shuffled lane by lane.
#if defined(GIVENS_CPU_SIMD_DOUBLE8_INL_HPP) == defined(GIVENS_TARGET_TOGGLE)
#ifdef GIVENS_CPU_SIMD_DOUBLE8_INL_HPP
#undef GIVENS_CPU_SIMD_DOUBLE8_INL_HPP
#else
#define GIVENS_CPU_SIMD_DOUBLE8_INL_HPP
#endif

#include "cpu/simd/vector-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

inline constexpr int kPieceLanes = GIVENS_VECTOR_BYTES / 8;
inline constexpr int kPieces = 8 / kPieceLanes;

// As many numbers as a piece has.
template <class E>
struct PieceOf {
  typedef E type __attribute__((vector_size(kPieceLanes * sizeof(E))));
  typedef E unaligned
      __attribute__((vector_size(kPieceLanes * sizeof(E)), aligned(alignof(E)), may_alias));
};

// By lane, of a comparison all bits or none.
struct Int8 {
  using Piece = PieceOf<std::int64_t>::type;
  Piece v[kPieces];
};

struct Double8 {
  using Piece = PieceOf<double>::type;
  Piece v[kPieces];

  double operator[](int lane) const { return v[lane / kPieceLanes][lane % kPieceLanes]; }
};

// For each piece p. A macro and plain loops: lambdas take the sanitizers' builds longer to compile.
#define GIVENS_PIECES _Pragma("GCC unroll 4") for (int p = 0; p < kPieces; ++p)
#define GIVENS_OPERATOR(op, Out, A, B)                                    \
  [[gnu::always_inline]] inline Out operator op(const A& a, const B& b) { \
    Out out;                                                              \
    GIVENS_PIECES out.v[p] = (Out::Piece)(a.v[p] op b.v[p]);              \
    return out;                                                           \
  }
#define GIVENS_OPERATOR_WITH_ALL(op, Out, A, E)                    \
  [[gnu::always_inline]] inline Out operator op(const A& a, E b) { \
    Out out;                                                       \
    GIVENS_PIECES out.v[p] = (Out::Piece)(a.v[p] op b);            \
    return out;                                                    \
  }
#define GIVENS_OPERATOR_OF_ALL(op, Out, E, B)                      \
  [[gnu::always_inline]] inline Out operator op(E a, const B& b) { \
    Out out;                                                       \
    GIVENS_PIECES out.v[p] = a op b.v[p];                          \
    return out;                                                    \
  }
GIVENS_OPERATOR(+, Double8, Double8, Double8)
GIVENS_OPERATOR(-, Double8, Double8, Double8)
GIVENS_OPERATOR(*, Double8, Double8, Double8)
GIVENS_OPERATOR(<, Int8, Double8, Double8)
GIVENS_OPERATOR(>, Int8, Double8, Double8)
GIVENS_OPERATOR(^, Int8, Int8, Int8)
GIVENS_OPERATOR_WITH_ALL(+, Double8, Double8, double)
GIVENS_OPERATOR_WITH_ALL(-, Double8, Double8, double)
GIVENS_OPERATOR_WITH_ALL(*, Double8, Double8, double)
GIVENS_OPERATOR_WITH_ALL(+, Int8, Int8, std::int64_t)
GIVENS_OPERATOR_WITH_ALL(&, Int8, Int8, std::int64_t)
GIVENS_OPERATOR_WITH_ALL(<<, Int8, Int8, int)
GIVENS_OPERATOR_WITH_ALL(!=, Int8, Int8, std::int64_t)
GIVENS_OPERATOR_OF_ALL(-, Double8, double, Double8)
GIVENS_OPERATOR_OF_ALL(/, Double8, double, Double8)
#undef GIVENS_OPERATOR
#undef GIVENS_OPERATOR_WITH_ALL
#undef GIVENS_OPERATOR_OF_ALL

[[gnu::always_inline]] inline Double8 operator-(const Double8& a) {
  Double8 out;
  GIVENS_PIECES out.v[p] = -a.v[p];
  return out;
}

[[gnu::always_inline]] inline Double8& operator*=(Double8& a, const Double8& b) {
  GIVENS_PIECES a.v[p] *= b.v[p];
  return a;
}

[[gnu::always_inline]] inline Int8 bits_of(const Double8& a) {
  Int8 out;
  GIVENS_PIECES out.v[p] = (Int8::Piece)a.v[p];
  return out;
}

[[gnu::always_inline]] inline Double8 from_bits(const Int8& a) {
  Double8 out;
  GIVENS_PIECES out.v[p] = (Double8::Piece)a.v[p];
  return out;
}

// Those of a where the mask has bits, else those of b.
[[gnu::always_inline]] inline Double8 select(const Int8& mask, const Double8& a, const Double8& b) {
  Double8 out;
  GIVENS_PIECES out.v[p] = mask.v[p] ? a.v[p] : b.v[p];
  return out;
}

[[gnu::always_inline]] inline Double8 lesser(const Double8& a, const Double8& b) {
  return select(a < b, a, b);
}

[[gnu::always_inline]] inline Double8 magnitude(const Double8& a) {
  return from_bits(bits_of(a) & std::numeric_limits<std::int64_t>::max());
}

[[gnu::always_inline]] inline Double8 all_eight(double x) { return Double8{} + x; }

// --- Moving lanes ---

// Orders of lanes.
template <int N>
struct LaneXor {
  static constexpr int at(int lane) { return lane ^ N; }
};
template <int N>
struct LanePlus {
  static constexpr int at(int lane) { return (lane + N) & 7; }
};
template <int N>
struct LaneFrom {
  static constexpr int at(int lane) { return (N - lane) & 7; }
};

template <class Order, int P, int... K>
[[gnu::always_inline]] inline Double8::Piece permuted_piece(const Double8& a,
                                                            std::integer_sequence<int, K...>) {
  // A piece has lanes of two others at most: there are no more, or it has two lanes.
  static_assert(kPieces <= 2 || kPieceLanes == 2);
  constexpr int kFirst = Order::at(P * kPieceLanes) / kPieceLanes;
  constexpr int kSources[] = {Order::at(P * kPieceLanes + K)...};
  constexpr int kOther = [&] {
    for (const int source : kSources) {
      if (source / kPieceLanes != kFirst) return source / kPieceLanes;
    }
    return kFirst;
  }();
  const Int8::Piece order = {(kSources[K] / kPieceLanes == kFirst ? 0 : kPieceLanes) +
                             kSources[K] % kPieceLanes...};
  return __builtin_shuffle(a.v[kFirst], a.v[kOther], order);
}

// Lane k is lane Order::at(k) of a.
template <class Order>
[[gnu::always_inline]] inline Double8 permuted(const Double8& a) {
  Double8 out;
  unrolled<kPieces>([&](auto p) __attribute__((always_inline)) {
    out.v[p] = permuted_piece<Order, p.value>(a, std::make_integer_sequence<int, kPieceLanes>{});
  });
  return out;
}

template <class Choice, int P, int... K>
[[gnu::always_inline]] inline Double8::Piece chosen_piece(const Double8& a, const Double8& b,
                                                          std::integer_sequence<int, K...>) {
  const Int8::Piece order = {(Choice::at(P * kPieceLanes + K) ? 0 : kPieceLanes) + K...};
  return __builtin_shuffle(a.v[P], b.v[P], order);
}

// Lane k is that of a where Choice::at(k), else that of b.
template <class Choice>
[[gnu::always_inline]] inline Double8 chosen(const Double8& a, const Double8& b) {
  Double8 out;
  unrolled<kPieces>([&](auto p) __attribute__((always_inline)) {
    out.v[p] = chosen_piece<Choice, p.value>(a, b, std::make_integer_sequence<int, kPieceLanes>{});
  });
  return out;
}

[[gnu::always_inline]] inline double smallest_of(Double8 a) {
  a = lesser(a, permuted<LaneXor<4>>(a));
  a = lesser(a, permuted<LaneXor<2>>(a));
  return std::min(a[0], a[1]);
}

// --- Memory ---

template <class Value, int... K>
[[gnu::always_inline]] inline Double8::Piece piece_of(Value&& value, int first,
                                                      std::integer_sequence<int, K...>) {
  return Double8::Piece{value(first + K)...};
}

// value(0) .. value(7). Not by way of memory: to load at once what has been stored piece by piece
// takes long.
template <class Value>
[[gnu::always_inline]] inline Double8 eight_of(Value&& value) {
  Double8 out;
  unrolled<kPieces>([&](auto p) __attribute__((always_inline)) {
    out.v[p] =
        piece_of(value, p.value * kPieceLanes, std::make_integer_sequence<int, kPieceLanes>{});
  });
  return out;
}

// from[0] .. from[7].
template <class E>
[[gnu::always_inline]] inline Double8 load_eight(const E* from) {
  Double8 out;
  GIVENS_PIECES {
    const typename PieceOf<E>::type piece =
        *reinterpret_cast<const typename PieceOf<E>::unaligned*>(from + p * kPieceLanes);
#if GIVENS_VECTOR_BYTES == 64
    if constexpr (std::is_same_v<E, float>) {
      // One instruction where GCC makes five. With a mask, because its header warns of the other
      // form.
      out.v[p] = (Double8::Piece)_mm512_maskz_cvtps_pd(0xFF, (__m256)piece);
    } else {
      out.v[p] = __builtin_convertvector(piece, Double8::Piece);
    }
#else
    out.v[p] = __builtin_convertvector(piece, Double8::Piece);
#endif
  }
  return out;
}

template <class R>
[[gnu::always_inline]] inline void store_eight(R* to, const Double8& a) {
  GIVENS_PIECES {
    *reinterpret_cast<typename PieceOf<R>::unaligned*>(to + p * kPieceLanes) =
        __builtin_convertvector(a.v[p], typename PieceOf<R>::type);
  }
}

// to[2 k] is a[k], to[2 k + 1] is b[k].
template <class R>
[[gnu::always_inline]] inline void store_in_turn(R* to, const Double8& a, const Double8& b) {
  using Piece = typename PieceOf<R>::type;
  typedef std::conditional_t<sizeof(R) == 4, std::int32_t, std::int64_t> Index;
  typedef typename PieceOf<Index>::type Order;
  Order low{};
  for (int k = 0; k < kPieceLanes; ++k) low[k] = k / 2 + k % 2 * kPieceLanes;
  GIVENS_PIECES {
    const Piece x = __builtin_convertvector(a.v[p], Piece);
    const Piece y = __builtin_convertvector(b.v[p], Piece);
    auto* const out = reinterpret_cast<typename PieceOf<R>::unaligned*>(to + 2 * p * kPieceLanes);
    out[0] = __builtin_shuffle(x, y, low);
    out[1] = __builtin_shuffle(x, y, low + kPieceLanes / 2);
  }
}

#undef GIVENS_PIECES

}  // namespace givens::cpu::GIVENS_ISA

#endif
