// The coefficients of one matrix for the steps of a plan. Compiled for each instruction set; see
// engine_headers.hpp.
//
// Blocks are run as fast, self-scaling Givens rotations (Gentleman 1973, Hammarling 1974, Anda and
// Park 1994): within a block a row is kept without its scale d, true row = d x stored row. A
// rotation by t with phase f is then
//   [c -e's; e s c] diag(d_i, d_j) = diag(d_i c, d_j c) [1 -p; q 1],
//   p = e' T d_j / d_i,  q = e T d_i / d_j,  T = tan t,  e = exp(i f) and e' its conjugate,
// two multiply-adds a column, and the scales take the c's. Every block starts from scales of 1 and
// multiplies its rows by their scales at its end, so that no step depends on another. Scales are
// real and kept in double, with their reciprocals, so that p and q are rounded once. A block whose
// scales leave the safe range, and pairs of rows, are run in the standard form with c.
#pragma once

#include "cpu/coefficients/rotations-inl.hpp"
#include "cpu/coefficients/sines_and_cosines-inl.hpp"
#include "cpu/simd/vector_pack-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

// How a step is run.
enum class Mode : std::uint8_t {
  fast,      // blocks: the form above
  standard,  // pairs, and any block: one rotation after the other, with its cosine
};

// In the fast form no scale is below `least`: then no stored row overflows if the entries of the
// vectors are at most `largest`. For gradients the products of two stored rows do not either.
template <class R, bool Gradient>
struct Limits;
template <>
struct Limits<float, false> {
  static constexpr double least = 0x1p-64;
  static constexpr float largest = 0x1p50F;
};
template <>
struct Limits<float, true> {
  static constexpr double least = 0x1p-40;
  static constexpr float largest = 0x1p18F;
};
template <>
struct Limits<double, false> {
  static constexpr double least = 0x1p-512;
  static constexpr double largest = 0x1p400;
};
template <>
struct Limits<double, true> {
  static constexpr double least = 0x1p-250;
  static constexpr double largest = 0x1p250;
};

// The coefficients for some steps of a plan that follow one another, or for all.
template <class F>
struct Coefficients {
  using R = real_t<F>;

  std::vector<Mode> modes;          // for each step of the plan
  std::int64_t first_rotation = 0;  // of the steps
  // For each step, kCoefficients of each rotation, by its index: see rotate_packs and, for the
  // standard form, rotate_standard. In the fast form the scales of the rows follow, 16 or 8. There
  // is room for two more numbers with seven rotations: 8 with a diagonal block, 18 with another.
  runtime::Scratch<R> values;
  // For gradients, by the index of the rotation: the factor of its sum over stored rows; see
  // kernels/steps-inl.hpp.
  runtime::Scratch<R> weights;

  R* of(const Step& step) const {
    return values.data() + place_of(step.first_rotation - first_rotation);
  }
  static std::int64_t place_of(std::int64_t rotation) {
    return kCoefficients<F> * rotation + 2 * rotation / 7;
  }
  R* scales_of(const Step& step) const { return of(step) + kCoefficients<F> * step.count; }
  // What sums are multiplied by where all steps are of pairs and the smaller coordinate comes
  // first.
  void set_weights_of_pairs(const Plan& plan) {
    modes.assign(plan.steps.size(), Mode::standard);
    weights.resize(plan.rotations);
    std::fill_n(weights.data(), plan.rotations, R(1));
  }

  R* weights_of(const Step& step) const {
    return weights.data() + (step.first_rotation - first_rotation);
  }
};

// Finds coefficients, run of steps by run of steps: for the rotations from the first to the last,
// or with Adjoint for their inverses from the last to the first. After `start`, `run` may be called
// from many threads at once for different steps.
template <class F, bool Adjoint>
class CoefficientBuilder {
 public:
  using R = real_t<F>;

  // `unscaled`: all steps in standard form, for vectors beyond Limits::largest. Angles that are not
  // finite are so too. `gradient`: with weights.
  CoefficientBuilder(const Plan& plan, const ParameterValues<R>& input, bool unscaled,
                     bool gradient, Coefficients<F>& coefficients)
      : plan_(plan),
        input_(input),
        finder_(plan, input),
        unscaled_(unscaled || input.kind == Angles::not_finite),
        gradient_(gradient),
        least_(gradient ? Limits<R, true>::least : Limits<R, false>::least),
        out_(coefficients) {
    coefficients.modes.assign(plan.steps.size(), Mode::fast);
  }

