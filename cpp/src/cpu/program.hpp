// The coefficients of one matrix for the steps of a plan. Compiled for each instruction set; see
// simd.hpp.
//
// Panels hold rows without their scale: true row = scale x stored row. A rotation by t is then
//   [c -s; s c] diag(d_i, d_j) = diag(d_i c, d_j c) [1 -p; q 1],  p = T d_j / d_i,  q = T d_i /
//   d_j,  T = tan t,
// two multiply-adds a column, and the scales take the c's. Scales are kept in double, with their
// reciprocals, so that p and q are rounded once. Where they leave the safe range the step is done
// in a plain form that leaves them alone.

namespace givens::cpu::GIVENS_ISA {

// How a step is run.
enum class Mode : std::uint8_t {
  scaled,      // tile or leaf of the form above
  normalised,  // the same, after its rows have been multiplied by their scales
  plain,       // one rotation after the other, [c p; q c]
};

// Rows are normalised when a scale falls below `enter`, and a step may take it down to `leave`: no
// stored row overflows if the entries of the vectors are at most `largest`. In programs for Undo,
// which gradients use, the products of two stored rows do not either.
template <class R, bool Undo>
struct Limits;
template <>
struct Limits<float, false> {
  static constexpr double enter = 0x1p-32, leave = 0x1p-64;
  static constexpr float largest = 0x1p50F;
};
template <>
struct Limits<float, true> {
  static constexpr double enter = 0x1p-16, leave = 0x1p-30;
  static constexpr float largest = 0x1p28F;
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

// An array that is not initialised and keeps its memory when it is made smaller.
template <class R>
class Scratch {
 public:
  void resize(std::int64_t size) {
    if (size > capacity_) {
      data_.reset(new R[static_cast<std::size_t>(size)]);
      capacity_ = size;
    }
  }
  R* data() const { return data_.get(); }

 private:
  std::unique_ptr<R[]> data_;
  std::int64_t capacity_ = 0;
};

template <class R>
struct Program {
  // For each step of the plan.
  std::vector<Mode> modes;
  // Where the 16 scales of a normalised step (8 of a leaf) start in `scales`, or the rotations of a
  // plain one in `plain`.
  std::vector<std::int64_t> starts;
  // (p, q) for each entry.
  Scratch<R> coefficients;
  std::vector<R> scales;
  // (c, p, q) for each rotation that there is, in the order of for_each_entry.
  std::vector<R> plain;
  // For gradients: the factor of each entry's sum over stored rows; see vjp_tiles.hpp.
  Scratch<R> weights;
  // Scales of all slots after the last step.
  std::vector<double> final_scales;
};

enum class Angles {
  reduced,  // none beyond kLargestReduced
  finite,
  not_finite,
};

// Builds a program, step by step. `Undo` programs take the rotations from last to first and undo
// them.
template <class R, bool Undo>
class ProgramBuilder {
 public:
  // `initial_signs`, strided over coordinates, may be absent. A `careful` program is all plain: it
  // is for angles that are not finite and for vectors beyond Limits::largest.
  ProgramBuilder(const Plan& plan, Strided<const R> angles, Angles kind, bool careful,
                 Strided<const R> initial_signs, Program<R>& program)
      : plan_(plan),
        angles_(angles),
        reduced_(kind == Angles::reduced),
        careful_(careful || kind == Angles::not_finite),
        program_(program) {
    program.modes.assign(plan.steps.size(), Mode::scaled);
    program.starts.resize(plan.steps.size());
    program.coefficients.resize(2 * plan.entries);
    program.scales.clear();
    program.plain.clear();
    if (Undo) program.weights.resize(plan.entries);
    scales_.assign(static_cast<std::size_t>(plan.slots), 1.0);
    if (initial_signs) {
      for (std::size_t k = 0; k < scales_.size(); ++k) {
        const std::int32_t coordinate = plan.coordinate_of_slot[k];
        if (coordinate >= 0) scales_[k] = static_cast<double>(initial_signs[coordinate]);
      }
    }
    reciprocals_ = scales_;  // +1 or -1
  }

