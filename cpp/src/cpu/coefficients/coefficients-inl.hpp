// The coefficients of one matrix for the steps of a plan. Compiled for each instruction set; see
// engine_headers.hpp.
//
// Panels hold rows without their scale: true row = scale x stored row. A rotation by t with phase f
// is then
//   [c -e's; e s c] diag(d_i, d_j) = diag(d_i c, d_j c) [1 -p; q 1],
//   p = e' T d_j / d_i,  q = e T d_i / d_j,  T = tan t,  e = exp(i f) and e' its conjugate,
// two multiply-adds a column, and the scales take the c's. Scales are real and kept in double, with
// their reciprocals, so that p and q are rounded once. Where they leave the safe range the step is
// done in a plain form that leaves them alone.
#if defined(GIVENS_CPU_COEFFICIENTS_COEFFICIENTS_INL_HPP) == defined(GIVENS_TARGET_TOGGLE)
#ifdef GIVENS_CPU_COEFFICIENTS_COEFFICIENTS_INL_HPP
#undef GIVENS_CPU_COEFFICIENTS_COEFFICIENTS_INL_HPP
#else
#define GIVENS_CPU_COEFFICIENTS_COEFFICIENTS_INL_HPP
#endif

#include "cpu/coefficients/rotations-inl.hpp"
#include "cpu/coefficients/sines_and_cosines-inl.hpp"
#include "cpu/simd/vector_pack-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

// How a step is run.
enum class Mode : std::uint8_t {
  fast,      // the form above
  rescaled,  // the same, after its rows have been multiplied by their scales
  standard,  // one rotation after the other, with a cosine of its own
};

// Rows are rescaled when a scale falls below `enter`, and a step may take it down to `leave`: no
// stored row overflows if the entries of the vectors are at most `largest`. In programs for
// gradients the products of two stored rows do not either.
template <class R, bool Gradient>
struct Limits;
template <>
struct Limits<float, false> {
  static constexpr double enter = 0x1p-32, leave = 0x1p-64;
  static constexpr float largest = 0x1p50F;
};
template <>
struct Limits<float, true> {
  static constexpr double enter = 0x1p-22, leave = 0x1p-40;
  static constexpr float largest = 0x1p18F;
};
template <>
struct Limits<double, false> {
  static constexpr double enter = 0x1p-256, leave = 0x1p-512;
  static constexpr double largest = 0x1p400;
};
template <>
struct Limits<double, true> {
  static constexpr double enter = 0x1p-128, leave = 0x1p-250;
  static constexpr double largest = 0x1p250;
};

// The coefficients for some steps of a plan that follow one another, or for all.
template <class F>
struct Coefficients {
  using R = real_t<F>;

  // For each step of the plan.
  std::vector<Mode> modes;
  std::int64_t first_rotation;  // of the steps that it has
  // kCoefficients for each entry.
  runtime::Scratch<R> values;
  // Of a rescaled tile or leaf: the scales of its 16 or 8 rows, from half its first entry on.
  runtime::Scratch<R> scales;
  // For each step. Of rescaled pairs: the scales of the two rows of each. Of a plain step:
  // 1 + kCoefficients for each rotation that there is, in the order of for_each_rotation.
  std::vector<std::unique_ptr<R[]>> extra;
  // For gradients: the factor of each entry's sum over stored rows; see vjp_tiles.hpp.
  runtime::Scratch<R> weights;
  // Scales of all slots after the last step.
  runtime::Scratch<double> final_scales;
  // What the rows are to be multiplied by after the last step: their scales, and in programs that
  // are not for Adjoint D.
  std::vector<F> factors;

  R* of(const Step& step) const {
    return values.data() + kCoefficients<F> * (step.first_rotation - first_rotation);
  }
  R* scales_of(const Step& step) const {
    return scales.data() + (step.first_rotation - first_rotation) / 2;
  }
  R* weights_of(const Step& step) const {
    return weights.data() + (step.first_rotation - first_rotation);
  }
};

// What a program is made from.
template <class F>
struct CoefficientInput {
  using R = real_t<F>;
  Strided<const R> angles;
  Strided<const R> phases;  // may be absent
  Angles kind;              // of angles and phases
  // All plain: for angles that are not finite and for vectors beyond Limits::largest.
  bool unscaled;
  bool gradient;  // with weights
};