  // The coefficients will be for these steps, and no longer for those before.
  void start(Range steps) {
    const std::int64_t rotations = rotations_of(plan_, steps);
    out_.first_rotation = first_rotation_of(plan_, steps);
    out_.values.resize(Coefficients<F>::place_of(rotations) + 1);
    if (gradient_) out_.weights.resize(rotations);
  }

  void run(Range steps) {
    SinesAndCosines<F, Adjoint> values(plan_, input_);
    for (std::int64_t m = steps.first; m < steps.last; ++m) {
      const std::int64_t k = Adjoint ? steps.first + steps.last - 1 - m : m;
      const Step& step = plan_.steps[static_cast<std::size_t>(k)];
      if (unscaled_ || step.pattern == Pattern::pairs || !add_fast(step)) {
        out_.modes[static_cast<std::size_t>(k)] = Mode::standard;
        add_standard(step, values);
      }
    }
  }

 private:
  // Whether the scales stay in the safe range; if not, nothing of the block's coefficients counts.
  bool add_fast(const Step& step) const {
    return step.pattern == Pattern::diagonal_block ? add_diagonal_block(step)
                                                   : add_rotation_block(step);
  }

  // --- Fast form ---

  // The scales of eight rows and their reciprocals.
  struct RowScales {
    Double8 d;
    Double8 r;

    [[gnu::always_inline]] static RowScales ones() { return {all_eight(1.0), all_eight(1.0)}; }
    [[gnu::always_inline]] void rotate(const Double8& cosine, const Double8& reciprocal) {
      d *= cosine;
      r *= reciprocal;
    }
    template <class Order>
    [[gnu::always_inline]] RowScales permuted() const {
      return {GIVENS_ISA::permuted<Order>(d), GIVENS_ISA::permuted<Order>(r)};
    }
  };

  bool add_rotation_block(const Step& step) const {
    RowScales a = RowScales::ones();
    RowScales b = RowScales::ones();
    switch (step.pattern) {
      case Pattern::xor_block:
        add_xor_block(step, a, b);
        break;
      case Pattern::diamond_block:
        add_diamond_block(step, a, b);
        break;
      default:
        add_sum_block(step, a, b);
    }
    if (smallest_of(lesser(magnitude(a.d), magnitude(b.d))) < least_) return false;
    R* scales = out_.scales_of(step);
    store_eight(scales, a.d);
    store_eight(scales + kRowBlock, b.d);
    return true;
  }

  // Writes the coefficients and weights of rotations `first` .. first + 7. Their rows have the
  // scales x and y; x belongs to the smaller coordinate.
  [[gnu::always_inline]] void write_row(const Step& step, int first, const Rotations<F>& g,
                                        const RowScales& x, const RowScales& y) const {
    write_eight(step, first, g.tangent * (y.d * x.r), g.tangent * (x.d * y.r), g.phase);
    if (gradient_) write_weights(step, first, x.d * y.d);
  }

  // Writes the coefficients for p and q without the phase.
  [[gnu::always_inline]] void write_eight(const Step& step, int first, const Double8& p,
                                          const Double8& q,
                                          [[maybe_unused]] const Phases<F>& phase) const {
    R* out = out_.of(step) + kCoefficients<F> * first;
    if constexpr (is_complex_v<F>) {
      R numbers[4][8];
      store_eight(numbers[0], p * phase.cosine);
      store_eight(numbers[1], -p * phase.sine);
      store_eight(numbers[2], q * phase.cosine);
      store_eight(numbers[3], q * phase.sine);
      GIVENS_UNROLL(8)
      for (int k = 0; k < 8; ++k) {
        for (int part = 0; part < 4; ++part) out[4 * k + part] = numbers[part][k];
      }
    } else {
      store_in_turn(out, p, q);
    }
  }

  [[gnu::always_inline]] void write_weights(const Step& step, int first,
                                            const Double8& weights) const {
    store_eight(out_.weights_of(step) + first, weights);
  }

  void block_rotations(const Step& step, Rotations<F>* out) const {
    for (int m = 0; m < 8; ++m) finder_.find(step, m, out[m]);
  }

