// The plan of xor. Slots are coordinates. After rounds 1 .. 2^k - 1 the matrix is block-diagonal
// with blocks of 2^k: the leaves are blocks of 8, and level h = 1, 2, 4, .. joins blocks of h
// groups by tiles (a, a ^ x), x = h .. 2 h - 1, in an order that returns to a group soon after it
// was left, so that it is still in cache.
#include <utility>

#include "plan/builder.hpp"
#include "schedule/rounds.hpp"

namespace givens::planning {

namespace {

// Plans of fewer tiles are not worth more than one thread.
constexpr std::int64_t kLeastTilesForWaves = 64;

// A level of fewer blocks than this has their joins cut into as many ranges, if these are then
// between parts of at least so many groups: to share out what is less takes longer than to do it.
constexpr std::int64_t kLeastRanges = 8;
constexpr std::int64_t kLeastInPart = 4;

class XorPlanner {
 public:
  explicit XorPlanner(const Schedule& schedule)
      : n_(schedule.n()),
        columns_(kept_columns(schedule)),
        groups_(groups_of(n_)),
        groups_kept_(groups_of(columns_)),
        rounds_(schedule.num_rounds()),
        offsets_(schedule.round_offsets().data()) {}

  Plan run() {
    set_identity_slots(plan_, n_);
    const std::int64_t tiles = groups_kept_ * groups_ - groups_kept_ * (groups_kept_ + 1) / 2;
    in_waves_ = tiles >= kLeastTilesForWaves;
    reserve(tiles);
    add_leaves();
    for (std::int64_t h = 1; h < groups_; h *= 2) add_level(h);
    plan_.sources.resize(at(num_sources_));
    if (!in_waves_) add_single_wave(plan_);
    return std::move(plan_);
  }

 private:
  // Whether all pairs between the groups exist.
  bool is_regular(std::int64_t a, std::int64_t b) const {
    return (a + 1) * kGroup <= columns_ && (b + 1) * kGroup <= n_;
  }

  void reserve(std::int64_t tiles) {
    // Irregular are the tiles of the last group and of the group in which the columns end.
    std::int64_t irregular = 0;
    if (n_ % kGroup != 0) irregular += groups_kept_;
    if (columns_ % kGroup != 0) irregular += groups_ - groups_kept_ + 1;
    plan_.steps.reserve(at(tiles + groups_kept_));
    plan_.sources.resize(at((tiles + groups_kept_) * kGroup + irregular * (kTileEntries - kGroup)));
    std::size_t levels = 1;
    for (std::int64_t h = 1; h < groups_; h *= 2) ++levels;
    plan_.levels.reserve(levels);
  }

  // The next source.
  std::int32_t& new_source() { return plan_.sources[at(num_sources_++)]; }

  void add_leaves() {
    Level level{kGroup, {}};
    level.first.reserve(at(groups_) + 1);
    level.first.push_back(0);
    for (std::int64_t a = 0; a < groups_; ++a) {
      if (a < groups_kept_) add_leaf(a);
      level.first.push_back(num_steps(plan_));
    }
    if (in_waves_) add_wave_of_blocks(plan_, level.first);
    plan_.levels.push_back(std::move(level));
  }

  // Round r has 4 pairs in each of the groups before a.
  void add_leaf(std::int64_t a) {
    const std::int64_t first = a * kGroup;
    const std::int64_t source = num_sources_;
    const auto first_angle = [&](std::int64_t r) { return offsets_[r - 1] + first / 2; };
    if (is_regular(a, a)) {
      for (int r = 1; r < kGroup; ++r) new_source() = narrow(first_angle(r));
      add_tile(plan_, Pattern::xor_leaf, Sources::runs, first, first, source);
      return;
    }
    if (n_ - first < 2) return;
    for (std::int64_t r = 1; r < kGroup; ++r) {
      std::int64_t angle = r <= rounds_ ? first_angle(r) : -1;
      for (std::int64_t k = 0; k < kGroup; ++k) {
        const std::int64_t l = k ^ r;
        if (l < k) continue;
        const bool exists = first + k < columns_ && first + l < n_;
        new_source() = exists ? narrow(angle++) : -1;
      }
    }
    add_tile(plan_, Pattern::xor_leaf, Sources::each, first, first, source);
  }

