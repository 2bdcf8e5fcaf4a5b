// The plans of circle and brickwall, the schedules in which sums modulo M say who meets whom: rows
// have labels z = 0 .. M - 1, and round r holds the pairs of labels with z + z' + offset = r mod M.
// So row k of a block of 8 consecutive labels meets row l of another block in round first + k + l:
// a rotation block. A pair is *wrapped* if its sum reaches M, which takes it to an early round,
// less M; a rotation block whose sums straddle M is cut into a part with its late rounds and a
// wrapped part with its early ones, each a rotation block of which some rotations are absent. What
// makes no rotation block, and the pairs within row blocks, are loose pairs, a step for each round.
//
// A rotation block is placed at the time first + 7, before the loose pairs of round first + 7. The
// block has all that row k does in rounds first + k .. first + k + 7 (in the rounds that were cut
// off the row does nothing). Whatever k is, these rounds have round first + 7 among them: what the
// row does before them has an earlier time, what it does after them a later one. The last row
// block, of p < 8 labels, is an exception: in rounds first + k + p .. first + k + 7, row k of row
// block a meets row block 0 already, and for k <= 6 - p one of these pairs is in time for first
// + 7. So it must not make a rotation block, unless the pairs of row blocks 0 and a are in a
// rotation block, whose time is p later.
//
// The rotation blocks between four successive row blocks and four others make a *super block*. They
// are applied one after the other so that their rows stay in the nearest cache. A super block is a
// rotation block of 32 x 32 rows, and has its place at first + 31 for the same reason. All pairs
// that it has in the schedule must be in its rotation blocks, and none may be in a last row block
// that is not full.
#include <bitset>
#include <utility>

#include "plan/builder.hpp"
#include "plan/planners.hpp"

namespace givens::planning {

namespace {

// The part of a rotation block of row blocks a < b with the wrapped pairs, or with the others. With
// a = b it has the pairs within a row block.
struct Part {
  std::int64_t a;
  std::int64_t b;
  bool wrapped;
};

// The rows of a row block.
struct Rows {
  std::bitset<kRowBlock> present;  // rows that exist
  std::bitset<kRowBlock> dropped;  // present rows whose coordinates have no column

  // Whether row k has a pair with row l of another row block, or of this one.
  bool have_pair(std::size_t k, const Rows& other, std::size_t l) const {
    return present[k] && other.present[l] && !(dropped[k] && other.dropped[l]);
  }
};

// The planner knows a schedule by a rule, Circle or Brickwall, with these members:
//
//   kPattern, kOffset      the pattern of rotation blocks, and the offset
//   modulus()              M
//   fixed_label(r)         the label that meets a fixed player in round r; -1: none
//   set_rows(plan)         sets the rows of the plan
//   rows_of(row_block)     which rows of a row block exist, and which are dropped
//   swapped(part)          whether rotation (k, l) has row k of row block b and row l of a
//   first_rows(part)       the first rows of the two row blocks of its rotation block
//   rows(z, z', wrapped)   the rows of a pair z < z', the smaller coordinate first
//   angle(z, z', wrapped, r)
//   fixed_rows(z), fixed_angle(r)
//   is_affine(part)        whether the angles of a part with all 64 rotations are affine
//   angle_steps(part)      then their differences, by k and by l

struct Circle {
  static constexpr Pattern kPattern = Pattern::sum_block;
  static constexpr std::int64_t kOffset = 0;

  explicit Circle(const Schedule& schedule)
      : n(schedule.n()),
        cycle(schedule.num_rounds()),
        columns(kept_columns(schedule)),
        bye(n % 2 == 1 ? cycle / 2 : -1),
        offsets(schedule.round_offsets().data()) {
    for (std::int64_t r = 0; r < cycle; ++r) bases.push_back(base(r));
  }