// Builds a program, run of steps by run of steps. `Adjoint` programs take the rotations from last
// to first and undo them. After `start`, `run` may be called from many threads at once for ranges
// of steps of one of the plan's stages.
template <class F, bool Adjoint>
class CoefficientBuilder {
 public:
  using R = real_t<F>;

  CoefficientBuilder(const Plan& plan, const CoefficientInput<F>& input,
                     Coefficients<F>& coefficients)
      : plan_(plan),
        input_(input),
        finder_(plan, input.angles, input.phases, input.kind == Angles::reduced),
        unscaled_(input.unscaled || input.kind == Angles::not_finite),
        gradient_(input.gradient),
        enter_(gradient_ ? Limits<R, true>::enter : Limits<R, false>::enter),
        leave_(gradient_ ? Limits<R, true>::leave : Limits<R, false>::leave),
        out_(coefficients),
        reciprocals_(plan.rows) {
    coefficients.modes.assign(plan.steps.size(), Mode::fast);
    coefficients.extra.clear();
    coefficients.extra.resize(plan.steps.size());
    // Whole lines of the cache hold those of a group.
    coefficients.final_scales.resize(plan.rows);
    scales_ = coefficients.final_scales.data();
    std::fill_n(scales_, plan.rows, 1.0);
    std::fill_n(reciprocals_.data(), plan.rows, 1.0);
  }

  // The program will have these steps, and no longer those before.
  void start(Range steps) {
    const std::int64_t rotations = rotations_of(plan_, steps);
    out_.first_rotation =
        rotations > 0 ? plan_.steps[static_cast<std::size_t>(steps.first)].first_rotation : 0;
    out_.values.resize(kCoefficients<F> * rotations);
    out_.scales.resize(rotations / 2 + 2 * kRowBlock);
    if (gradient_) out_.weights.resize(rotations);
  }

  // Steps first .. last - 1, from last to first with Adjoint.
  void run(std::int64_t first, std::int64_t last) {
    PairRotations<F, Adjoint> pairs(plan_, finder_);
    for (std::int64_t k = first; k < last; ++k) add(Adjoint ? first + last - 1 - k : k, pairs);
  }

 private:
  void add(std::int64_t index, PairRotations<F, Adjoint>& pairs) {
    const auto k = static_cast<std::size_t>(index);
    const Step& step = plan_.steps[k];
    if (unscaled_) {
      add_standard(step, k);
    } else if (step.pattern == Pattern::pairs) {
      add_pairs(step, k, pairs);
    } else if (step.pattern == Pattern::diagonal_block) {
      add_diagonal_block(step, k);
    } else {
      add_block(step, k);
    }
  }

  // --- Scaled form ---

  // The scales of eight rows and their reciprocals.
  struct RowScales {
    Double8 d;
    Double8 r;

    [[gnu::always_inline]] void turn(const Double8& cosine, const Double8& reciprocal) {
      d *= cosine;
      r *= reciprocal;
    }
    template <class Order>
    [[gnu::always_inline]] RowScales permuted() const {
      return {GIVENS_ISA::permuted<Order>(d), GIVENS_ISA::permuted<Order>(r)};
    }
  };

  static RowScales row_scales_at(const double* d, const double* r) {
    return {load_eight(d), load_eight(r)};
  }

  static void store_row_scales(RowScales g, double* d, double* r) {
    // Each is rounded on its own; a Newton step keeps the reciprocals from drifting off.
    g.r = g.r + g.r * (1.0 - g.d * g.r);
    store_eight(d, g.d);
    store_eight(r, g.r);
  }

  RowScales load_row_scales(std::int32_t row) const {
    return row_scales_at(scales_ + row, reciprocals_.data() + row);
  }

  void save_row_scales(std::int32_t row, const RowScales& g) {
    store_row_scales(g, scales_ + row, reciprocals_.data() + row);
  }

  [[gnu::always_inline]] static double smallest_scale(const RowScales& g) {
    return smallest_of(magnitude(g.d));
  }

  [[gnu::always_inline]] static double smallest_scale(const RowScales& a, const RowScales& b) {
    return smallest_of(lesser(magnitude(a.d), magnitude(b.d)));
  }