  void add_xor_block(const Step& step, RowScales& a, RowScales& b) const {
    if (finder_.angles_in_rows(step)) {
      finder_.prefetch(step);
      add_xor_rows(step, a, b,
                   [&](int s) __attribute__((always_inline)) { return finder_.find_row(step, s); });
    } else {
      Rotations<F> g[8];
      block_rotations(step, g);
      add_xor_rows(step, a, b, [&](int s) __attribute__((always_inline)) -> const Rotations<F>& {
        return g[s];
      });
    }
  }

  template <class RotationsOf>
  [[gnu::always_inline]] void add_xor_rows(const Step& step, RowScales& scales_a,
                                           RowScales& scales_b, RotationsOf&& rotations_at) const {
    using Reversed = LaneFrom<7>;
    RowScales a = scales_a;
    // Lane k has row k XOR s of b, which row k of a meets in round s.
    RowScales partners = Adjoint ? scales_b.template permuted<Reversed>() : scales_b;
    unrolled<8>([&](auto row) __attribute__((always_inline)) {
      constexpr int s = Adjoint ? 7 - row.value : row.value;
      const Rotations<F>& g = rotations_at(s);
      write_row(step, 8 * s, g, a, partners);
      a.rotate(g.cosine, g.reciprocal);
      partners.rotate(g.cosine, g.reciprocal);
      if constexpr (row.value < 7) {
        partners = partners.template permuted<LaneXor<s ^ (Adjoint ? s - 1 : s + 1)>>();
      }
    });
    scales_a = a;
    scales_b = Adjoint ? partners : partners.template permuted<Reversed>();
  }

  // The lanes of an anti-diagonal of 8 x 8.
  template <int Sum>
  struct OnDiagonal {
    static constexpr bool at(int lane) { return Sum < 8 ? lane <= Sum : lane > Sum - 8; }
  };

  // On anti-diagonal `sum` of a sum block lane k has row k of a and row (sum - k) mod 8 of b.
  // Anti-diagonals m and m + 8 have no lane in common and share eight indices.
  void add_sum_block(const Step& step, RowScales& a, RowScales& b) const {
    using Roll = LanePlus<Adjoint ? 1 : -1>;  // from one anti-diagonal to the next
    // AtFirst brings b's rows to the lanes of the first anti-diagonal, AtLast back from the last.
    using AtFirst = LaneFrom<Adjoint ? 14 : 0>;
    using AtLast = LaneFrom<Adjoint ? 0 : 14>;
    const Double8 coordinate_a = coordinates(step.a);
    Double8 coordinate_b = permuted<AtFirst>(coordinates(step.b));
    RowScales rows = a;
    RowScales partners = b.template permuted<AtFirst>();
    Rotations<F> g[8];
    block_rotations(step, g);
    Double8 p[8], q[8], weight[8], sign[8];
    unrolled<15>([&](auto m) __attribute__((always_inline)) {
      constexpr int sum = Adjoint ? 14 - m.value : m.value;
      constexpr int row = sum % 8;
      const Double8 signs = select(coordinate_a > coordinate_b, all_eight(-1.0), all_eight(1.0));
      const Double8 tangent = signs * g[row].tangent;
      const Double8 new_p = tangent * (partners.d * rows.r);
      const Double8 new_q = tangent * (rows.d * partners.r);
      const Double8 new_weight = signs * (rows.d * partners.d);
      if constexpr (m.value < 7) {
        // Lanes that another anti-diagonal will overwrite.
        p[row] = new_p;
        q[row] = new_q;
        weight[row] = new_weight;
        sign[row] = signs;
      }
      using Active = OnDiagonal<sum>;
      const Double8 one = all_eight(1.0);
      const Double8 cosine = chosen<Active>(g[row].cosine, one);
      const Double8 reciprocal = chosen<Active>(g[row].reciprocal, one);
      rows.rotate(cosine, reciprocal);
      partners.rotate(cosine, reciprocal);
      if constexpr (m.value >= 7) {
        constexpr bool kAll = m.value == 7;
        const auto with_earlier = [](const Double8& now, [[maybe_unused]] const Double8& before)
                                      __attribute__((always_inline)) {
                                        if constexpr (kAll) return now;
                                        return chosen<Active>(now, before);
                                      };
        const Double8 all_signs = with_earlier(signs, sign[row]);
        write_eight(step, 8 * row, with_earlier(new_p, p[row]), with_earlier(new_q, q[row]),
                    rotated<F>(g[row].phase, all_signs));
        if (gradient_) write_weights(step, 8 * row, with_earlier(new_weight, weight[row]));
      }
      if constexpr (m.value < 14) {
        partners = partners.template permuted<Roll>();
        coordinate_b = permuted<Roll>(coordinate_b);
      }
    });
    a = rows;
    b = partners.template permuted<AtLast>();
  }

