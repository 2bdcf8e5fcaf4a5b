// Sines and cosines of many angles. Compiled for each instruction set; see engine_headers.hpp.
#pragma once

#include "cpu/simd/sincos-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

// Each result depends on its own angle only. Large angles, infinite ones and NaN are left to the C
// library. All three arrays have memory for `count` numbers, rounded up to a multiple of kLanes,
// and the angles are initialised up to there.
template <class R>
void sines_and_cosines(const R* angles, std::int64_t count, R* sines, R* cosines) {
  constexpr R kLargest = sizeof(R) == 4 ? R(kLargestReducedFloat) : R(kLargestReduced);
  Bits<R> excessive{};
  for (std::int64_t k = 0; k < count; k += kLanes<R>) {
    const Vector<R> t = load(angles + k);
    excessive |= ~((t <= kLargest) & (t >= -kLargest));
    Vector<R> s, c;
    if constexpr (sizeof(R) == 4) {
      sincos_reduced_float(t, s, c);
    } else {
      sincos_reduced<R>(t, s, c);
    }
    store(sines + k, s);
    store(cosines + k, c);
  }
  if (none<R>(excessive)) return;
  for (std::int64_t k = 0; k < count; ++k) {
    if (std::abs(angles[k]) <= kLargest) continue;
    sines[k] = std::sin(angles[k]);
    cosines[k] = std::cos(angles[k]);
  }
}

}  // namespace givens::cpu::GIVENS_ISA