  // DiagonalBlocks the scales to the step, which multiplies the rows by them.
  static void hand_over(RowScales& g, R* scales) {
    store_eight(scales, g.d);
    g.d = g.r = all_eight(1.0);
  }

  void add_block(const Step& step, std::size_t k) {
    RowScales a = load_row_scales(step.a);
    RowScales b = load_row_scales(step.b);
    if (smallest_scale(a, b) < enter_) {
      out_.modes[k] = Mode::rescaled;
      R* scales = out_.scales_of(step);
      hand_over(a, scales);
      hand_over(b, scales + kRowBlock);
    }
    switch (step.pattern) {
      case Pattern::xor_block:
        xor_block_rows(step, a, b);
        break;
      case Pattern::diamond_block:
        diamond_block_rows(step, a, b);
        break;
      default:
        sum_block_rows(step, a, b);
    }
    if (smallest_scale(a, b) < leave_) {
      add_standard(step, k);
      return;
    }
    save_row_scales(step.a, a);
    save_row_scales(step.b, b);
  }

  // Writes the coefficients and weights of entries `first` .. first + 7, whose rows have the scales
  // x and y, that of x being the smaller coordinate.
  [[gnu::always_inline]] void write_row(const Step& step, int first, const Rotations<F>& g,
                                        const RowScales& x, const RowScales& y) const {
    write_eight(step, first, g.tangent * (y.d * x.r), g.tangent * (x.d * y.r), g.phase);
    if (gradient_) write_weights(step, first, x.d * y.d);
  }

  // |p|, |q| with their signs, and the phase.
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
#pragma GCC unroll 8
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

  // Those of a tile, row of entries by row.
  void block_rotations(const Step& step, Rotations<F>* out) const {
    for (int m = 0; m < 8; ++m) finder_.find(step, m, out[m]);
  }

  void xor_block_rows(const Step& step, RowScales& a, RowScales& b) const {
    if (finder_.angles_in_rows(step)) {
      finder_.prefetch(step);
      xor_block_rows(step, a, b, [&](int s) __attribute__((always_inline)) {
        return finder_.find_row(step, s);
      });
    } else {
      Rotations<F> g[8];
      block_rotations(step, g);
      xor_block_rows(step, a, b, [&](int s) __attribute__((always_inline)) -> const Rotations<F>& {
        return g[s];
      });
    }
  }

