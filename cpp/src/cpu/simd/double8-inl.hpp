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

inline constexpr int kRegisterLanes = GIVENS_VECTOR_BYTES / 8;
inline constexpr int kRegisters = 8 / kRegisterLanes;

// As many numbers as a piece has.
template <class E>
struct RegisterOf {
  typedef E type __attribute__((vector_size(kRegisterLanes * sizeof(E))));
  typedef E unaligned
      __attribute__((vector_size(kRegisterLanes * sizeof(E)), aligned(alignof(E)), may_alias));
};

// By lane, of a comparison all bits or none.
struct Int64x8 {
  using Register = RegisterOf<std::int64_t>::type;
  Register v[kRegisters];
};

struct Double8 {
  using Register = RegisterOf<double>::type;
  Register v[kRegisters];

  double operator[](int lane) const { return v[lane / kRegisterLanes][lane % kRegisterLanes]; }
};

// For each piece p. A macro and plain loops: lambdas take the sanitizers' builds longer to compile.
#define GIVENS_EACH_REGISTER _Pragma("GCC unroll 4") for (int p = 0; p < kRegisters; ++p)
#define GIVENS_OPERATOR(op, Out, A, B)                                    \
  [[gnu::always_inline]] inline Out operator op(const A& a, const B& b) { \
    Out out;                                                              \
    GIVENS_EACH_REGISTER out.v[p] = (Out::Register)(a.v[p] op b.v[p]);    \
    return out;                                                           \
  }
#define GIVENS_OPERATOR_WITH_ALL(op, Out, A, E)                    \
  [[gnu::always_inline]] inline Out operator op(const A& a, E b) { \
    Out out;                                                       \
    GIVENS_EACH_REGISTER out.v[p] = (Out::Register)(a.v[p] op b);  \
    return out;                                                    \
  }
#define GIVENS_OPERATOR_OF_ALL(op, Out, E, B)                      \
  [[gnu::always_inline]] inline Out operator op(E a, const B& b) { \
    Out out;                                                       \
    GIVENS_EACH_REGISTER out.v[p] = a op b.v[p];                   \
    return out;                                                    \
  }
GIVENS_OPERATOR(+, Double8, Double8, Double8)
GIVENS_OPERATOR(-, Double8, Double8, Double8)
GIVENS_OPERATOR(*, Double8, Double8, Double8)
GIVENS_OPERATOR(<, Int64x8, Double8, Double8)
GIVENS_OPERATOR(>, Int64x8, Double8, Double8)
GIVENS_OPERATOR(^, Int64x8, Int64x8, Int64x8)
GIVENS_OPERATOR_WITH_ALL(+, Double8, Double8, double)
GIVENS_OPERATOR_WITH_ALL(-, Double8, Double8, double)
GIVENS_OPERATOR_WITH_ALL(*, Double8, Double8, double)
GIVENS_OPERATOR_WITH_ALL(+, Int64x8, Int64x8, std::int64_t)
GIVENS_OPERATOR_WITH_ALL(&, Int64x8, Int64x8, std::int64_t)
GIVENS_OPERATOR_WITH_ALL(<<, Int64x8, Int64x8, int)
GIVENS_OPERATOR_WITH_ALL(!=, Int64x8, Int64x8, std::int64_t)
GIVENS_OPERATOR_OF_ALL(-, Double8, double, Double8)
GIVENS_OPERATOR_OF_ALL(/, Double8, double, Double8)
#undef GIVENS_OPERATOR
#undef GIVENS_OPERATOR_WITH_ALL
#undef GIVENS_OPERATOR_OF_ALL

[[gnu::always_inline]] inline Double8 operator-(const Double8& a) {
  Double8 out;
  GIVENS_EACH_REGISTER out.v[p] = -a.v[p];
  return out;
}

[[gnu::always_inline]] inline Double8& operator*=(Double8& a, const Double8& b) {
  GIVENS_EACH_REGISTER a.v[p] *= b.v[p];
  return a;
}

[[gnu::always_inline]] inline Int64x8 bits_of(const Double8& a) {
  Int64x8 out;
  GIVENS_EACH_REGISTER out.v[p] = (Int64x8::Register)a.v[p];
  return out;
}

[[gnu::always_inline]] inline Double8 from_bits(const Int64x8& a) {
  Double8 out;
  GIVENS_EACH_REGISTER out.v[p] = (Double8::Register)a.v[p];
  return out;
}