  void run() {
    const auto count = static_cast<std::int64_t>(plan_.steps.size());
    for (std::int64_t k = 0; k < count; ++k) add(Undo ? count - 1 - k : k);
    program_.final_scales = scales_;
  }

 private:
  void add(std::int64_t index) {
    const auto k = static_cast<std::size_t>(index);
    const Step& step = plan_.steps[k];
    if (careful_) {
      add_plain(step, k);
      return;
    }
    switch (step.pattern) {
      case Pattern::xor_tile:
      case Pattern::sum_tile:
        add_tile(step, k);
        break;
      case Pattern::xor_leaf:
        add_leaf(step, k);
        break;
      case Pattern::pairs:
        add_plain(step, k);
        break;
    }
  }

  // --- Angles ---

  double angle(std::int32_t source) const {
    return source < 0 ? 0.0 : static_cast<double>(angles_[source]);
  }

  [[gnu::always_inline]] static Double8 eight_in_a_row(const R* from) {
    typedef R Unaligned __attribute__((vector_size(8 * sizeof(R)), aligned(alignof(R)), may_alias));
    return __builtin_convertvector(*reinterpret_cast<const Unaligned*>(from), Double8);
  }

  // --- Scaled form ---

  // The scales of a group of rows and their reciprocals.
  struct Group {
    Double8 d;
    Double8 r;
  };

  typedef double Unaligned8 __attribute__((vector_size(64), aligned(8), may_alias));

  Group load_group(std::int32_t slot) const {
    return {*reinterpret_cast<const Unaligned8*>(scales_.data() + slot),
            *reinterpret_cast<const Unaligned8*>(reciprocals_.data() + slot)};
  }

  void save_group(std::int32_t slot, Group g) {
    // Each is rounded on its own; a Newton step keeps the reciprocals from drifting off.
    g.r = g.r + g.r * (1.0 - g.d * g.r);
    *reinterpret_cast<Unaligned8*>(scales_.data() + slot) = g.d;
    *reinterpret_cast<Unaligned8*>(reciprocals_.data() + slot) = g.r;
  }

  [[gnu::always_inline]] static Double8 magnitude(const Double8& v) {
    return (Double8)((Int8)v & std::numeric_limits<std::int64_t>::max());
  }

  [[gnu::always_inline]] static Double8 lesser(const Double8& a, const Double8& b) {
    return a < b ? a : b;
  }

  [[gnu::always_inline]] static double smallest_scale(const Group& g) {
    Double8 m = magnitude(g.d);
    m = lesser(m, __builtin_shuffle(m, Int8{4, 5, 6, 7, 0, 1, 2, 3}));
    m = lesser(m, __builtin_shuffle(m, Int8{2, 3, 0, 1, 6, 7, 4, 5}));
    return std::min(m[0], m[1]);
  }

  // Leaves the scales to the step, which multiplies the rows by them.
  void hand_over(Group& g) {
    R scales[kGroup];
    for (int k = 0; k < kGroup; ++k) scales[k] = static_cast<R>(g.d[k]);
    program_.scales.insert(program_.scales.end(), scales, scales + kGroup);
    g.d = g.d * 0.0 + 1.0;
    g.r = g.d;
  }

  // Starts a step whose smallest scale is `smallest`: whether it has to hand scales over.
  bool begin(std::size_t k, double smallest) {
    if (!(smallest < Limits<R, Undo>::enter)) return false;
    program_.modes[k] = Mode::normalised;
    program_.starts[k] = static_cast<std::int64_t>(program_.scales.size());
    return true;
  }

  void add_tile(const Step& step, std::size_t k) {
    Group a = load_group(step.a);
    Group b = load_group(step.b);
    const std::size_t scale_start = program_.scales.size();
    if (begin(k, std::min(smallest_scale(a), smallest_scale(b)))) {
      hand_over(a);
      hand_over(b);
    }
    R* out = program_.coefficients.data() + 2 * step.entry;
    if (step.pattern == Pattern::xor_tile) {
      xor_tile_rows(step, out, a, b);
    } else {
      sum_tile_rows(step, out, a, b);
    }
    if (std::min(smallest_scale(a), smallest_scale(b)) < Limits<R, Undo>::leave) {
      program_.scales.resize(scale_start);
      add_plain(step, k);
      return;
    }
    save_group(step.a, a);
    save_group(step.b, b);
  }