  void add_level(std::int64_t h) {
    h_ = h;
    const std::int64_t blocks = (groups_ + 2 * h - 1) / (2 * h);
    Level level{2 * h * kGroup, {}};
    level.first.reserve(at(blocks) + 1);
    level.first.push_back(num_steps(plan_));
    // Blocks are ranges of one wave, or, where they are few, cut into parts.
    const std::int64_t most_parts = std::min(h / kLeastInPart, kLeastRanges);
    const std::int64_t parts = in_waves_ && blocks < most_parts ? most_parts : 1;
    for (block_ = 0; block_ < groups_; block_ += 2 * h) {
      upper_rows_ = std::min(std::max<std::int64_t>(n_ - (block_ + h) * kGroup, 0), h * kGroup);
      if (parts > 1) {
        join_in_parts(parts);
      } else {
        join(block_, block_ + h, h);
      }
      level.first.push_back(num_steps(plan_));
    }
    if (in_waves_ && parts == 1) add_wave_of_blocks(plan_, level.first);
    plan_.levels.push_back(std::move(level));
  }

  // The join of both halves of a block, each in `parts`: part p of the lower half with part p ^ x
  // of the upper, by rising x, each in the order of `join`. The joins of one x touch different
  // slots: a wave.
  void join_in_parts(std::int64_t parts) {
    const std::int64_t size = h_ / parts;
    for (std::int64_t x = 0; x < parts; ++x) {
      Wave wave;
      wave.first.reserve(at(parts) + 1);
      wave.first.push_back(num_steps(plan_));
      for (std::int64_t p = 0; p < parts; ++p) {
        join(block_ + p * size, block_ + h_ + (p ^ x) * size, size);
        if (num_steps(plan_) > wave.first.back()) wave.first.push_back(num_steps(plan_));
      }
      if (wave.first.size() > 1) plan_.waves.push_back(std::move(wave));
    }
  }

  // The tiles between groups a .. a + size - 1 and b .. b + size - 1.
  void join(std::int64_t a, std::int64_t b, std::int64_t size) {
    if (b >= groups_ || a >= groups_kept_) return;
    if (size == 1) return add_join_tile(a, b);
    size /= 2;
    join(a, b, size);
    join(a + size, b + size, size);
    join(a, b + size, size);
    join(a + size, b, size);
  }

  void add_join_tile(std::int64_t a, std::int64_t b) {
    const std::int64_t rounds = (a ^ b) * kGroup;  // the first of eight
    const std::int64_t before = pairs_before(a, b);
    const std::int64_t source = num_sources_;
    if (is_regular(a, b)) {
      const std::int64_t* const offsets = offsets_ + rounds - 1;
      std::int32_t* const runs = plan_.sources.data() + source;
      for (int s = 0; s < kGroup; ++s) runs[s] = narrow(offsets[s] + before);
      num_sources_ += kGroup;
      add_tile(plan_, Pattern::xor_tile, Sources::runs, a * kGroup, b * kGroup, source);
      return;
    }
    for (int s = 0; s < kGroup; ++s) {
      std::int64_t angle = offsets_[rounds + s - 1] + before;
      for (int k = 0; k < kGroup; ++k) {
        const bool exists = a * kGroup + k < columns_ && b * kGroup + (k ^ s) < n_;
        new_source() = exists ? narrow(angle++) : -1;
      }
    }
    add_tile(plan_, Pattern::xor_tile, Sources::each, a * kGroup, b * kGroup, source);
  }

  // The number of pairs, in each of the tile's rounds, with i in groups before a: 8 h for a block,
  // and in a's own block one for every row that exists in the groups' partners.
  std::int64_t pairs_before(std::int64_t a, std::int64_t b) const {
    const std::int64_t in_blocks = block_ / 2 * kGroup;
    const std::int64_t group = a - block_;
    if (upper_rows_ == h_ * kGroup) return in_blocks + group * kGroup;
    const std::int64_t mask = a ^ b ^ h_;
    const std::int64_t full = upper_rows_ / kGroup;
    const std::int64_t partial = (full ^ mask) < group ? upper_rows_ % kGroup : 0;
    return in_blocks + rounds::xor_rank(group, mask, full) * kGroup + partial;
  }

  const std::int64_t n_;
  const std::int64_t columns_;
  const std::int64_t groups_;
  const std::int64_t groups_kept_;  // those with a column
  const std::int64_t rounds_;       // less than 7 if n <= 4
  const std::int64_t* const offsets_;
  bool in_waves_ = false;
  // Of the level and block that are being joined.
  std::int64_t h_ = 0;
  std::int64_t block_ = 0;
  std::int64_t upper_rows_ = 0;   // rows that exist in the upper half
  std::int64_t num_sources_ = 0;  // Plan::sources has room for those to come
  Plan plan_;
};

}  // namespace

Plan plan_xor(const Schedule& schedule) { return XorPlanner(schedule).run(); }

}  // namespace givens::planning