  static RowScales scales_at(const double* d, const double* r) {
    return {load_eight(d), load_eight(r)};
  }

  // Rows are in the order of the coordinates.
  void add_diamond_block(const Step& step, RowScales& a, RowScales& b) const {
    Rotations<F> g[8];
    block_rotations(step, g);
    static constexpr auto kOrder = block_order<kRowBlock>(Pattern::diamond_block);
    double d[2 * kRowBlock], r[2 * kRowBlock];
    std::fill_n(d, 2 * kRowBlock, 1.0);
    std::fill_n(r, 2 * kRowBlock, 1.0);
    double x_d[8][8], x_r[8][8], y_d[8][8], y_r[8][8];
    for (int m = 0; m < kBlockRotations; ++m) {
      const BlockIndex at = kOrder[static_cast<std::size_t>(Adjoint ? kBlockRotations - 1 - m : m)];
      const RowPair rows = rows_of_rotation<kRowBlock>(Pattern::diamond_block, at);
      const int row = (at.k + at.l) % 8;
      x_d[row][at.k] = d[rows.i];
      x_r[row][at.k] = r[rows.i];
      y_d[row][at.k] = d[rows.j];
      y_r[row][at.k] = r[rows.j];
      for (const int k : {rows.i, rows.j}) {
        d[k] *= g[row].cosine[at.k];
        r[k] *= g[row].reciprocal[at.k];
      }
    }
    for (int row = 0; row < 8; ++row) {
      write_row(step, 8 * row, g[row], scales_at(x_d[row], x_r[row]),
                scales_at(y_d[row], y_r[row]));
    }
    a = scales_at(d, r);
    b = scales_at(d + kRowBlock, r + kRowBlock);
  }

  Double8 coordinates(std::int32_t row) const {
    return load_eight(plan_.coordinate_of_row.data() + row);
  }

  // Round r + 1 of a diagonal block: four pairs with indices 4 r .. 4 r + 3, half a row of eight.
  struct DiagonalRound {
    std::array<int, 8> rotation_of_row;  // by row, the lane of its rotation
    std::array<int, 8> first;            // by lane, the same in both halves: the row i ...
    std::array<int, 8> second;           // ... and the row j
  };
  static constexpr std::array<DiagonalRound, 7> diagonal_rounds() {
    constexpr auto kOrder = diagonal_block_order();
    std::array<DiagonalRound, 7> out{};
    for (std::size_t e = 0; e < kOrder.size(); ++e) {
      DiagonalRound& round = out[e / 4];
      for (const std::size_t lane : {e % 4, e % 4 + 4}) {
        round.first[lane] = kOrder[e].i;
        round.second[lane] = kOrder[e].j;
      }
      for (const int row : {kOrder[e].i, kOrder[e].j}) {
        round.rotation_of_row[static_cast<std::size_t>(row)] = static_cast<int>(e % 8);
      }
    }
    return out;
  }

  // The orders of lanes of a round, and the lanes that its rotations have in a row of eight.
  template <int R0, const std::array<int, 8> DiagonalRound::* Lanes>
  struct DiagonalOrder {
    static constexpr int at(int lane) {
      return (diagonal_rounds()[R0].*Lanes)[static_cast<std::size_t>(lane)];
    }
  };
  template <int R0>
  struct InHalf {
    static constexpr bool at(int lane) { return lane / 4 == R0 % 2; }
  };

