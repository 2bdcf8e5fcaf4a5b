// The plan of team: the circles within teams, then the matches, one after the other, so that the
// rows of two teams stay in cache. Rows are coordinates.
//
// In rounds m = 0 .. S - 1 of a match of teams of S = 8 g, row k of the home team meets row (k + m)
// mod S of the visitors. So between group alpha of home and beta of the visitors, d = 8 (beta -
// alpha) mod S, row k meets row l in round m = d + l - k: a tile, in which every row has all that
// it does in a row of rounds, d among them. Blocks are placed by rising d, before the loose pairs
// of round d. With d = 0 the rotations l < k have m = S + l - k: the tile is cut into a part l >= k
// at the start of the match and a part l < k at its end.
#include <utility>

#include "plan/builder.hpp"
#include "schedule/rounds.hpp"

namespace givens::planning {

namespace {

// Small teams and matches share steps of pairs, up to this many rows.
constexpr std::int64_t kRowsOfStep = 64;

// Plans of fewer rotations are not worth more than one thread.
constexpr std::int64_t kLeastRotationsForStages = 64 * kBlockRotations;

struct Match {
  std::int64_t home;  // the first slots of the teams
  std::int64_t visitors;
  std::int64_t kept;     // home's players with a column, the first ones
  std::int64_t present;  // visitors that exist, the first ones
};

// The tile of groups alpha and beta of a match, or a part of it: diagonal q of its rotations is in
// round first + q of the match.
struct MatchBlock {
  std::int64_t alpha;
  std::int64_t beta;
  std::int64_t first;
};

// The first `count` rows of a team, of group `group`, in reverse.
std::uint8_t rows_reversed(std::int64_t count, std::int64_t group) {
  const std::int64_t rows =
      std::min(std::max<std::int64_t>(count - group * kRowBlock, 0), std::int64_t{kRowBlock});
  return reversed_bits(static_cast<std::uint8_t>((1 << rows) - 1));
}

class TeamPlanner {
 public:
  explicit TeamPlanner(const Schedule& schedule)
      : n_(schedule.n()),
        size_(schedule.team_size()),
        columns_(kept_columns(schedule)),
        teams_(rounds::team_number(n_, size_)),
        rotations_(schedule.num_rotations()),
        in_blocks_(size_ % kRowBlock == 0),
        offsets_(schedule.round_offsets().data()) {}

  Plan run() {
    set_identity_rows(plan_, n_);
    reserve();
    PairWriter pairs(plan_, in_blocks_ ? inner_pairs() : rotations_);
    add_inner_rounds(pairs);
    std::int64_t first_round = rounds::inner_rounds(size_);
    for (std::int64_t step = rounds::match_rounds(teams_) - 1; step >= 0; --step) {
      add_matches(step, first_round, pairs);
      first_round += size_;
    }
    add_single_merge_level(plan_);
    if (!in_stages()) add_single_stage(plan_);
    return std::move(plan_);
  }

 private:
  bool in_stages() const { return rotations_ >= kLeastRotationsForStages; }

  // The number of teams, and of matches, that are worked on together.
  std::int64_t teams_together() const { return std::max<std::int64_t>(kRowsOfStep / size_, 1); }
  std::int64_t matches_together() const {
    return std::max<std::int64_t>(kRowsOfStep / (2 * size_), 1);
  }

  std::int64_t inner_pairs() const { return offsets_[rounds::inner_rounds(size_)]; }

  void reserve() {
    const std::int64_t inner = rounds::inner_rounds(size_);
    const std::int64_t inner_steps =
        std::min(inner_pairs(), inner * ((teams_ + teams_together() - 1) / teams_together()));
    if (!in_blocks_) {
      plan_.steps.reserve(at(inner_steps));
      return;
    }
    const std::int64_t homes = std::min((columns_ + size_ - 1) / size_, teams_);
    const std::int64_t matches = homes * teams_ - homes * (homes + 1) / 2;
    const std::int64_t groups = size_ / kRowBlock;
    plan_.steps.reserve(at(inner_steps + matches * groups * (groups + 1)));
    plan_.angle_indices.reserve(at(inner_pairs() + matches * 2 * groups * kBlockRotations));
  }