  struct Rotations {
    Double8 tangent;
    Double8 cosine;
    Double8 reciprocal;  // of the cosine
  };

  template <int Count>
  [[gnu::always_inline]] void rotations(const Double8* angles, Rotations* out) const {
    if (__builtin_expect(reduced_, 1)) {
#pragma GCC unroll 8
      for (int m = 0; m < Count; ++m) {
        Double8 sine, cosine;
        sincos_reduced<R>(angles[m], sine, cosine);
        out[m] = of_sine_and_cosine(sine, cosine);
      }
    } else {
      for (int m = 0; m < Count; ++m) {
        Double8 sine, cosine;
        sincos_any(angles[m], sine, cosine);
        out[m] = of_sine_and_cosine(sine, cosine);
      }
    }
  }

  [[gnu::always_inline]] static Rotations of_sine_and_cosine(const Double8& sine,
                                                             const Double8& cosine) {
    const Double8 r = reciprocal(cosine);
    return {Undo ? -(sine * r) : sine * r, cosine, r};
  }

  // The rotations of a tile, eight entries in each of `out`.
  [[gnu::always_inline]] void tile_rotations(const Step& step, Rotations* out) const {
    const std::int32_t* source = plan_.sources.data() + step.source;
    Double8 t[8];
    if (step.runs && angles_.stride == 1) {
#pragma GCC unroll 8
      for (int m = 0; m < 8; ++m) t[m] = eight_in_a_row(angles_.data + source[m]);
    } else {
      R angles[64];
      for (int e = 0; e < 64; ++e) {
        const std::int32_t index = source_of(plan_, step, e);
        angles[e] = index < 0 ? R(0) : angles_[index];
      }
      for (int m = 0; m < 8; ++m) t[m] = eight_in_a_row(angles + 8 * m);
    }
    rotations<8>(t, out);
  }

  void xor_tile_rows(const Step& step, R* out, Group& a, Group& b) const {
    Rotations g[8];
    tile_rotations(step, g);
    const Int8 iota = {0, 1, 2, 3, 4, 5, 6, 7};
    Group rows = a;
    Group partners = b;
#pragma GCC unroll 8
    for (int row = 0; row < 8; ++row) {
      const int s = Undo ? 7 - row : row;
      const Int8 order = iota ^ static_cast<std::int64_t>(s);
      const Double8 d = __builtin_shuffle(partners.d, order);
      const Double8 r = __builtin_shuffle(partners.r, order);
      write_row(out + 16 * s, g[s].tangent * (d * rows.r), g[s].tangent * (rows.d * r));
      if (Undo) set_eight_weights(step, 8 * s, rows.d * d);
      rows.d *= g[s].cosine;
      rows.r *= g[s].reciprocal;
      partners.d = __builtin_shuffle(d * g[s].cosine, order);
      partners.r = __builtin_shuffle(r * g[s].reciprocal, order);
    }
    a = rows;
    b = partners;
  }