  bool add_diagonal_block(const Step& step) const {
    RowScales g = RowScales::ones();
    Rotations<F> rotation[4];
    for (int m = 0; m < 4; ++m) finder_.find(step, m, rotation[m]);
    RowScales x[4], y[4];
    unrolled<7>([&](auto round) __attribute__((always_inline)) {
      constexpr int r = Adjoint ? 6 - round.value : round.value;
      constexpr int m = r / 2;
      const RowScales first = g.template permuted<DiagonalOrder<r, &DiagonalRound::first>>();
      const RowScales second = g.template permuted<DiagonalOrder<r, &DiagonalRound::second>>();
      if constexpr (r == 6 || r % 2 == (Adjoint ? 1 : 0)) {
        x[m] = first;
        y[m] = second;
      } else {
        using Mine = InHalf<r>;
        x[m] = {chosen<Mine>(first.d, x[m].d), chosen<Mine>(first.r, x[m].r)};
        y[m] = {chosen<Mine>(second.d, y[m].d), chosen<Mine>(second.r, y[m].r)};
      }
      using Entry = DiagonalOrder<r, &DiagonalRound::rotation_of_row>;
      g.rotate(permuted<Entry>(rotation[m].cosine), permuted<Entry>(rotation[m].reciprocal));
    });
    write_diagonal_block(step, rotation, x, y);
    if (smallest_of(magnitude(g.d)) < least_) return false;
    store_eight(out_.scales_of(step), g.d);
    return true;
  }

  // As write_row, for the three rows and a half of a diagonal block.
  void write_diagonal_block(const Step& step, const Rotations<F>* g, const RowScales* x,
                            const RowScales* y) const {
    for (int m = 0; m < 3; ++m) write_row(step, 8 * m, g[m], x[m], y[m]);
    for (int e = 24; e < kDiagonalBlockRotations; ++e) {
      const int lane = e - 24;
      const double tangent = g[3].tangent[lane];
      write_one(out_.of(step) + kCoefficients<F> * e, tangent * (y[3].d[lane] * x[3].r[lane]),
                tangent * (x[3].d[lane] * y[3].r[lane]), phase_at<F>(g[3].phase, lane));
      if (gradient_) set_weight(step, e, x[3].d[lane] * y[3].d[lane]);
    }
  }

  static void write_one(R* out, double p, double q, [[maybe_unused]] const Phase& phase) {
    if constexpr (is_complex_v<F>) {
      out[0] = static_cast<R>(p * phase.cosine);
      out[1] = static_cast<R>(-p * phase.sine);
      out[2] = static_cast<R>(q * phase.cosine);
      out[3] = static_cast<R>(q * phase.sine);
    } else {
      out[0] = static_cast<R>(p);
      out[1] = static_cast<R>(q);
    }
  }

  void set_weight(const Step& step, int index, double weight) const {
    out_.weights_of(step)[index] = static_cast<R>(weight);
  }

  // --- Standard form ---

  void add_standard(const Step& step, SinesAndCosines<F, Adjoint>& values) const {
    values.find(step);
    const auto add = [&](int index, double orientation) __attribute__((always_inline)) {
      R* const out = out_.of(step) + kCoefficients<F> * index;
      const double sine = (Adjoint ? -orientation : orientation) * values.sine(index);
      out[0] = static_cast<R>(values.cosine(index));
      out[1] = static_cast<R>(sine * values.phase_cosine(index));
      if constexpr (is_complex_v<F>) {
        out[2] = static_cast<R>(sine * orientation * values.phase_sine(index));
      }
      if (gradient_) set_weight(step, index, orientation);
    };
    if (step.pattern == Pattern::pairs) {
      for (int index = 0; index < step.count; ++index) add(index, 1.0);
      return;
    }
    for_each_rotation<Adjoint>(plan_, step, [&](std::int32_t i, std::int32_t j, int index) {
      if (angle_of(plan_, step, index) >= 0) add(index, orientation(i, j));
    });
  }

  // -1 where the first row has the larger coordinate, which makes it a rotation by minus the angle.
  double orientation(std::int32_t row_a, std::int32_t row_b) const {
    const auto& coordinate = plan_.coordinate_of_row;
    return coordinate[static_cast<std::size_t>(row_a)] > coordinate[static_cast<std::size_t>(row_b)]
               ? -1.0
               : 1.0;
  }

  const Plan& plan_;
  const ParameterValues<R> input_;
  const RotationFinder<F, Adjoint> finder_;
  const bool unscaled_;
  const bool gradient_;
  const double least_;  // see Limits
  Coefficients<F>& out_;
};

}  // namespace givens::cpu::GIVENS_ISA