  // All rounds of a few teams before the next.
  void add_inner_rounds(PairWriter& pairs) {
    const std::int64_t count = rounds::inner_rounds(size_);
    const std::int64_t per_round = size_ / 2;
    // The pairs of a full team, of which each has the same.
    std::vector<RowPair> full;
    if (size_ <= columns_) {
      full.reserve(at(count * per_round));
      for (std::int64_t r = 0; r < count; ++r) {
        rounds::circle_step(size_, r, [&](std::int64_t i, std::int64_t j) {
          full.push_back({narrow(i), narrow(j)});
        });
      }
    }
    const std::int64_t together = teams_together() * size_;
    std::vector<std::int64_t> first{0};
    for (std::int64_t start = 0; start < columns_; start += together) {
      const std::int64_t end = std::min(start + together, columns_);
      for (std::int64_t r = 0; r < count; ++r) {
        if (offsets_[r] == offsets_[r + 1]) continue;
        std::int64_t angle = offsets_[r] + start / size_ * per_round;
        for (std::int64_t team = start; team < end; team += size_, angle += per_round) {
          if (team + size_ <= columns_) {
            const RowPair* of_round = full.data() + r * per_round;
            pairs.add_run(per_round, angle, [&, shift = narrow(team)](std::int32_t k) {
              return RowPair{of_round[k].i + shift, of_round[k].j + shift};
            });
            continue;
          }
          // After this team, none has columns.
          rounds::circle_step(size_, r, [&](std::int64_t i, std::int64_t j) {
            if (team + i < columns_ && team + j < n_) pairs.add(team + i, team + j, angle++);
          });
        }
        pairs.finish_step();
      }
      first.push_back(num_steps(plan_));
    }
    if (in_stages()) add_stage_of_blocks(plan_, first);
  }

  // The matches of one step of the circle of teams; `pairs` are for matches that are not in tiles.
  void add_matches(std::int64_t step, std::int64_t first_round, PairWriter& pairs) {
    matches_.clear();
    // Whether the number of pairs of a round depends on the round: there is a match between some of
    // a home team and some of a visiting team.
    bool uneven = false;
    rounds::circle_step(teams_, step, [&](std::int64_t home, std::int64_t visitors) {
      const Match match{home * size_, visitors * size_, std::min(columns_ - home * size_, size_),
                        std::min(n_ - visitors * size_, size_)};
      if (match.kept <= 0) return;
      matches_.push_back(match);
      uneven = uneven || (match.kept < size_ && match.present < size_);
    });
    per_round_ = uneven ? -1 : offsets_[first_round + 1] - offsets_[first_round];
    base_.resize(at(size_));
    for (std::int64_t m = 0; m < size_; ++m) base_[at(m)] = narrow(offsets_[first_round + m]);
    std::vector<std::int64_t> first{num_steps(plan_)};
    first.reserve(matches_.size() + 1);
    if (in_blocks_) {
      for (const Match& match : matches_) {
        if (match.kept == size_ && match.present == size_) {
          add_full_match(match);
        } else {
          add_partial_match(match);
        }
        first.push_back(num_steps(plan_));
      }
    } else {
      const auto together = static_cast<std::size_t>(matches_together());
      for (std::size_t k = 0; k < matches_.size(); k += together) {
        add_matches_of_pairs(k, std::min(k + together, matches_.size()), pairs);
        first.push_back(num_steps(plan_));
      }
    }
    if (in_stages()) add_stage_of_blocks(plan_, first);
  }