  // M = N - 1, and player 0 is the fixed one. Coordinate x = 1 .. M has the label z with
  // x = -1 - 2 z mod M. Round r is step s = M - 1 - r, in which players meet whose sum is 2 s mod
  // M: -2 - 2 (z + z') = -2 - 2 r, so that z + z' = r.
  std::int64_t modulus() const { return cycle; }

  // Label z meets the fixed player in round 2 z mod M.
  std::int64_t fixed_label(std::int64_t r) const {
    const std::int64_t z = (r % 2 == 0 ? r : r + cycle) / 2;
    return columns == 0 || z == bye ? -1 : z;
  }

  std::int64_t coordinate(std::int64_t z) const {
    const std::int64_t x = cycle - 1 - 2 * z;
    return x > 0 ? x : x + cycle;
  }

  void set_rows(Plan& plan) const {
    plan.rows = row_blocks_of(cycle + 1) * kRowBlock;
    plan.coordinate_of_row.resize(at(plan.rows), -1);
    std::int32_t* coordinates = plan.coordinate_of_row.data();
    for (std::int64_t z = 0; z < cycle; ++z) coordinates[z] = narrow(coordinate(z));
    if (bye >= 0) coordinates[bye] = -1;
    // M is odd, so there is room for the fixed player in the last row block.
    coordinates[cycle] = 0;
    plan.columns_by_parity = true;
  }

  Rows rows_of(std::int64_t row_block) const {
    Rows out;
    const std::int64_t first = row_block * kRowBlock;
    for (std::int64_t z = first; z < std::min(first + kRowBlock, cycle); ++z) {
      if (z == bye) continue;
      out.present[at(z - first)] = true;
      out.dropped[at(z - first)] = coordinate(z) >= columns;
    }
    return out;
  }

  static RowPair first_rows(const Part& part) {
    return {narrow(part.a * kRowBlock), narrow(part.b * kRowBlock)};
  }
  static constexpr bool swapped(const Part&) { return false; }

  RowPair rows(std::int64_t z, std::int64_t z2, bool) const {
    if (coordinate(z) > coordinate(z2)) std::swap(z, z2);
    return {narrow(z), narrow(z2)};
  }
  RowPair fixed_rows(std::int64_t z) const { return {narrow(cycle), narrow(z)}; }
  std::int64_t fixed_angle(std::int64_t r) const { return offsets[r]; }

  // Pair b of a round has the players s + b and s - b mod M. Their labels differ by b or M - b, so
  // that b = min(d, M - d), d = z' - z. Before it comes one pair for every b' < b, except the one
  // with the bye. The bye has the label (M - 1) / 2 and b' = min(r + 1, M - 1 - r): b' < b for a
  // wrapped pair if the label of the bye is greater than z, else if it is less than z'.
  std::int64_t angle(std::int64_t z, std::int64_t z2, bool wrapped, std::int64_t r) const {
    const bool after_bye = bye >= 0 && (wrapped ? z < bye : z2 > bye);
    return bases[at(r)] + std::min(z2 - z, cycle - (z2 - z)) - (after_bye ? 1 : 0);
  }

  // With columns m < n the players with a column are an arc of the circle, 1 .. m - 1, and the
  // fixed one. Pairs b > 0 remain from the distance of s to the arc on, one after the other.
  std::int64_t base(std::int64_t r) const {
    const std::int64_t s = cycle - 1 - r;
    const std::int64_t distance = s == 0        ? 1
                                  : s < columns ? 0
                                                : std::min(s - (columns - 1), cycle + 1 - s);
    const std::int64_t first = std::max<std::int64_t>(distance, 1);
    const std::int64_t byes = std::min(r + 1, cycle - 1 - r);
    const bool with_bye = bye >= 0;
    return offsets[r] + (with_bye && byes == 0 ? 0 : 1) - first +
           (with_bye && byes < first ? 1 : 0);
  }

