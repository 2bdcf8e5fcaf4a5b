// What planners share.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "plan/plan.hpp"

namespace givens::planning {

// A rotation block takes the time of about this many rotations in a step of pairs, however few of
// its rotations exist.
inline constexpr int kLeastInBlock = 28;

inline std::int32_t narrow(std::int64_t value) { return static_cast<std::int32_t>(value); }

inline std::size_t at(std::int64_t value) { return static_cast<std::size_t>(value); }

inline std::int64_t row_blocks_of(std::int64_t rows) { return (rows + kRowBlock - 1) / kRowBlock; }

inline std::int64_t num_steps(const Plan& plan) {
  return static_cast<std::int64_t>(plan.steps.size());
}

// Every pair has i < kept_columns. If the last coordinate alone has no column, no pair is dropped.
inline std::int64_t kept_columns(const Schedule& schedule) {
  return schedule.columns() + 1 >= schedule.n() ? schedule.n() : schedule.columns();
}

// Row k is coordinate k.
inline void set_identity_rows(Plan& plan, std::int64_t n) {
  plan.rows = row_blocks_of(n) * kRowBlock;
  plan.coordinate_of_row.resize(at(plan.rows), -1);
  for (std::int64_t k = 0; k < n; ++k) plan.coordinate_of_row[at(k)] = narrow(k);
}

// Appends a step of a block, whose rotations are numbered on from the steps before it.
inline void add_block(Plan& plan, Pattern pattern, AngleMap angle_map, std::int64_t a,
                      std::int64_t b, std::int64_t angle, std::int64_t step_k = 0,
                      std::int64_t step_l = 0) {
  const int count = pattern == Pattern::diagonal_block ? kDiagonalBlockRotations : kBlockRotations;
  plan.steps.push_back({pattern, angle_map, narrow(a), narrow(b), count, plan.rotations, angle,
                        narrow(step_k), narrow(step_l)});
  plan.rotations += count;
}

// Appends a step of `count` pairs, if any, from pair `first` on, whose angles are in
// Plan::angle_indices from `angle` on.
inline void add_pairs(Plan& plan, std::int64_t first, std::int64_t count, std::int64_t angle) {
  if (count == 0) return;
  plan.steps.push_back(
      {Pattern::pairs, AngleMap::gather, narrow(first), 0, narrow(count), plan.rotations, angle});
  plan.rotations += count;
}

// One merge level over all rows, for plans that know no block structure.
inline void add_single_merge_level(Plan& plan) {
  plan.merge_levels.push_back({std::max<std::int64_t>(plan.rows, 1), {0, num_steps(plan)}});
}

// Which rotations of a sum or diamond block exist, by diagonals: bit k of diagonal q says it of
// rotation (k, q - k). The last diagonal is empty.
using Diagonals = std::array<std::uint8_t, 2 * kRowBlock>;

constexpr Diagonals all_diagonals() {
  Diagonals out{};
  for (int q = 0; q < 2 * kRowBlock - 1; ++q) {
    const int bits = q < kRowBlock ? (2 << q) - 1 : 0x100 - (2 << (q - kRowBlock));
    out[static_cast<std::size_t>(q)] = static_cast<std::uint8_t>(bits);
  }
  return out;
}
inline constexpr Diagonals kAllDiagonals = all_diagonals();

constexpr std::uint8_t reversed_bits(std::uint8_t bits) {
  std::uint8_t out = 0;
  for (int k = 0; k < kRowBlock; ++k) out = static_cast<std::uint8_t>(out << 1 | (bits >> k & 1));
  return out;
}

constexpr int count_bits(std::uint8_t bits) {
  int v = bits - (bits >> 1 & 0x55);
  v = (v & 0x33) + (v >> 2 & 0x33);
  return (v + (v >> 4)) & 0xf;
}

// Diagonal q of the rotations between the rows of row block a whose bits are set and the rows of b
// whose bits are set. The bits of b come in reverse order.
constexpr std::uint8_t diagonal(std::uint8_t a, std::uint8_t b_reversed, int q) {
  const int shifted =
      q >= kRowBlock - 1 ? b_reversed << (q - (kRowBlock - 1)) : b_reversed >> (kRowBlock - 1 - q);
  return static_cast<std::uint8_t>(a & shifted);
}

// Fills in the 64 angles of a sum or diamond block in the order of rotation_index: rotation (k, l)
// has the angle base[k + l] + spread(l - k) if it exists, else -1.
template <class Spread>
void fill_block(std::int32_t* out, const Diagonals& exists, const std::int32_t* base,
                Spread&& spread) {
  static constexpr std::int32_t kLanes[kRowBlock] = {0, 1, 2, 3, 4, 5, 6, 7};
  static constexpr std::int32_t kBits[kRowBlock] = {1, 2, 4, 8, 16, 32, 64, 128};
  // With q = k + l, l - k = q - 2 k: as k rises, every second difference from q on.
  constexpr int kLast = 2 * (kRowBlock - 1);
  std::int32_t even[2 * kRowBlock];
  std::int32_t odd[2 * kRowBlock];
  for (std::int32_t k = 0; k < 2 * kRowBlock; ++k) {
    even[k] = spread(kLast - 2 * k);
    odd[k] = spread(kLast + 1 - 2 * k);
  }
  for (int row = 0; row < kRowBlock; ++row) {
    // Lanes k <= row belong to diagonal q = row, the others to q = row + 8.
    const int next = row + kRowBlock;
    const int mask = exists[static_cast<std::size_t>(row)] | exists[static_cast<std::size_t>(next)];
    const std::int32_t base_of_row = base[row];
    const std::int32_t base_of_next = base[next];
    const std::int32_t* spreads =
        row % 2 == 0 ? even + (kLast - row) / 2 : odd + (kLast + 1 - row) / 2;
    for (int k = 0; k < kRowBlock; ++k) {
      const std::int32_t first = base_of_row + spreads[k];
      const std::int32_t second = base_of_next + spreads[k - kRowBlock / 2];
      const std::int32_t value = kLanes[k] <= row ? first : second;
      out[kRowBlock * row + k] = (mask & kBits[k]) != 0 ? value : -1;
    }
  }
}

}  // namespace givens::planning