  void add_matches_of_pairs(std::size_t begin, std::size_t end, PairWriter& pairs) {
    for (std::int64_t m = 0; m < size_; ++m) {
      std::int64_t angle = base_[at(m)];
      for (std::size_t k = begin; k < end; ++k) {
        const Match& match = matches_[k];
        // Home's players i meet the visitors i + m, up to the last, then those from 0 on.
        const std::int64_t to_last = std::min(match.kept, match.present - m);
        const std::int64_t turn = size_ - m;
        const std::int64_t from_zero = std::min(match.kept - turn, match.present);
        const auto add_run = [&](std::int64_t i, std::int64_t j, std::int64_t count) {
          if (count <= 0) return;
          pairs.add_run(count, angle,
                        [a = narrow(match.home + i), b = narrow(match.visitors + j)](
                            std::int32_t at) { return RowPair{a + at, b + at}; });
          angle += count;
        };
        add_run(0, m, to_last);
        add_run(turn, 0, from_zero);
      }
      base_[at(m)] = narrow(angle);
      pairs.finish_step();
    }
  }

  // Calls visit for the tiles of groups with difference d: of d = 0 their parts l >= k, of d = S
  // their parts l < k.
  template <class Visit>
  void for_each_block(std::int64_t d, Visit&& visit) const {
    const std::int64_t groups = size_ / kRowBlock;
    const std::int64_t shift = d / kRowBlock;
    for (std::int64_t alpha = 0; alpha < groups; ++alpha) {
      const std::int64_t beta = alpha + shift;
      visit(MatchBlock{alpha, beta < groups ? beta : beta - groups, d - (kRowBlock - 1)});
    }
  }

  void add_full_match(const Match& match) {
    static constexpr Diagonals kEarly = whole_diagonals(kRowBlock - 1, 2 * (kRowBlock - 1));
    static constexpr Diagonals kLate = whole_diagonals(0, kRowBlock - 2);
    for_each_block(
        0, [&](const MatchBlock& rotation_block) { add_each(match, rotation_block, kEarly); });
    for (std::int64_t d = kRowBlock; d < size_; d += kRowBlock) {
      for_each_block(d, [&](const MatchBlock& rotation_block) {
        if (per_round_ < 0) return add_each(match, rotation_block, kAllDiagonals);
        // Angle base[d + l - k] + 8 alpha + k.
        add_block(plan_, Pattern::difference_block, AngleMap::affine,
                  match.home + rotation_block.alpha * kRowBlock,
                  match.visitors + rotation_block.beta * kRowBlock,
                  base_[at(d)] + rotation_block.alpha * kRowBlock, 1 - per_round_, per_round_);
      });
    }
    for_each_block(
        size_, [&](const MatchBlock& rotation_block) { add_each(match, rotation_block, kLate); });
    for (std::int32_t& base : base_) base += narrow(size_);
  }

  void add_partial_match(const Match& match) {
    std::int64_t num_loose = 0;
    const auto count_loose = [&](const MatchBlock& rotation_block) {
      const int count = count_rotations(diagonals(match, rotation_block));
      if (count < kLeastInBlock) num_loose += count;
    };
    const auto add_if_block = [&](const MatchBlock& rotation_block) {
      const Diagonals exists = diagonals(match, rotation_block);
      if (count_rotations(exists) >= kLeastInBlock) add_each(match, rotation_block, exists);
    };
    for (std::int64_t d = 0; d <= size_; d += kRowBlock) for_each_block(d, count_loose);
    PairWriter pairs(plan_, num_loose);
    for (std::int64_t m = 0; m < size_; ++m) {
      const std::int64_t d = m / kRowBlock * kRowBlock;
      if (m == d) for_each_block(d, add_if_block);
      // Diagonal m of the tiles that are not.
      const auto add_loose = [&](const MatchBlock& rotation_block) {
        const std::int64_t q = m - rotation_block.first;
        if (q < 0 || q >= 2 * kRowBlock - 1) return;
        const Diagonals exists = diagonals(match, rotation_block);
        if (count_rotations(exists) >= kLeastInBlock) return;
        for (std::int64_t k = 0; k < kRowBlock; ++k) {
          if ((exists[at(q)] >> k & 1) == 0) continue;
          const std::int64_t i = rotation_block.alpha * kRowBlock + kRowBlock - 1 - k;
          pairs.add(match.home + i, match.visitors + rotation_block.beta * kRowBlock + q - k,
                    base_[at(m)] + rank(match, i, m));
        }
      };
      for_each_block(d, add_loose);
      for_each_block(d + kRowBlock, add_loose);
      pairs.finish_step();
    }
    for_each_block(size_, add_if_block);
    for (std::int64_t m = 0; m < size_; ++m) base_[at(m)] += rank(match, match.kept, m);
  }