  // The min in `angle` must be the same argument for all rotations. (The bye is in none of the
  // rows, since all 64 rotations exist.)
  bool is_affine(const Part& part) const {
    const std::int64_t d = (part.b - part.a) * kRowBlock;
    return columns == n && (2 * (d + kRowBlock - 1) <= cycle || 2 * (d - kRowBlock + 1) >= cycle);
  }
  RowPair angle_steps(const Part& part) const {
    const std::int64_t turn = 2 * (part.b - part.a) * kRowBlock < cycle ? 1 : -1;
    return {narrow(n / 2 - turn), narrow(n / 2 + turn)};
  }

  std::int64_t n;
  std::int64_t cycle;
  std::int64_t columns;
  std::int64_t bye;  // its label; -1: none
  const std::int64_t* offsets;
  std::vector<std::int64_t> bases;
};

// Rotations of neighbours (i, i + 1), seen as a mesh of wires. A wire moves one place to the right
// or to the left in each round; at an end it rests for a round and turns back. Wire w starts at
// place 2 w if 2 w < n, else at place 2 n - 1 - 2 w, and its label is n - 1 - w. Then labels z < z'
// meet in round z + z' + 1 mod n, at the places i and i + 1 with i = z' - z - 1, or n - 1 - (z' -
// z) if the pair is wrapped. Two successive rotations at one place share a wire, so that an order
// which is right for wires is right for places. The rows of the plan are places.
struct Brickwall {
  static constexpr Pattern kPattern = Pattern::diamond_block;
  static constexpr std::int64_t kOffset = 1;

  explicit Brickwall(const Schedule& schedule)
      : n(schedule.n()), offsets(schedule.round_offsets().data()) {}

  std::int64_t modulus() const { return n; }
  static constexpr std::int64_t fixed_label(std::int64_t) { return -1; }

  void set_rows(Plan& plan) const { set_identity_rows(plan, n); }

  Rows rows_of(std::int64_t row_block) const {
    const std::int64_t count = std::min<std::int64_t>(n - row_block * kRowBlock, kRowBlock);
    return {(1U << count) - 1, 0};
  }

  // Rotation (k, l) has rows i - k + l and the next, i being the row of rotation (0, 0): k counts
  // in the row block whose wires move to the right, which is b if the part is wrapped.
  RowPair first_rows(const Part& part) const {
    const RowPair rows_0 = rows(part.a * kRowBlock, part.b * kRowBlock, part.wrapped);
    return {rows_0.i - (kRowBlock - 1), rows_0.j};
  }
  static constexpr bool swapped(const Part& part) { return part.wrapped; }

  RowPair rows(std::int64_t z, std::int64_t z2, bool wrapped) const {
    const std::int64_t i = wrapped ? n - 1 - (z2 - z) : z2 - z - 1;
    return {narrow(i), narrow(i + 1)};
  }
  static constexpr RowPair fixed_rows(std::int64_t) { return {}; }
  static constexpr std::int64_t fixed_angle(std::int64_t) { return -1; }

  // The pairs of round r have i = r mod 2, step 2.
  std::int64_t angle(std::int64_t z, std::int64_t z2, bool wrapped, std::int64_t r) const {
    return offsets[r] + rows(z, z2, wrapped).i / 2;
  }

  // For even n the angle is (r (n - 1) + i) / 2: even rounds have n / 2 pairs, odd ones one less.
  bool is_affine(const Part&) const { return n % 2 == 0; }
  RowPair angle_steps(const Part&) const { return {narrow(n / 2 - 1), narrow(n / 2)}; }

  std::int64_t n;
  const std::int64_t* offsets;
};

template <class Rule>
class SumsPlanner {
 public:
  explicit SumsPlanner(const Schedule& schedule)
      : rule_(schedule),
        modulus_(rule_.modulus()),
        row_blocks_(row_blocks_of(modulus_)),
        in_last_(modulus_ - (row_blocks_ - 1) * kRowBlock),
        super_row_blocks_((in_last_ == kRowBlock ? row_blocks_ : row_blocks_ - 1) / kSuperBlock) {}