  // Anti-diagonal k + l = sum: lane k has row k of a and row (sum - k) mod 8 of b. Anti-diagonals m
  // and m + 8 have no lane in common and share a row of eight entries.
  void sum_tile_rows(const Step& step, R* out, Group& a, Group& b) const {
    const Int8 iota = {0, 1, 2, 3, 4, 5, 6, 7};
    const Int8 next = (iota - 1) & 7;  // lane k takes from lane k - 1
    const Int8 previous = (iota + 1) & 7;
    // Where lane k finds its row of b for a sum of 14, or 0, and lane l that of row l.
    const Int8 at_14 = (14 - iota) & 7;
    const Int8 at_0 = -iota & 7;
    const Int8 at_first = Undo ? at_14 : at_0;
    const Int8 at_last = Undo ? at_0 : at_14;
    Rotations g[8];
    tile_rotations(step, g);
    const Double8 coordinate_a = coordinates(step.a);
    Double8 coordinate_b = __builtin_shuffle(coordinates(step.b), at_first);
    Group c{__builtin_shuffle(b.d, at_first), __builtin_shuffle(b.r, at_first)};
    const auto roll = [&](const Int8& order) {
      c.d = __builtin_shuffle(c.d, order);
      c.r = __builtin_shuffle(c.r, order);
      coordinate_b = __builtin_shuffle(coordinate_b, order);
    };
    Double8 p[8], q[8], weight[8];
    for (int m = 0; m < 15; ++m) {
      const int sum = Undo ? 14 - m : m;
      const int row = sum % 8;
      const Int8 active = sum < 8 ? iota <= static_cast<std::int64_t>(sum)
                                  : iota > static_cast<std::int64_t>(sum - 8);
      const Double8 turn = coordinate_a > coordinate_b ? Double8{} - 1.0 : Double8{} + 1.0;
      const Double8 tangent = turn * g[row].tangent;
      p[row] = active ? tangent * c.d * a.r : p[row];
      q[row] = active ? tangent * a.d * c.r : q[row];
      if (Undo) weight[row] = active ? turn * a.d * c.d : weight[row];
      const Double8 one = Double8{} + 1.0;
      const Double8 cosine = active ? g[row].cosine : one;
      const Double8 reciprocal = active ? g[row].reciprocal : one;
      a.d *= cosine;
      a.r *= reciprocal;
      c.d *= cosine;
      c.r *= reciprocal;
      if (m < 14) roll(Undo ? previous : next);
    }
    b.d = __builtin_shuffle(c.d, at_last);
    b.r = __builtin_shuffle(c.r, at_last);
    for (int row = 0; row < 8; ++row) {
      write_row(out + 16 * row, p[row], q[row]);
      if (Undo) {
        set_eight_weights(step, 8 * row, weight[row]);
      }
    }
  }

  Double8 coordinates(std::int32_t slot) const {
    Double8 out;
    for (int k = 0; k < 8; ++k) {
      out[k] = static_cast<double>(plan_.coordinate_of_slot[static_cast<std::size_t>(slot + k)]);
    }
    return out;
  }

  // Eight coefficients (p, q) one after the other.
  [[gnu::always_inline]] static void write_row(R* out, const Double8& p, const Double8& q) {
    typedef R Row __attribute__((vector_size(8 * sizeof(R))));
    typedef R Unaligned __attribute__((vector_size(8 * sizeof(R)), aligned(alignof(R)), may_alias));
    typedef std::conditional_t<sizeof(R) == 4, std::int32_t, std::int64_t> Index;
    typedef Index Order __attribute__((vector_size(8 * sizeof(R))));
    const Row x = __builtin_convertvector(p, Row);
    const Row y = __builtin_convertvector(q, Row);
    *reinterpret_cast<Unaligned*>(out) = __builtin_shuffle(x, y, Order{0, 8, 1, 9, 2, 10, 3, 11});
    *reinterpret_cast<Unaligned*>(out + 8) =
        __builtin_shuffle(x, y, Order{4, 12, 5, 13, 6, 14, 7, 15});
  }

  void add_leaf(const Step& step, std::size_t k) {
    Group g = load_group(step.a);
    const std::size_t scale_start = program_.scales.size();
    if (begin(k, smallest_scale(g))) hand_over(g);
    Double8 t[4] = {};
    for (int e = 0; e < 28; ++e) t[e / 8][e % 8] = angle(source_of(plan_, step, e));
    Rotations rotation[4];  // entries 8 m .. 8 m + 7
    rotations<4>(t, rotation);
    R* out = program_.coefficients.data() + 2 * step.entry;
    for_each_entry<Undo>(plan_, step, [&](std::int32_t slot_i, std::int32_t slot_j, int e) {
      const int i = slot_i - step.a;
      const int j = slot_j - step.a;
      const Rotations& r = rotation[e / 8];
      out[2 * e] = static_cast<R>(r.tangent[e % 8] * g.d[j] * g.r[i]);
      out[2 * e + 1] = static_cast<R>(r.tangent[e % 8] * g.d[i] * g.r[j]);
      if (Undo) set_weight(step, e, g.d[i] * g.d[j]);
      g.d[i] *= r.cosine[e % 8];
      g.d[j] *= r.cosine[e % 8];
      g.r[i] *= r.reciprocal[e % 8];
      g.r[j] *= r.reciprocal[e % 8];
    });
    if (smallest_scale(g) < Limits<R, Undo>::leave) {
      program_.scales.resize(scale_start);
      add_plain(step, k);
      return;
    }
    save_group(step.a, g);
  }

