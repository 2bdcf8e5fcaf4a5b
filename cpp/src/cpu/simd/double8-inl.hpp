// Eight doubles or integers at once, whatever the registers' width: a row of a rotation block.
// Compiled for each instruction set; see engine_headers.hpp.
//
// They are stored as kRegisters vectors of the instruction set. Compilers split wider vectors lane
// by lane in shuffles and comparisons.
#pragma once

#include "cpu/simd/fma-inl.hpp"
#include "cpu/simd/shuffle-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

inline constexpr int kRegisterLanes = GIVENS_VECTOR_BYTES / 8;
inline constexpr int kRegisters = 8 / kRegisterLanes;

// As many numbers of any type as a register has doubles.
template <class E>
struct RegisterOf {
  typedef E type __attribute__((vector_size(kRegisterLanes * sizeof(E))));
  typedef E unaligned
      __attribute__((vector_size(kRegisterLanes * sizeof(E)), aligned(alignof(E)), may_alias));
};

// A comparison's result has all bits of a lane or none.
struct Int64x8 {
  using Register = Bits<double>;
  Register v[kRegisters];
};

struct Double8 {
  using Register = Vector<double>;
  Register v[kRegisters];

  double operator[](int lane) const { return v[lane / kRegisterLanes][lane % kRegisterLanes]; }
};

// For each register p. The sanitizers' builds compile a macro and plain loops faster than lambdas.
#define GIVENS_EACH_REGISTER GIVENS_UNROLL(4) for (int p = 0; p < kRegisters; ++p)
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
GIVENS_OPERATOR(&, Int64x8, Int64x8, Int64x8)
GIVENS_OPERATOR(^, Int64x8, Int64x8, Int64x8)
GIVENS_OPERATOR_WITH_ALL(+, Double8, Double8, double)
GIVENS_OPERATOR_WITH_ALL(-, Double8, Double8, double)
GIVENS_OPERATOR_WITH_ALL(*, Double8, Double8, double)
GIVENS_OPERATOR_WITH_ALL(+, Int64x8, Int64x8, std::int64_t)
GIVENS_OPERATOR_WITH_ALL(&, Int64x8, Int64x8, std::int64_t)
GIVENS_OPERATOR_WITH_ALL(<<, Int64x8, Int64x8, int)
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

[[gnu::always_inline]] inline Int64x8 operator-(const Int64x8& a) {
  Int64x8 out;
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

// a where the mask has bits, else b.
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

[[gnu::always_inline]] inline Double8 all_eight(double x) { return all_lanes<Double8>(x); }

// See fma and fnma.
[[gnu::always_inline]] inline Double8 fused_add(const Double8& a, const Double8& b,
                                                const Double8& c) {
  Double8 out;
  GIVENS_EACH_REGISTER out.v[p] = fused_add(a.v[p], b.v[p], c.v[p]);
  return out;
}

[[gnu::always_inline]] inline Double8 fused_subtract(const Double8& a, const Double8& b,
                                                     const Double8& c) {
  Double8 out;
  GIVENS_EACH_REGISTER out.v[p] = fused_subtract(a.v[p], b.v[p], c.v[p]);
  return out;
}

// --- Moving lanes ---

// Orders of the eight lanes.
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

// Order for register P, which has lanes of at most two registers, kFirst and kOther: there are no
// more, or it has two lanes.
template <class Order, int P>
struct RegisterOrder {
  static_assert(kRegisters <= 2 || kRegisterLanes == 2);
  static constexpr int from(int k) { return Order::at(P * kRegisterLanes + k) / kRegisterLanes; }
  static constexpr int kFirst = from(0);
  static constexpr int kOther = [] {
    int other = kFirst;
    for (int k = 0; k < kRegisterLanes; ++k) {
      if (from(k) != kFirst) other = from(k);
    }
    return other;
  }();
  static constexpr int at(int k, int lanes) {
    return (from(k) == kFirst ? 0 : lanes) + Order::at(P * kRegisterLanes + k) % lanes;
  }
};

// Lane k is lane Order::at(k) of a.
template <class Order>
[[gnu::always_inline]] inline Double8 permuted(const Double8& a) {
  Double8 out;
  unrolled<kRegisters>([&](auto p) __attribute__((always_inline)) {
    using Here = RegisterOrder<Order, p.value>;
    out.v[p] = shuffle<Here>(a.v[Here::kFirst], a.v[Here::kOther]);
  });
  return out;
}

template <class Choice, int P>
struct RegisterChoice {
  static constexpr int at(int k, int lanes) { return (Choice::at(P * lanes + k) ? 0 : lanes) + k; }
};

// Lane k is lane k of a where Choice::at(k), else of b.
template <class Choice>
[[gnu::always_inline]] inline Double8 chosen(const Double8& a, const Double8& b) {
  Double8 out;
  unrolled<kRegisters>([&](auto p) __attribute__((always_inline)) {
    out.v[p] = shuffle<RegisterChoice<Choice, p.value>>(a.v[p], b.v[p]);
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

// value(0) .. value(7). It does not go through memory: a load of what several smaller stores wrote
// waits for all of them.
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
  GIVENS_EACH_REGISTER {
    const Register x = __builtin_convertvector(a.v[p], Register);
    const Register y = __builtin_convertvector(b.v[p], Register);
    auto* const out =
        reinterpret_cast<typename RegisterOf<R>::unaligned*>(to + 2 * p * kRegisterLanes);
    out[0] = shuffle<FirstHalvesInTurn>(x, y);
    out[1] = shuffle<SecondHalvesInTurn>(x, y);
  }
}

#undef GIVENS_EACH_REGISTER

}  // namespace givens::cpu::GIVENS_ISA