  Plan run() {
    rule_.set_rows(plan_);
    for (std::int64_t row_block = 0; row_block < row_blocks_; ++row_block) {
      rows_.push_back(rule_.rows_of(row_block));
    }
    count();
    add_loose_pairs();
    add_steps();
    add_single_merge_level(plan_);
    return std::move(plan_);
  }

 private:
  // The round of rotation (0, 0) of a part. If the part is cut, the schedule may not have that
  // round.
  std::int64_t first_round(const Part& part) const {
    return (part.a + part.b) * kRowBlock + Rule::kOffset - (part.wrapped ? modulus_ : 0);
  }

  bool is_cut(const Part& part) const {
    const std::int64_t r = first_round(part);
    return r < 0 || r + 2 * (kRowBlock - 1) >= modulus_;
  }

  // Calls visit(k, l, r) for the rotations of a part: row k of row block a meets row l of b in
  // round r.
  template <class Visit>
  void for_each_rotation(const Part& part, Visit&& visit) const {
    const Rows& a = rows_[at(part.a)];
    const Rows& b = rows_[at(part.b)];
    for (int k = 0; k < kRowBlock; ++k) {
      for (int l = part.a == part.b ? k + 1 : 0; l < kRowBlock; ++l) {
        const std::int64_t r = first_round(part) + k + l;
        if (r >= 0 && r < modulus_ && a.have_pair(at(k), b, at(l))) visit(k, l, r);
      }
    }
  }

  int num_rotations(const Part& part) const {
    int count = 0;
    if (is_cut(part)) {
      for_each_rotation(part, [&](int, int, std::int64_t) { ++count; });
      return count;
    }
    const Rows& a = rows_[at(part.a)];
    const Rows& b = rows_[at(part.b)];
    return static_cast<int>(a.present.count() * b.present.count() -
                            a.dropped.count() * b.dropped.count());
  }

  // For the exception of the last row block, see above. It holds for wrapped parts only: nothing
  // comes after the last rounds.
  bool is_rotation_block(const Part& part, int rotations) const {
    if (rotations < kLeastInBlock || rule_.first_rows(part).i < 0) return false;
    if (part.b + 1 < row_blocks_ || in_last_ >= kRowBlock - 1 || !part.wrapped) return true;
    if (part.a == 0) return false;
    const Part next{0, part.a, false};
    return is_rotation_block(next, num_rotations(next));
  }

  // What the parts of a super block are.
  static constexpr std::uint8_t kHasBlocks = 1;
  static constexpr std::uint8_t kHasLoosePairs = 2;

  // The entry of the super block that a part belongs to; null if it cannot belong to one.
  std::uint8_t* super_block_of(const Part& part) {
    const std::int64_t a = part.a / kSuperBlock;
    const std::int64_t b = part.b / kSuperBlock;
    if (a == b || b >= super_row_blocks_) return nullptr;
    return &super_blocks_[at((part.wrapped ? super_row_blocks_ + a : a) * super_row_blocks_ + b)];
  }

  bool in_super_block(const Part& part) {
    const std::uint8_t* block = super_block_of(part);
    return block && *block == kHasBlocks;
  }

  bool is_affine(const Part& part, int rotations) const {
    return rotations == kBlockRotations && rule_.is_affine(part);
  }

  // Calls visit(part) for the parts of `count` row blocks with a + b = sum.
  template <class Visit>
  static void for_each_part(std::int64_t count, std::int64_t sum, bool wrapped, Visit&& visit) {
    const std::int64_t last = count - 1;
    for (std::int64_t a = std::max<std::int64_t>(sum - last, 0); 2 * a < sum; ++a) {
      visit(Part{a, sum - a, wrapped});
    }
  }

  // The sums a + b of row blocks are 1 .. last_sum. Sums up to last_unwrapped have parts that are
  // not wrapped, sums from first_wrapped on have wrapped parts.
  std::int64_t last_sum() const { return 2 * row_blocks_ - 3; }
  std::int64_t last_unwrapped() const {
    return std::min((modulus_ - 1 - Rule::kOffset) / kRowBlock, last_sum());
  }
  std::int64_t first_wrapped() const {
    const std::int64_t least = modulus_ - Rule::kOffset - 2 * (kRowBlock - 1);
    return std::max<std::int64_t>(least <= 0 ? 0 : row_blocks_of(least), 1);
  }

