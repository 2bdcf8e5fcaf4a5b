// Sine and cosine of many angles at once. Compiled for each instruction set; see
// engine_headers.hpp.
#if defined(GIVENS_CPU_BATCHED_SINCOS_INL_HPP) == defined(GIVENS_TARGET_TOGGLE)
#ifdef GIVENS_CPU_BATCHED_SINCOS_INL_HPP
#undef GIVENS_CPU_BATCHED_SINCOS_INL_HPP
#else
#define GIVENS_CPU_BATCHED_SINCOS_INL_HPP
#endif

#include "cpu/simd/sincos-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

// How many angles are done at once, and up to which size of theirs.
template <class R>
struct SinCos;

template <>
struct SinCos<float> {
  typedef Vector<float> Packet;
  static constexpr float largest = 6000.0F;

  // Within 2 ulp. Cody-Waite reduction to |r| <= pi/4 with pi/2 in four parts, the first three of
  // 12 bits or fewer, so that their products with a quotient below 2^12 are exact; what r loses to
  // rounding goes into the sine. Then polynomials of least error on that interval.
  [[gnu::always_inline]] static void reduced(const Packet& t, Packet& sine, Packet& cosine) {
    typedef std::int32_t Integers __attribute__((vector_size(GIVENS_VECTOR_BYTES)));
    constexpr float kRound = 12582912.0F;  // 1.5 * 2^23: adding it rounds to an integer
    const Packet shifted = t * 0.636619772F + kRound;
    const Packet quotient = shifted - kRound;
    const Integers quadrant = (Integers)shifted;
    const Packet exact = (t - quotient * 0x1.92p+0F) - quotient * 0x1.fb4p-12F;
    const Packet third = quotient * 0x1.444p-24F;
    const Packet r = exact - third;
    const Packet rest = ((exact - r) - third) - quotient * 0x1.68c234p-39F;
    const Packet z = r * r;
    const Packet s =
        r + ((r * z) * ((z * -1.9515295891e-4F + 8.3321608736e-3F) * z - 1.6666654611e-1F) + rest);
    const Packet c =
        (1.0F - 0.5F * z) +
        (z * z) * ((z * 2.443315711809948e-5F - 1.388731625493765e-3F) * z + 4.166664568298827e-2F);
    const Integers odd = (quadrant & 1) != 0;
    // The sign bit, from bit 1 of the quadrant.
    sine = (Packet)((Integers)(odd ? c : s) ^ ((quadrant & 2) << 30));
    cosine = (Packet)((Integers)(odd ? s : c) ^ (((quadrant + 1) & 2) << 30));
  }
};

template <>
struct SinCos<double> {
  typedef Vector<double> Packet;
  static constexpr double largest = kLargestReduced;

  // The method of sincos_reduced<double>, with what r loses to rounding in sine and cosine; for
  // vectors of the instruction set's own width, which compilers handle better than wider ones.
  [[gnu::always_inline]] static void reduced(const Packet& t, Packet& sine, Packet& cosine) {
    typedef std::int64_t Integers __attribute__((vector_size(GIVENS_VECTOR_BYTES)));
    constexpr double kRound = 6755399441055744.0;  // 1.5 * 2^52
    const Packet shifted = t * 0.63661977236758134308 + kRound;
    const Packet quotient = shifted - kRound;
    const Integers quadrant = (Integers)shifted;
    const Packet exact = t - quotient * 1.57079632673412561417e+00;
    const Packet second = quotient * 6.07710050630396597660e-11;
    const Packet r = exact - second;
    const Packet rest = ((exact - r) - second) - quotient * 2.02226624879595063154e-21;
    const Packet z = r * r;
    Packet p = z * (-1 / 1307674368000.0) + 1 / 6227020800.0;
    p = p * z - 1 / 39916800.0;
    p = p * z + 1 / 362880.0;
    p = p * z - 1 / 5040.0;
    p = p * z + 1 / 120.0;
    p = p * z - 1 / 6.0;
    Packet tail = z * (1 / 20922789888000.0) - 1 / 87178291200.0;
    tail = tail * z + 1 / 479001600.0;
    tail = tail * z - 1 / 3628800.0;
    tail = tail * z + 1 / 40320.0;
    tail = tail * z - 1 / 720.0;
    tail = tail * z + 1 / 24.0;
    // 1 - z / 2 is rounded; what is lost goes into the tail.
    const Packet half = z * 0.5;
    const Packet whole = 1.0 - half;
    const Packet s = r + (r * (z * p) + rest * whole);
    const Packet c = whole + ((((1.0 - whole) - half) - r * rest) + z * z * tail);
    // All bits, from bit 0 of the quadrant; the sign bit, from bit 1.
    const Integers odd = -(quadrant & 1);
    const Integers sine_bits = ((Integers)c & odd) | ((Integers)s & ~odd);
    const Integers cosine_bits = ((Integers)s & odd) | ((Integers)c & ~odd);
    sine = (Packet)(sine_bits ^ ((quadrant & 2) << 62));
    cosine = (Packet)(cosine_bits ^ (((quadrant + 1) & 2) << 62));
  }
};

// `count` angles, rounded up to a multiple of this: that much memory the three arrays must have,
// and that of the angles must be initialised.
template <class R>
inline constexpr std::int64_t kAnglesAtOnce = sizeof(typename SinCos<R>::Packet) / sizeof(R);

// Each result depends on its own angle only. Large angles, infinite ones and NaN are left to the C
// library.
template <class R>
void sines_and_cosines(const R* angles, std::int64_t count, R* sines, R* cosines) {
  using Packet = typename SinCos<R>::Packet;
  typedef Packet Unaligned __attribute__((aligned(alignof(R)), may_alias));
  constexpr R largest = SinCos<R>::largest;
  auto excessive = Packet{} != Packet{};
  for (std::int64_t k = 0; k < count; k += kAnglesAtOnce<R>) {
    const Packet t = *reinterpret_cast<const Unaligned*>(angles + k);
    excessive |= ~((t <= largest) & (t >= -largest));
    Packet s, c;
    SinCos<R>::reduced(t, s, c);
    *reinterpret_cast<Unaligned*>(sines + k) = s;
    *reinterpret_cast<Unaligned*>(cosines + k) = c;
  }
  bool any = false;
  for (std::int64_t k = 0; k < kAnglesAtOnce<R>; ++k) any = any || excessive[k] != 0;
  if (!any) return;
  for (std::int64_t k = 0; k < count; ++k) {
    if (std::abs(angles[k]) <= largest) continue;
    sines[k] = std::sin(angles[k]);
    cosines[k] = std::cos(angles[k]);
  }
}

}  // namespace givens::cpu::GIVENS_ISA

#endif
