// A matrix whose entries below the diagonal an engine makes zero by rotations.
#pragma once

#include <algorithm>
#include <complex>
#include <cstdint>
#include <vector>

#include "givens/schedule.hpp"
#include "givens/view.hpp"
#include "runtime/scratch.hpp"

namespace givens::cpu {

struct RotationAngles {
  double angle = 0;
  double phase = 0;
};

// (x, y) <- (c x - conj(q) y, c y + q x).
template <class F>
struct Rotation {
  double c = 1;
  F q = 0;
};

// Memory for n x m matrices, one after the other. F is double or complex<double>. A row has its
// real parts, then its imaginary parts. Zeros surround either, so that vectors of up to 8 numbers
// and chains of rotations may go beyond the edges.
template <class F>
class Elimination {
 public:
  // Chains of rotations that are applied at once.
  static constexpr int kChains = 4;
  static constexpr std::int64_t kZeros = 16;

  explicit Elimination(const Schedule& schedule)
      : n(schedule.n()),
        columns(schedule.columns()),
        is_brickwall(schedule.kind() == Schedule::Kind::brickwall),
        offsets(schedule.round_offsets()),
        // An odd number of cache lines, so that a column uses all sets of the cache.
        part(((columns + 7) / 8 | 1) * 8 + kZeros),
        stride(is_complex_v<F> ? 2 * part : part),
        angles(static_cast<std::size_t>(offsets.back())),
        phases(n),
        chain(n),
        chains_from_right(kChains * (n + kZeros)),
        chains_from_left(kChains * (n + kZeros)),
        memory_(kZeros + (n + kChains) * stride) {
    std::fill_n(memory_.data(), kZeros + (n + kChains) * stride, 0.0);
  }

  double* row(std::int64_t r) const { return memory_.data() + kZeros + r * stride; }

  F entry(std::int64_t r, std::int64_t c) const {
    if constexpr (is_complex_v<F>) {
      return {row(r)[c], row(r)[c + part]};
    } else {
      return row(r)[c];
    }
  }

  void set_entry(std::int64_t r, std::int64_t c, const F& value) const {
    row(r)[c] = std::real(value);
    if constexpr (is_complex_v<F>) row(r)[c + part] = value.imag();
  }

  // D, when the rest is zero; beyond the columns it is 1.
  F diagonal(std::int64_t r) const { return r < columns ? entry(r, r) : F(1); }

  const std::int64_t n;
  const std::int64_t columns;
  const bool is_brickwall;
  const std::vector<std::int64_t> offsets;  // where the schedule's rounds begin
  const std::int64_t part;                  // from a real part to its imaginary part
  const std::int64_t stride;                // from row to row
  std::vector<RotationAngles> angles;       // in schedule order
  const runtime::Scratch<double> phases;    // of D; 0 or pi if it is real
  // Memory of the engine.
  const runtime::Scratch<Rotation<F>> chain;
  const runtime::Scratch<Rotation<F>> chains_from_right;
  const runtime::Scratch<Rotation<F>> chains_from_left;

 private:
  runtime::Scratch<double> memory_;
};

}  // namespace givens::cpu
