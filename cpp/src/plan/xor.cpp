// The plan of xor. Row k is coordinate k. After rounds 1 .. 2^k - 1 the matrix is block-diagonal
// with blocks of 2^k rows: diagonal blocks have 8 rows, and merge level h = 1, 2, 4, .. joins
// blocks of h row blocks by rotation blocks (a, a ^ x), x = h .. 2 h - 1. Their order returns to a
// row block soon after it left it, so that its rows are still in cache.
#include <utility>

#include "plan/builder.hpp"
#include "plan/planners.hpp"
#include "schedule/rounds.hpp"

namespace givens::planning {

namespace {

class XorPlanner {
 public:
  explicit XorPlanner(const Schedule& schedule)
      : n_(schedule.n()),
        columns_(kept_columns(schedule)),
        row_blocks_(row_blocks_of(n_)),
        row_blocks_kept_(row_blocks_of(columns_)),
        rounds_(schedule.num_rounds()),
        offsets_(schedule.round_offsets().data()) {}

  Plan run() {
    set_identity_rows(plan_, n_);
    const std::int64_t steps = row_blocks_kept_ * (2 * row_blocks_ - row_blocks_kept_ + 1) / 2;
    plan_.steps.reserve(at(steps));
    plan_.angle_indices.reserve(at(steps * kRowBlock));
    add_diagonal_blocks();
    for (std::int64_t h = 1; h < row_blocks_; h *= 2) add_merge_level(h);
    return std::move(plan_);
  }

 private:
  std::int64_t num_angle_indices() const {
    return static_cast<std::int64_t>(plan_.angle_indices.size());
  }
  void add_angle_index(std::int64_t angle) { plan_.angle_indices.push_back(narrow(angle)); }

  // Whether all pairs between row blocks a and b exist.
  bool is_regular(std::int64_t a, std::int64_t b) const {
    return (a + 1) * kRowBlock <= columns_ && (b + 1) * kRowBlock <= n_;
  }

  void add_diagonal_blocks() {
    MergeLevel level{kRowBlock, {0}};
    for (std::int64_t a = 0; a < row_blocks_; ++a) {
      if (a < row_blocks_kept_) add_diagonal_block(a);
      level.first.push_back(num_steps(plan_));
    }
    plan_.merge_levels.push_back(std::move(level));
  }

  // Round r has 4 pairs in each of the row blocks before a.
  void add_diagonal_block(std::int64_t a) {
    const std::int64_t first = a * kRowBlock;
    const std::int64_t first_index = num_angle_indices();
    const auto first_angle = [&](std::int64_t r) { return offsets_[r - 1] + first / 2; };
    if (is_regular(a, a)) {
      for (int r = 1; r < kRowBlock; ++r) add_angle_index(first_angle(r));
      add_block(plan_, Pattern::diagonal_block, AngleMap::contiguous, first, first, first_index);
      return;
    }
    if (n_ - first < 2) return;
    for (std::int64_t r = 1; r < kRowBlock; ++r) {
      std::int64_t angle = r <= rounds_ ? first_angle(r) : -1;
      for (std::int64_t k = 0; k < kRowBlock; ++k) {
        const std::int64_t l = k ^ r;
        if (l < k) continue;
        const bool exists = first + k < columns_ && first + l < n_;
        add_angle_index(exists ? angle++ : -1);
      }
    }
    add_block(plan_, Pattern::diagonal_block, AngleMap::gather, first, first, first_index);
  }

  void add_merge_level(std::int64_t h) {
    h_ = h;
    MergeLevel level{2 * h * kRowBlock, {num_steps(plan_)}};
    for (block_ = 0; block_ < row_blocks_; block_ += 2 * h) {
      upper_rows_ =
          std::min(std::max<std::int64_t>(n_ - (block_ + h) * kRowBlock, 0), h * kRowBlock);
      join(block_, block_ + h, h);
      level.first.push_back(num_steps(plan_));
    }
    plan_.merge_levels.push_back(std::move(level));
  }

  // The rotation blocks between row blocks a .. a + size - 1 and b .. b + size - 1.
  void join(std::int64_t a, std::int64_t b, std::int64_t size) {
    if (b >= row_blocks_ || a >= row_blocks_kept_) return;
    if (size == 1) return add_join_block(a, b);
    size /= 2;
    join(a, b, size);
    join(a + size, b + size, size);
    join(a, b + size, size);
    join(a + size, b, size);
  }

  void add_join_block(std::int64_t a, std::int64_t b) {
    const std::int64_t rounds = (a ^ b) * kRowBlock;  // the first of eight
    const std::int64_t before = pairs_before(a, b);
    const bool regular = is_regular(a, b);
    add_block(plan_, Pattern::xor_block, regular ? AngleMap::contiguous : AngleMap::gather,
              a * kRowBlock, b * kRowBlock, num_angle_indices());
    for (int s = 0; s < kRowBlock; ++s) {
      std::int64_t angle = offsets_[rounds + s - 1] + before;
      if (regular) {
        add_angle_index(angle);
        continue;
      }
      for (int k = 0; k < kRowBlock; ++k) {
        const bool exists = a * kRowBlock + k < columns_ && b * kRowBlock + (k ^ s) < n_;
        add_angle_index(exists ? angle++ : -1);
      }
    }
  }

  // The number of pairs with i in row blocks before a, in each round of rotation block (a, b): 8 h
  // for every block before, and in a's own block one for every row that exists in the partners of
  // its row blocks.
  std::int64_t pairs_before(std::int64_t a, std::int64_t b) const {
    const std::int64_t in_blocks = block_ / 2 * kRowBlock;
    const std::int64_t row_block = a - block_;
    if (upper_rows_ == h_ * kRowBlock) return in_blocks + row_block * kRowBlock;
    const std::int64_t mask = a ^ b ^ h_;
    const std::int64_t full = upper_rows_ / kRowBlock;
    const std::int64_t partial = (full ^ mask) < row_block ? upper_rows_ % kRowBlock : 0;
    return in_blocks + rounds::xor_rank(row_block, mask, full) * kRowBlock + partial;
  }

  const std::int64_t n_;
  const std::int64_t columns_;
  const std::int64_t row_blocks_;
  const std::int64_t row_blocks_kept_;  // the row blocks with a column
  const std::int64_t rounds_;           // less than 7 if n <= 4
  const std::int64_t* const offsets_;
  // The level and the block that are being joined.
  std::int64_t h_ = 0;
  std::int64_t block_ = 0;
  std::int64_t upper_rows_ = 0;  // rows that exist in the upper half
  Plan plan_;
};

}  // namespace

Plan plan_xor(const Schedule& schedule) { return XorPlanner(schedule).run(); }

}  // namespace givens::planning