  static int count_rotations(const Diagonals& exists) {
    int count = 0;
    for (const std::uint8_t bits : exists) count += count_bits(bits);
    return count;
  }

  // By k' = 7 - k.
  Diagonals diagonals(const Match& match, const MatchBlock& rotation_block) const {
    const std::uint8_t home = rows_reversed(match.kept, rotation_block.alpha);
    const std::uint8_t visitors = rows_reversed(match.present, rotation_block.beta);
    Diagonals out{};
    for (int q = 0; q < 2 * kRowBlock - 1; ++q) {
      const std::int64_t m = rotation_block.first + q;
      if (m >= 0 && m < size_) out[static_cast<std::size_t>(q)] = diagonal(home, visitors, q);
    }
    return out;
  }

  // The number of the match's pairs in round m with a home player before i.
  std::int32_t rank(const Match& match, std::int64_t i, std::int64_t m) const {
    return narrow(rounds::match_rank(i, m, size_, match.present));
  }

  void add_each(const Match& match, const MatchBlock& rotation_block, const Diagonals& exists) {
    const auto angle = static_cast<std::int64_t>(plan_.angle_indices.size());
    plan_.angle_indices.resize(plan_.angle_indices.size() + kBlockRotations);
    // By k' = 7 - k. Row 8 alpha + k, where k = 7 - (q - x) / 2 with q = k' + l and x = l - k'.
    std::int32_t* out = plan_.angle_indices.data() + angle;
    if (match.present == size_) {
      std::int32_t base[2 * kRowBlock] = {};
      const auto row = narrow(rotation_block.alpha * kRowBlock + kRowBlock - 1);
      for (int q = 0; q < 2 * kRowBlock - 1; ++q) {
        if (exists[static_cast<std::size_t>(q)] == 0) continue;
        base[q] = base_[at(rotation_block.first + q)] + row - (q + kRowBlock * 2) / 2;
      }
      // (q - x) / 2 = floor(q / 2) - floor(x / 2): both are even, or both odd.
      fill_block(out, exists, base, [](std::int32_t x) { return (x + kRowBlock * 2) / 2; });
    } else {
      for (int e = 0; e < kBlockRotations; ++e) {
        const BlockIndex index = block_index(Pattern::difference_block, e);
        const int q = kRowBlock - 1 - index.k + index.l;
        const bool there =
            (exists[static_cast<std::size_t>(q)] >> (kRowBlock - 1 - index.k) & 1) != 0;
        const std::int64_t m = rotation_block.first + q;
        out[e] =
            there ? base_[at(m)] + rank(match, rotation_block.alpha * kRowBlock + index.k, m) : -1;
      }
    }
    add_block(plan_, Pattern::difference_block, AngleMap::gather,
              match.home + rotation_block.alpha * kRowBlock,
              match.visitors + rotation_block.beta * kRowBlock, angle);
  }

  const std::int64_t n_;
  const std::int64_t size_;
  const std::int64_t columns_;
  const std::int64_t teams_;
  const std::int64_t rotations_;
  const bool in_blocks_;
  const std::int64_t* const offsets_;
  // Of the matches of one step: the pairs of a round, -1 if their number depends on the round, and
  // for every round the first angle of the next match.
  std::vector<Match> matches_;
  std::int64_t per_round_ = -1;
  std::vector<std::int32_t> base_;
  Plan plan_;
};

}  // namespace

Plan plan_team(const Schedule& schedule) { return TeamPlanner(schedule).run(); }

}  // namespace givens::planning