// Those of a where the mask has bits, else those of b.
[[gnu::always_inline]] inline Double8 select(const Int64x8& mask, const Double8& a,
                                             const Double8& b) {
  Double8 out;
  GIVENS_EACH_REGISTER out.v[p] = mask.v[p] ? a.v[p] : b.v[p];
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
[[gnu::always_inline]] inline Double8::Register permuted_register(
    const Double8& a, std::integer_sequence<int, K...>) {
  // A piece has lanes of two others at most: there are no more, or it has two lanes.
  static_assert(kRegisters <= 2 || kRegisterLanes == 2);
  constexpr int kFirst = Order::at(P * kRegisterLanes) / kRegisterLanes;
  constexpr int kAngles[] = {Order::at(P * kRegisterLanes + K)...};
  constexpr int kOther = [&] {
    for (const int angle : kAngles) {
      if (angle / kRegisterLanes != kFirst) return angle / kRegisterLanes;
    }
    return kFirst;
  }();
  const Int64x8::Register order = {(kAngles[K] / kRegisterLanes == kFirst ? 0 : kRegisterLanes) +
                                   kAngles[K] % kRegisterLanes...};
  return __builtin_shuffle(a.v[kFirst], a.v[kOther], order);
}

// Lane k is lane Order::at(k) of a.
template <class Order>
[[gnu::always_inline]] inline Double8 permuted(const Double8& a) {
  Double8 out;
  unrolled<kRegisters>([&](auto p) __attribute__((always_inline)) {
    out.v[p] =
        permuted_register<Order, p.value>(a, std::make_integer_sequence<int, kRegisterLanes>{});
  });
  return out;
}

template <class Choice, int P, int... K>
[[gnu::always_inline]] inline Double8::Register chosen_register(const Double8& a, const Double8& b,
                                                                std::integer_sequence<int, K...>) {
  const Int64x8::Register order = {(Choice::at(P * kRegisterLanes + K) ? 0 : kRegisterLanes) +
                                   K...};
  return __builtin_shuffle(a.v[P], b.v[P], order);
}

// Lane k is that of a where Choice::at(k), else that of b.
template <class Choice>
[[gnu::always_inline]] inline Double8 chosen(const Double8& a, const Double8& b) {
  Double8 out;
  unrolled<kRegisters>([&](auto p) __attribute__((always_inline)) {
    out.v[p] =
        chosen_register<Choice, p.value>(a, b, std::make_integer_sequence<int, kRegisterLanes>{});
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
[[gnu::always_inline]] inline Double8::Register register_of(Value&& value, int first,
                                                            std::integer_sequence<int, K...>) {
  return Double8::Register{value(first + K)...};
}

// value(0) .. value(7). Not by way of memory: to load at once what has been stored piece by piece
// takes long.
template <class Value>
[[gnu::always_inline]] inline Double8 eight_of(Value&& value) {
  Double8 out;
  unrolled<kRegisters>([&](auto p) __attribute__((always_inline)) {
    out.v[p] = register_of(value, p.value * kRegisterLanes,
                           std::make_integer_sequence<int, kRegisterLanes>{});
  });
  return out;
}

// from[0] .. from[7].
template <class E>
[[gnu::always_inline]] inline Double8 load_eight(const E* from) {
  Double8 out;
  GIVENS_EACH_REGISTER {
    const typename RegisterOf<E>::type lanes =
        *reinterpret_cast<const typename RegisterOf<E>::unaligned*>(from + p * kRegisterLanes);
#if GIVENS_VECTOR_BYTES == 64
    if constexpr (std::is_same_v<E, float>) {
      // One instruction where GCC makes five. With a mask, because its header warns of the other
      // form.
      out.v[p] = (Double8::Register)_mm512_maskz_cvtps_pd(0xFF, (__m256)lanes);
    } else {
      out.v[p] = __builtin_convertvector(lanes, Double8::Register);
    }
#else
    out.v[p] = __builtin_convertvector(lanes, Double8::Register);
#endif
  }
  return out;
}

template <class R>
[[gnu::always_inline]] inline void store_eight(R* to, const Double8& a) {
  GIVENS_EACH_REGISTER {
    *reinterpret_cast<typename RegisterOf<R>::unaligned*>(to + p * kRegisterLanes) =
        __builtin_convertvector(a.v[p], typename RegisterOf<R>::type);
  }
}

// to[2 k] is a[k], to[2 k + 1] is b[k].
template <class R>
[[gnu::always_inline]] inline void store_in_turn(R* to, const Double8& a, const Double8& b) {
  using Register = typename RegisterOf<R>::type;
  typedef std::conditional_t<sizeof(R) == 4, std::int32_t, std::int64_t> Index;
  typedef typename RegisterOf<Index>::type Order;
  Order low{};
  for (int k = 0; k < kRegisterLanes; ++k) low[k] = k / 2 + k % 2 * kRegisterLanes;
  GIVENS_EACH_REGISTER {
    const Register x = __builtin_convertvector(a.v[p], Register);
    const Register y = __builtin_convertvector(b.v[p], Register);
    auto* const out =
        reinterpret_cast<typename RegisterOf<R>::unaligned*>(to + 2 * p * kRegisterLanes);
    out[0] = __builtin_shuffle(x, y, low);
    out[1] = __builtin_shuffle(x, y, low + kRegisterLanes / 2);
  }
}

#undef GIVENS_EACH_REGISTER

}  // namespace givens::cpu::GIVENS_ISA

#endif