  // Finds the loose pairs of each round: round r has first_pair_[r] .. first_pair_[r + 1] - 1.
  void count() {
    first_pair_.resize(at(modulus_) + 1);
    std::int64_t* const counts = first_pair_.data() + 1;
    for (std::int64_t r = 0; r < modulus_; ++r) counts[r] = rule_.fixed_label(r) >= 0 ? 1 : 0;
    for (std::int64_t row_block = 0; row_block < row_blocks_; ++row_block) {
      loose_parts_.push_back({row_block, row_block, false});
      loose_parts_.push_back({row_block, row_block, true});
    }
    super_blocks_.resize(at(2 * super_row_blocks_ * super_row_blocks_));
    const auto count_part = [&](const Part& part) {
      const int rotations = num_rotations(part);
      const bool rotation_block = is_rotation_block(part, rotations);
      std::uint8_t* const block = super_block_of(part);
      if (block && rotations > 0) *block |= rotation_block ? kHasBlocks : kHasLoosePairs;
      if (!rotation_block && rotations > 0) loose_parts_.push_back(part);
    };
    const std::int64_t last = last_unwrapped();
    for (std::int64_t sum = 1; sum <= last; ++sum) {
      for_each_part(row_blocks_, sum, false, count_part);
    }
    for (std::int64_t sum = first_wrapped(); sum <= last_sum(); ++sum) {
      for_each_part(row_blocks_, sum, true, count_part);
    }
    for (const Part& part : loose_parts_) {
      for_each_rotation(part, [&](int, int, std::int64_t r) { ++counts[r]; });
    }
    for (std::int64_t r = 0; r < modulus_; ++r) counts[r] += counts[r - 1];
  }

  // Loose pairs go to the place of their round. Their angles come before the angles of blocks.
  void add_loose_pairs() {
    plan_.row_pairs.resize(at(first_pair_.back()));
    plan_.angle_indices.resize(at(first_pair_.back()));
    std::vector<std::int64_t> next(first_pair_.begin(), first_pair_.end() - 1);
    const auto add = [&](std::int64_t r, const RowPair& rows, std::int64_t angle) {
      const std::size_t place = at(next[at(r)]++);
      plan_.row_pairs[place] = rows;
      plan_.angle_indices[place] = narrow(angle);
    };
    for (std::int64_t r = 0; r < modulus_; ++r) {
      const std::int64_t z = rule_.fixed_label(r);
      if (z >= 0) add(r, rule_.fixed_rows(z), rule_.fixed_angle(r));
    }
    for (const Part& part : loose_parts_) {
      for_each_rotation(part, [&](int k, int l, std::int64_t r) {
        const std::int64_t z = part.a * kRowBlock + k;
        const std::int64_t z2 = part.b * kRowBlock + l;
        add(r, rule_.rows(z, z2, part.wrapped), rule_.angle(z, z2, part.wrapped, r));
      });
    }
  }

  void add_rotation_block(const Part& part, int rotations) {
    const RowPair first = rule_.first_rows(part);
    const std::int64_t z = part.a * kRowBlock;
    const std::int64_t z2 = part.b * kRowBlock;
    if (is_affine(part, rotations)) {
      const RowPair steps = rule_.angle_steps(part);
      add_block(plan_, Rule::kPattern, AngleMap::affine, first.i, first.j,
                rule_.angle(z, z2, part.wrapped, first_round(part)), steps.i, steps.j);
      return;
    }
    const std::size_t angles = plan_.angle_indices.size();
    add_block(plan_, Rule::kPattern, AngleMap::gather, first.i, first.j,
              static_cast<std::int64_t>(angles));
    plan_.angle_indices.resize(angles + kBlockRotations, -1);
    for_each_rotation(part, [&](int k, int l, std::int64_t r) {
      const int index =
          rotation_index(Rule::kPattern, Rule::swapped(part) ? l : k, Rule::swapped(part) ? k : l);
      plan_.angle_indices[angles + at(index)] = narrow(rule_.angle(z + k, z2 + l, part.wrapped, r));
    });
  }