  void set_weight(const Step& step, int e, double weight) const {
    program_.weights.data()[step.entry + e] = static_cast<R>(weight);
  }

  [[gnu::always_inline]] void set_eight_weights(const Step& step, int e,
                                                const Double8& weights) const {
    typedef R Row __attribute__((vector_size(8 * sizeof(R))));
    typedef R Unaligned __attribute__((vector_size(8 * sizeof(R)), aligned(alignof(R)), may_alias));
    *reinterpret_cast<Unaligned*>(program_.weights.data() + step.entry + e) =
        __builtin_convertvector(weights, Row);
  }

  // -1 where the row of the first slot is the larger coordinate, which turns the rotation around.
  double orientation(std::int32_t slot_a, std::int32_t slot_b) const {
    const auto& coordinate = plan_.coordinate_of_slot;
    return coordinate[static_cast<std::size_t>(slot_a)] >
                   coordinate[static_cast<std::size_t>(slot_b)]
               ? -1.0
               : 1.0;
  }

  // --- Plain form ---

  // The scales stay; the stored rows turn by diag(d)^-1 G diag(d).
  void add_plain(const Step& step, std::size_t k) {
    program_.modes[k] = Mode::plain;
    program_.starts[k] = static_cast<std::int64_t>(program_.plain.size());
    find_sines(step);
    program_.plain.resize(program_.plain.size() + static_cast<std::size_t>(3 * step.count));
    R* out = program_.plain.data() + program_.starts[k];
    for_each_entry<Undo>(plan_, step, [&](std::int32_t slot_i, std::int32_t slot_j, int e) {
      const auto i = static_cast<std::size_t>(slot_i);
      const auto j = static_cast<std::size_t>(slot_j);
      if (source_of(plan_, step, e) < 0) return;
      const double turn = orientation(slot_i, slot_j);
      const double s = (Undo ? -turn : turn) * sines_[static_cast<std::size_t>(e)];
      *out++ = static_cast<R>(cosines_[static_cast<std::size_t>(e)]);
      *out++ = static_cast<R>(-s * scales_[j] * reciprocals_[i]);
      *out++ = static_cast<R>(s * scales_[i] * reciprocals_[j]);
      if (Undo) set_weight(step, e, turn * scales_[i] * scales_[j]);
    });
    program_.plain.resize(static_cast<std::size_t>(out - program_.plain.data()));
  }

  // Fills sines_ and cosines_ for the entries of a step.
  void find_sines(const Step& step) {
    const std::int32_t rows = (step.count + 7) / 8;
    sines_.resize(static_cast<std::size_t>(8 * rows));
    cosines_.resize(static_cast<std::size_t>(8 * rows));
    for (std::int32_t first = 0; first < step.count; first += 8) {
      Double8 t{}, sine, cosine;
      for (std::int32_t e = first; e < std::min(first + 8, step.count); ++e) {
        t[e - first] = angle(source_of(plan_, step, e));
      }
      if (reduced_) {
        sincos_reduced<R>(t, sine, cosine);
      } else {
        sincos_any(t, sine, cosine);
      }
      *reinterpret_cast<Unaligned8*>(sines_.data() + first) = sine;
      *reinterpret_cast<Unaligned8*>(cosines_.data() + first) = cosine;
    }
  }

  const Plan& plan_;
  const Strided<const R> angles_;
  const bool reduced_;
  const bool careful_;
  Program<R>& program_;
  std::vector<double> scales_;
  std::vector<double> reciprocals_;
  std::vector<double> sines_;  // of a plain step
  std::vector<double> cosines_;
};

}  // namespace givens::cpu::GIVENS_ISA
