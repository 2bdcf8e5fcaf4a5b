// The plan of wavefront. Its rotation of the pair (i, i + 1) for column j of the frame is numbered
// (K, L), with K = m' - 1 - j and L = i - j: it is in round K + L, and needs (K - 1, L) and
// (K, L - 1) before it. So the rotations whose K and L are in runs of 8 make a diamond block, and
// the blocks may follow one another in any order in which neither K nor L falls for both of two
// blocks. Blocks of 4 by 4 such blocks are taken one after the other, so that their rows stay in
// the nearest cache. A block with few rotations is taken by rounds, as steps of pairs.
//
// Rows are coordinates, moved up by less than 8 so that the rows of each block are row blocks.
#include <utility>

#include "plan/builder.hpp"
#include "plan/planners.hpp"

namespace givens::planning {

namespace {

class WavefrontPlanner {
 public:
  explicit WavefrontPlanner(const Schedule& schedule)
      : n_(schedule.n()),
        columns_(std::min(schedule.columns(), n_ - 1)),
        offsets_(schedule.round_offsets()),
        shift_(row_blocks_of(columns_) * kRowBlock - columns_) {}

  Plan run() {
    const std::int64_t ks = row_blocks_of(columns_);
    const std::int64_t ls = row_blocks_of(n_ - 1);
    for (std::int64_t k = 0; k < ks; k += kSuperBlock) {
      for (std::int64_t l = 0; l < ls; l += kSuperBlock) {
        for (std::int64_t a = k; a < std::min(k + kSuperBlock, ks); ++a) {
          for (std::int64_t b = l; b < std::min(l + kSuperBlock, ls); ++b) add(a, b);
        }
      }
    }
    set_rows();
    add_single_merge_level(plan_);
    return std::move(plan_);
  }

 private:
  static constexpr std::int64_t kSuperBlock = 4;

  bool exists(std::int64_t k, std::int64_t l) const {
    return k < columns_ && l <= n_ - 1 - columns_ + k;
  }

  // The angle of rotation (K, L): the pairs of a round are in the order of the columns.
  std::int64_t angle(std::int64_t k, std::int64_t l) const {
    return offsets_[at(k + l)] + std::min(columns_ - 1, k + l) - k;
  }

  // The first row of rotation (K, L).
  std::int64_t row(std::int64_t k, std::int64_t l) const { return shift_ + columns_ - 1 - k + l; }

  // Adds the rotations with K = 8 a .. 8 a + 7 and L = 8 b .. 8 b + 7.
  void add(std::int64_t a, std::int64_t b) {
    const std::int64_t first_k = a * kRowBlock;
    const std::int64_t first_l = b * kRowBlock;
    std::int32_t angles[kBlockRotations];
    int count = 0;
    for (int e = 0; e < kBlockRotations; ++e) {
      const BlockIndex index = block_index(Pattern::diamond_block, e);
      const std::int64_t k = first_k + index.k;
      const std::int64_t l = first_l + index.l;
      angles[e] = exists(k, l) ? narrow(angle(k, l)) : -1;
      if (angles[e] >= 0) ++count;
    }
    if (count < kLeastInBlock) return add_loose_pairs(first_k, first_l);
    const std::int64_t rows = row(first_k, first_l) - (kRowBlock - 1);
    add_block(plan_, Pattern::diamond_block, AngleMap::gather, rows, rows + kRowBlock,
              static_cast<std::int64_t>(plan_.angle_indices.size()));
    plan_.angle_indices.insert(plan_.angle_indices.end(), angles, angles + kBlockRotations);
    last_row_ = std::max(last_row_, rows + 2 * kRowBlock - 1);
  }

  void add_loose_pairs(std::int64_t first_k, std::int64_t first_l) {
    for (int q = 0; q < 2 * kRowBlock - 1; ++q) {
      const auto first_pair = static_cast<std::int64_t>(plan_.row_pairs.size());
      const auto first_angle = static_cast<std::int64_t>(plan_.angle_indices.size());
      for (int k = std::max(0, q - kRowBlock + 1); k < std::min(q + 1, kRowBlock); ++k) {
        if (!exists(first_k + k, first_l + q - k)) continue;
        const std::int64_t i = row(first_k + k, first_l + q - k);
        plan_.row_pairs.push_back({narrow(i), narrow(i + 1)});
        plan_.angle_indices.push_back(narrow(angle(first_k + k, first_l + q - k)));
      }
      add_pairs(plan_, first_pair, static_cast<std::int64_t>(plan_.row_pairs.size()) - first_pair,
                first_angle);
    }
  }

  // Blocks at the end may have rows beyond the last coordinate.
  void set_rows() {
    plan_.rows = row_blocks_of(std::max(shift_ + n_, last_row_ + 1)) * kRowBlock;
    plan_.coordinate_of_row.resize(at(plan_.rows), -1);
    for (std::int64_t k = 0; k < n_; ++k) plan_.coordinate_of_row[at(shift_ + k)] = narrow(k);
  }

  const std::int64_t n_;
  const std::int64_t columns_;  // m', at most n - 1: the last column of a square matrix needs none
  const std::vector<std::int64_t>& offsets_;
  const std::int64_t shift_;  // the row of coordinate 0
  std::int64_t last_row_ = -1;
  Plan plan_;
};

}  // namespace

Plan plan_wavefront(const Schedule& schedule) {
  if (schedule.num_rotations() == 0) return plan_rounds(schedule);
  return WavefrontPlanner(schedule).run();
}

}  // namespace givens::planning