  template <class RotationsOf>
  [[gnu::always_inline]] void xor_block_rows(const Step& step, RowScales& scales_a,
                                             RowScales& scales_b,
                                             RotationsOf&& rotations_at) const {
    using Reversed = LaneFrom<7>;
    RowScales a = scales_a;
    // Lane k has row k XOR s of b, which row k of a meets in round s.
    RowScales partners = Adjoint ? scales_b.template permuted<Reversed>() : scales_b;
    unrolled<8>([&](auto row) __attribute__((always_inline)) {
      constexpr int s = Adjoint ? 7 - row.value : row.value;
      const Rotations<F>& g = rotations_at(s);
      write_row(step, 8 * s, g, a, partners);
      a.turn(g.cosine, g.reciprocal);
      partners.turn(g.cosine, g.reciprocal);
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

  // Sum blocks. On anti-diagonal `sum` lane k has row k of a and row (sum - k) mod 8 of b.
  // Anti-diagonals m and m + 8 have no lane in common and share a row of eight rotations.
  void sum_block_rows(const Step& step, RowScales& a, RowScales& b) const {
    using Roll = LanePlus<Adjoint ? 1 : -1>;  // from one anti-diagonal to the next
    // Where lane k finds its row of b for a sum of 14, or 0, and lane l that of row l.
    using AtFirst = LaneFrom<Adjoint ? 14 : 0>;
    using AtLast = LaneFrom<Adjoint ? 0 : 14>;
    const Double8 coordinate_a = coordinates(step.a);
    Double8 coordinate_b = permuted<AtFirst>(coordinates(step.b));
    RowScales rows = a;
    RowScales partners = b.template permuted<AtFirst>();
    Rotations<F> g[8];
    block_rotations(step, g);
    Double8 p[8], q[8], weight[8], turn[8];
    unrolled<15>([&](auto m) __attribute__((always_inline)) {
      constexpr int sum = Adjoint ? 14 - m.value : m.value;
      constexpr int row = sum % 8;
      const Double8 turns = select(coordinate_a > coordinate_b, all_eight(-1.0), all_eight(1.0));
      const Double8 tangent = turns * g[row].tangent;
      const Double8 new_p = tangent * (partners.d * rows.r);
      const Double8 new_q = tangent * (rows.d * partners.r);
      const Double8 new_weight = turns * (rows.d * partners.d);
      if constexpr (m.value < 7) {
        // Lanes that another anti-diagonal will overwrite.
        p[row] = new_p;
        q[row] = new_q;
        weight[row] = new_weight;
        turn[row] = turns;
      }
      using Active = OnDiagonal<sum>;
      const Double8 one = all_eight(1.0);
      const Double8 cosine = chosen<Active>(g[row].cosine, one);
      const Double8 reciprocal = chosen<Active>(g[row].reciprocal, one);
      rows.turn(cosine, reciprocal);
      partners.turn(cosine, reciprocal);
      if constexpr (m.value >= 7) {
        constexpr bool kAll = m.value == 7;
        const auto with_earlier = [](const Double8& now, [[maybe_unused]] const Double8& before)
                                      __attribute__((always_inline)) {
                                        if constexpr (kAll) return now;
                                        return chosen<Active>(now, before);
                                      };
        const Double8 all_turns = with_earlier(turns, turn[row]);
        write_eight(step, 8 * row, with_earlier(new_p, p[row]), with_earlier(new_q, q[row]),
                    rotated<F>(g[row].phase, all_turns));
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

  // Rows are in the order of the coordinates.
  void diamond_block_rows(const Step& step, RowScales& a, RowScales& b) const {
    Rotations<F> g[8];
    block_rotations(step, g);
    static constexpr auto kOrder = block_order<kRowBlock>(Pattern::diamond_block);
    double d[2 * kRowBlock], r[2 * kRowBlock];
    store_row_scales(a, d, r);
    store_row_scales(b, d + kRowBlock, r + kRowBlock);
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
      write_row(step, 8 * row, g[row], row_scales_at(x_d[row], x_r[row]),
                row_scales_at(y_d[row], y_r[row]));
    }
    a = row_scales_at(d, r);
    b = row_scales_at(d + kRowBlock, r + kRowBlock);
  }

  Double8 coordinates(std::int32_t row) const {
    return load_eight(plan_.coordinate_of_row.data() + row);
  }

  // Of round r + 1 of a leaf, by lane. Its four pairs are entries 4 r .. 4 r + 3, half a row of
  // eight.
  struct DiagonalRound {
    std::array<int, 8> rotation_of_row;  // the lane of the entry that turns it
    std::array<int, 8> first;            // by entry, of both halves alike: the row i ...
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

  // Its orders of lanes, and which its entries are in a row of eight.
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

  void add_diagonal_block(const Step& step, std::size_t k) {
    RowScales g = load_row_scales(step.a);
    if (smallest_scale(g) < enter_) {
      out_.modes[k] = Mode::rescaled;
      hand_over(g, out_.scales_of(step));
    }
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
      g.turn(permuted<Entry>(rotation[m].cosine), permuted<Entry>(rotation[m].reciprocal));
    });
    write_diagonal_block(step, rotation, x, y);
    if (smallest_scale(g) < leave_) {
      add_standard(step, k);
      return;
    }
    save_row_scales(step.a, g);
  }

  // As write_row, for a leaf's three rows of entries and a half.
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

  // --- Loose pairs ---

  void add_pairs(const Step& step, std::size_t k, PairRotations<F, Adjoint>& found) {
    found.find(step);
    const RowPair* pairs = plan_.row_pairs.data() + step.a;
    const auto scale = [&](std::int32_t row) -> double& { return scales_[row]; };
    const auto reciprocal = [&](std::int32_t row) -> double& { return reciprocals_.data()[row]; };
    double smallest = 1.0, smallest_after = 1.0, smallest_cosine = 1.0;
    for (std::int32_t e = 0; e < step.count; ++e) {
      const double d = std::min(std::abs(scale(pairs[e].i)), std::abs(scale(pairs[e].j)));
      const double c = std::abs(found.at(step, e).cosine());
      smallest = std::min(smallest, d);
      smallest_after = std::min(smallest_after, d * c);
      smallest_cosine = std::min(smallest_cosine, c);
    }
    const bool rescale = smallest < enter_;
    if ((rescale ? smallest_cosine : smallest_after) < leave_) {
      add_standard(step, k);
      return;
    }
    if (rescale) {
      out_.modes[k] = Mode::rescaled;
      R* factors = new_extra(k, 2 * step.count);
      for (std::int32_t e = 0; e < step.count; ++e) {
        for (const std::int32_t row : {pairs[e].i, pairs[e].j}) {
          *factors++ = static_cast<R>(scale(row));
          scale(row) = reciprocal(row) = 1.0;
        }
      }
    }
    R* out = out_.of(step);
    for (std::int32_t e = 0; e < step.count; ++e) {
      const auto rotation = found.at(step, e);
      const double tangent = rotation.tangent();
      double& d_i = scale(pairs[e].i);
      double& d_j = scale(pairs[e].j);
      double& r_i = reciprocal(pairs[e].i);
      double& r_j = reciprocal(pairs[e].j);
      write_one(out, tangent * (d_j * r_i), tangent * (d_i * r_j), rotation.phase());
      out += kCoefficients<F>;
      if (gradient_) set_weight(step, e, d_i * d_j);
      turn_one(rotation.cosine(), rotation.reciprocal(), d_i, r_i);
      turn_one(rotation.cosine(), rotation.reciprocal(), d_j, r_j);
    }
  }

  static void turn_one(double cosine, double reciprocal, double& d, double& r) {
    const double rotated = d * cosine;
    r *= reciprocal;
    r += r * (1.0 - rotated * r);  // as in store_row_scales
    d = rotated;
  }

  R* new_extra(std::size_t k, std::int64_t count) {
    out_.extra[k].reset(new R[static_cast<std::size_t>(count)]);
    return out_.extra[k].get();
  }

  void set_weight(const Step& step, int e, double weight) const {
    out_.weights_of(step)[e] = static_cast<R>(weight);
  }

  // -1 where the row of the first slot is the larger coordinate, which turns the rotation around.
  double orientation(std::int32_t row_a, std::int32_t row_b) const {
    const auto& coordinate = plan_.coordinate_of_row;
    return coordinate[static_cast<std::size_t>(row_a)] > coordinate[static_cast<std::size_t>(row_b)]
               ? -1.0
               : 1.0;
  }

  // --- Plain form ---

  // The scales stay; the stored rows turn by diag(d)^-1 G diag(d).
  void add_standard(const Step& step, std::size_t k) {
    out_.modes[k] = Mode::standard;
    R* out = new_extra(k, (1 + kCoefficients<F>)*step.count);
    SinesAndCosines values;
    values.find<R>(plan_, step, input_.angles, is_complex_v<F> ? input_.phases : Strided<const R>{},
                   input_.kind == Angles::reduced);
    for_each_rotation<Adjoint>(plan_, step, [&](std::int32_t row_i, std::int32_t row_j, int e) {
      if (angle_of(plan_, step, e) < 0) return;
      const double d_i = scales_[row_i];
      const double d_j = scales_[row_j];
      const double* const r = reciprocals_.data();
      const double turn = orientation(row_i, row_j);
      const double sine = (Adjoint ? -turn : turn) * values.sine(e);
      *out++ = static_cast<R>(values.cosine(e));
      write_one(out, sine * d_j * r[row_i], sine * d_i * r[row_j],
                Phase{values.phase_cosine(e), turn * values.phase_sine(e)});
      out += kCoefficients<F>;
      if (gradient_) set_weight(step, e, turn * d_i * d_j);
    });
  }

  const Plan& plan_;
  const CoefficientInput<F> input_;
  const RotationFinder<F, Adjoint> finder_;
  const bool unscaled_;
  const bool gradient_;
  const double enter_;  // see Limits
  const double leave_;
  Coefficients<F>& out_;
  double* scales_;  // at the end, the program's final ones
  const runtime::Scratch<double> reciprocals_;
};

}  // namespace givens::cpu::GIVENS_ISA

#endif