  // Adds all steps in the order of their times.
  void add_steps() {
    plan_.steps.reserve(at(row_blocks_ * (row_blocks_ + 1) / 2 + modulus_));  // about as many
    const auto add_one = [&](const Part& part) {
      const int rotations = num_rotations(part);
      if (is_rotation_block(part, rotations)) add_rotation_block(part, rotations);
    };
    const auto add_part = [&](const Part& part) {
      if (!in_super_block(part)) add_one(part);
    };
    const auto add_super_block = [&](const Part& block) {
      const std::int64_t a = block.a * kSuperBlock;
      const std::int64_t b = block.b * kSuperBlock;
      if (!in_super_block({a, b, block.wrapped})) return;
      // Two row blocks with all others, then the next two: most rotation blocks share a row block
      // with the one before.
      for (std::int64_t first = a; first < a + kSuperBlock; first += 2) {
        for (std::int64_t other = b; other < b + kSuperBlock; ++other) {
          add_one({first, other, block.wrapped});
          add_one({first + 1, other, block.wrapped});
        }
      }
    };
    // Adds the super blocks whose first round is `first`, or `first` less M if they are wrapped.
    const auto add_super_blocks = [&](std::int64_t first, bool wrapped) {
      if (first < 0 || first % kSuperBlockRows != 0) return;
      for_each_part(super_row_blocks_, first / kSuperBlockRows, wrapped, add_super_block);
    };
    // The sums of row blocks whose rotation blocks come next, and their times.
    std::int64_t late = 1;
    std::int64_t early = first_wrapped();
    const std::int64_t last_late = last_unwrapped();
    const std::int64_t last_early = last_sum();
    const std::int64_t time = Rule::kOffset + kRowBlock - 1;
    for (std::int64_t r = -kSuperBlockRows; r < modulus_ + kSuperBlockRows; ++r) {
      const std::int64_t first_of_block = r - Rule::kOffset - (kSuperBlockRows - 1);
      add_super_blocks(first_of_block, false);
      add_super_blocks(first_of_block + modulus_, true);
      if (late <= last_late && r == late * kRowBlock + time) {
        for_each_part(row_blocks_, late++, false, add_part);
      }
      if (early <= last_early && r == early * kRowBlock + time - modulus_) {
        for_each_part(row_blocks_, early++, true, add_part);
      }
      if (r < 0 || r >= modulus_) continue;
      const std::int64_t first = first_pair_[at(r)];
      add_pairs(plan_, first, first_pair_[at(r) + 1] - first, first);
    }
  }

  Rule rule_;
  const std::int64_t modulus_;
  const std::int64_t row_blocks_;
  const std::int64_t in_last_;                    // labels in the last row block
  static constexpr std::int64_t kSuperBlock = 4;  // row blocks
  static constexpr std::int64_t kSuperBlockRows = kSuperBlock * kRowBlock;
  const std::int64_t super_row_blocks_;     // how many times kSuperBlock full row blocks there are
  std::vector<std::uint8_t> super_blocks_;  // see super_block_of
  std::vector<Rows> rows_;
  std::vector<Part> loose_parts_;
  std::vector<std::int64_t> first_pair_;
  Plan plan_;
};

}  // namespace

Plan plan_circle(const Schedule& schedule) {
  if (schedule.n() == 0) return plan_rounds(schedule);
  return SumsPlanner<Circle>(schedule).run();
}

Plan plan_brickwall(const Schedule& schedule) {
  if (schedule.n() == 0) return plan_rounds(schedule);
  return SumsPlanner<Brickwall>(schedule).run();
}

}  // namespace givens::planning
