// Patterns of rotations: their numbering, their order, whole or in register blocks, and every
// engine on plans that have them in more places than the plans of schedules do.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

// Vectors are passed to inlined functions only, so that their ABI does not matter. To the end of
// the file: that is where the warning comes.
#pragma GCC diagnostic ignored "-Wpsabi"
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#include "cpu/kernels/sums-inl.hpp"
#pragma GCC diagnostic pop

#include "engine_checks.hpp"

using namespace test;

namespace {

using givens::AngleMap;
using givens::BlockIndex;
using givens::diagonal_block_order;
using givens::kBlockRotations;
using givens::kDiagonalBlockRotations;
using givens::kRowBlock;
using givens::Pattern;
using givens::RowPair;
using givens::Step;

constexpr Pattern kBlockPatterns[] = {Pattern::xor_block, Pattern::sum_block,
                                      Pattern::diamond_block};

std::size_t at(std::int64_t k) { return static_cast<std::size_t>(k); }

bool same(const RowPair& a, const RowPair& b) { return a.i == b.i && a.j == b.j; }

// The number of a rotation in its rotation block, row by row.
std::size_t number(const BlockIndex& index) { return at(8 * index.k + index.l); }

// What is wrong with a rotation block in register blocks of B x B rotations, in words; empty if
// nothing is: every rotation is applied once, on its rows and with its index, rotations of one row
// are in the order of the whole rotation block, and a row is marked as last in its last register
// block only.
template <int B, bool Adjoint>
std::string wrong_blocks(Pattern pattern) {
  const auto whole = givens::block_order<kRowBlock>(pattern);
  std::array<int, kBlockRotations> place{};
  for (int m = 0; m < kBlockRotations; ++m) place[number(whole[at(m)])] = Adjoint ? -m : m;
  std::array<int, kBlockRotations> times{};
  std::array<int, 2 * kRowBlock> last{};  // by row, the place of the rotation before
  last.fill(-kBlockRotations);
  auto order = givens::block_order<B>(pattern);
  if (Adjoint) std::reverse(order.begin(), order.end());
  const auto row_of = [](const givens::RegisterBlock& block, int r) {
    return r < B ? block.rows.i + r : kRowBlock + block.rows.j + r - B;
  };
  const auto blocks = givens::register_blocks<B, Adjoint>(pattern);
  std::array<const givens::RegisterBlock*, 2 * kRowBlock> last_with_row{};
  for (const givens::RegisterBlock& block : blocks) {
    const auto row = [&](int r) { return row_of(block, r); };
    for (int r = 0; r < 2 * B; ++r) {
      if (row(r) < 0 || row(r) >= 2 * kRowBlock) return "a row outside the row blocks";
      last_with_row[at(row(r))] = &block;
    }
    for (const BlockIndex& within : order) {
      const auto position = givens::lane_position<B>(pattern, within.k, within.l);
      const int number_in_block =
          (position.row < B ? block.low : block.high) + 8 * (position.row % B) + position.lane;
      const BlockIndex index = givens::block_index(pattern, number_in_block);
      ++times[number(index)];
      const RowPair local = givens::rows_of_rotation<B>(pattern, within);
      const RowPair rows = {row(local.i), row(local.j)};
      if (!same(rows, givens::rows_of_rotation<kRowBlock>(pattern, index))) return "wrong rows";
      for (const int r : {rows.i, rows.j}) {
        if (place[number(index)] <= last[at(r)]) return "rotations of a row in the wrong order";
        last[at(r)] = place[number(index)];
      }
    }
  }
  for (const givens::RegisterBlock& block : blocks) {
    for (int r = 0; r < 2 * B; ++r) {
      const bool is_last = last_with_row[at(row_of(block, r))] == &block;
      if ((r < B ? block.last_a : block.last_b) != is_last) return "last or not";
    }
  }
  const bool once = std::all_of(times.begin(), times.end(), [](int count) { return count == 1; });
  return once ? "" : "a rotation that is not applied once";
}

template <int B>
void check_blocks(Pattern pattern) {
  CHECK(wrong_blocks<B, false>(pattern) == "");
  CHECK(wrong_blocks<B, true>(pattern) == "");
}

// Whether the first `count` are 0 .. count - 1 in some order.
template <class Offsets>
bool is_permutation(const Offsets& offsets, int count) {
  std::vector<int> sorted(offsets.begin(), offsets.begin() + count);
  std::sort(sorted.begin(), sorted.end());
  for (int k = 0; k < count; ++k) {
    if (sorted[at(k)] != k) return false;
  }
  return true;
}

// In register blocks of B x B rotations: B depends on the number of registers.
template <int B, bool Adjoint>
void check_offsets() {
  using namespace givens::cpu::baseline;
  CHECK(is_permutation(rotation_block_offsets<Pattern::xor_block, B, Adjoint>(), kBlockRotations));
  CHECK(is_permutation(rotation_block_offsets<Pattern::sum_block, B, Adjoint>(), kBlockRotations));
  CHECK(is_permutation(rotation_block_offsets<Pattern::diamond_block, B, Adjoint>(),
                       kBlockRotations));
  CHECK(is_permutation(diagonal_block_offsets<B, Adjoint>(), kDiagonalBlockRotations));
}

}  // namespace

TEST_CASE("patterns: rotation_index and block_index are inverse to each other") {
  for (const Pattern pattern : kBlockPatterns) {
    CAPTURE(pattern);
    for (int index = 0; index < kBlockRotations; ++index) {
      const BlockIndex at = givens::block_index(pattern, index);
      CHECK((at.k >= 0 && at.k < kRowBlock && at.l >= 0 && at.l < kRowBlock));
      CHECK(givens::rotation_index(pattern, at.k, at.l) == index);
    }
  }
}

TEST_CASE("patterns: the eight rotations of a row turn different rows, except in a diamond") {
  for (const Pattern pattern : {Pattern::xor_block, Pattern::sum_block}) {
    CAPTURE(pattern);
    for (int row = 0; row < kRowBlock; ++row) {
      std::vector<int> times(2 * kRowBlock, 0);
      for (int lane = 0; lane < kRowBlock; ++lane) {
        const RowPair rows = givens::rows_of_rotation<kRowBlock>(
            pattern, givens::block_index(pattern, 8 * row + lane));
        ++times[at(rows.i)];
        ++times[at(rows.j)];
      }
      CHECK(std::count(times.begin(), times.end(), 1) == 2 * kRowBlock);
    }
  }
}

TEST_CASE("patterns: register blocks apply each rotation once, in the order of the block") {
  for (const Pattern pattern : kBlockPatterns) {
    CAPTURE(pattern);
    check_blocks<8>(pattern);
    check_blocks<4>(pattern);
    check_blocks<2>(pattern);
    check_blocks<1>(pattern);
  }
}

TEST_CASE("patterns: every sum has an offset of its own") {
  check_offsets<1, true>();
  check_offsets<2, false>();
  check_offsets<2, true>();
  check_offsets<4, false>();
  check_offsets<4, true>();
}

namespace {

// A plan that is put together step by step, and its schedule, which has a round for each rotation,
// in the order in which the steps were added.
class Builder {
 public:
  // Rows 0 .. n - 1 have the coordinates in their order; with `shuffled`, rows have coordinates or
  // are padding in random order.
  Builder(std::int64_t n, bool shuffled, Random& random) : random_(random), n_(n) {
    plan_.rows = (n + kRowBlock - 1) / kRowBlock * kRowBlock;
    for (std::int64_t s = 0; s < plan_.rows; ++s) {
      plan_.coordinate_of_row.push_back(s < n ? static_cast<std::int32_t>(s) : -1);
    }
    for (std::size_t k = shuffled ? at(plan_.rows) : 0; k > 1; --k) {
      std::swap(plan_.coordinate_of_row[k - 1],
                plan_.coordinate_of_row[at(random.below(static_cast<std::int64_t>(k)))]);
    }
    plan_.row_of_coordinate.resize(at(n));
    for (std::int32_t s = 0; s < plan_.rows; ++s) {
      if (coordinate(s) >= 0) plan_.row_of_coordinate[at(coordinate(s))] = s;
    }
  }

  // Adds a block whose angles are listed one by one. One rotation in five is left out.
  void add_each(Pattern pattern, std::int32_t a, std::int32_t b) {
    Step& step = add(pattern, AngleMap::gather, a, b);
    plan_.angle_indices.resize(plan_.angle_indices.size() + at(step.count), -1);
    givens::for_each_rotation<false>(
        plan_, step, [&](std::int32_t row_a, std::int32_t row_b, int e) {
          if (coordinate(row_a) < 0 || coordinate(row_b) < 0 || random_.below(5) == 0) return;
          plan_.angle_indices[at(step.first_angle + e)] = add_rotation(row_a, row_b);
        });
  }

  // Adds an xor block or a diagonal block with all of its rotations.
  void add_runs(Pattern pattern, std::int32_t a, std::int32_t b) {
    const Step& step = add(pattern, AngleMap::contiguous, a, b);
    const int run = pattern == Pattern::diagonal_block ? 4 : 8;
    for (int e = 0; e < step.count; ++e) {
      if (e % run == 0) plan_.angle_indices.push_back(rotations());
      const RowPair rows =
          pattern == Pattern::diagonal_block
              ? diagonal_block_order()[at(e)]
              : givens::rows_of_rotation<kRowBlock>(pattern, givens::block_index(pattern, e));
      add_rotation(row(step, rows.i), row(step, rows.j));
    }
  }

  // Adds a rotation block with all of its rotations, by k and then l or, if `transposed`, by l and
  // then k: they may be applied in either order.
  void add_affine(Pattern pattern, std::int32_t a, std::int32_t b, bool transposed) {
    Step& step = add(pattern, AngleMap::affine, a, b);
    step.step_k = transposed ? 1 : 8;
    step.step_l = transposed ? 8 : 1;
    step.first_angle = rotations();
    for (int m = 0; m < kBlockRotations; ++m) {
      const int k = transposed ? m % 8 : m / 8;
      const int l = transposed ? m / 8 : m % 8;
      const RowPair rows = givens::rows_of_rotation<kRowBlock>(pattern, {k, l});
      add_rotation(row(step, rows.i), row(step, rows.j));
    }
  }

  // Adds the pairs of neighbouring rows.
  void add_pairs() {
    Step& step = add(Pattern::pairs, AngleMap::gather, 0, 0);
    step.a = static_cast<std::int32_t>(plan_.row_pairs.size());
    for (std::int32_t s = 0; s + 1 < plan_.rows; s += 2) {
      if (coordinate(s) < 0 || coordinate(s + 1) < 0) continue;
      const bool in_order = coordinate(s) < coordinate(s + 1);
      plan_.row_pairs.push_back(in_order ? givens::RowPair{s, s + 1} : givens::RowPair{s + 1, s});
      plan_.angle_indices.push_back(add_rotation(s, s + 1));
      ++step.count;
    }
    plan_.rotations += step.count;
  }

  const Plan& plan() {
    const auto steps = static_cast<std::int64_t>(plan_.steps.size());
    plan_.merge_levels = {{plan_.rows, {0, steps}}};
    return plan_;
  }
  Schedule schedule() const { return Schedule::from_rounds(n_, rounds_); }

 private:
  std::int32_t coordinate(std::int32_t s) const { return plan_.coordinate_of_row[at(s)]; }
  std::int32_t rotations() const { return static_cast<std::int32_t>(rounds_.size()); }
  static std::int32_t row(const Step& step, int row) {
    return row < kRowBlock ? step.a + row : step.b + row - kRowBlock;
  }

  std::int32_t add_rotation(std::int32_t row_a, std::int32_t row_b) {
    rounds_.push_back({{coordinate(row_a), coordinate(row_b)}});
    return rotations() - 1;
  }

  Step& add(Pattern pattern, AngleMap angle_map, std::int32_t a, std::int32_t b) {
    Step step{};
    step.pattern = pattern;
    step.angle_map = angle_map;
    step.a = a;
    step.b = b;
    step.count = pattern == Pattern::pairs            ? 0
                 : pattern == Pattern::diagonal_block ? kDiagonalBlockRotations
                                                      : kBlockRotations;
    step.first_rotation = plan_.rotations;
    step.first_angle = static_cast<std::int64_t>(plan_.angle_indices.size());
    plan_.rotations += step.count;
    plan_.steps.push_back(step);
    return plan_.steps.back();
  }

  Random& random_;
  const std::int64_t n_;
  Plan plan_;
  std::vector<std::vector<Schedule::RequestedPair>> rounds_;
};

// All that engines compute, with this plan.
template <class T>
void check_plan(Builder& builder, AngleKind angles, Random& random) {
  const Schedule schedule = builder.schedule();
  const Plan& plan = builder.plan();
  const Choice choice = any_choice<T>(random);
  CAPTURE(choice.phases);
  CAPTURE(choice.diagonal);
  CAPTURE(angles);
  const auto parameters =
      parameters_of<real_t<T>>(angles, AngleKind::full_turn, schedule, choice, random);
  const RotateOptions options{-1, either(random)};
  CAPTURE(options.inverse);
  const Shape shape = {17, schedule.n()};
  check_vectors<T>(shape, parameters, schedule, options, random, &plan);
  check_matrix<T>(parameters, schedule, random, &plan);
}

// Angles that lead to fast and to standard steps.
constexpr AngleKind kPlanAngles[] = {AngleKind::full_turn, AngleKind::near_right,
                                     AngleKind::right_runs};

}  // namespace

TEST_CASE_TEMPLATE("engines: blocks of rows in any order, with rotations left out", T,
                   GIVENS_TEST_TYPES) {
  Random random(95);
  for (const AngleKind angles : kPlanAngles) {
    Builder builder(21, true, random);
    builder.add_each(Pattern::sum_block, 0, 8);
    builder.add_pairs();
    builder.add_each(Pattern::sum_block, 16, 0);
    builder.add_each(Pattern::sum_block, 8, 16);
    check_plan<T>(builder, angles, random);
  }
  // In these patterns the first row of a rotation must have the smaller coordinate.
  for (const Pattern pattern : {Pattern::xor_block, Pattern::diamond_block}) {
    for (const AngleKind angles : kPlanAngles) {
      CAPTURE(pattern);
      Builder builder(21, false, random);
      builder.add_each(pattern, 0, 8);
      builder.add_pairs();
      builder.add_each(pattern, 8, 16);
      builder.add_each(Pattern::diagonal_block, 8, 8);
      builder.add_each(pattern, 0, 8);
      check_plan<T>(builder, angles, random);
    }
  }
}

TEST_CASE_TEMPLATE("engines: blocks with contiguous or affine angles", T, GIVENS_TEST_TYPES) {
  Random random(96);
  for (const AngleKind angles : kPlanAngles) {
    Builder runs(24, false, random);
    runs.add_runs(Pattern::diagonal_block, 16, 16);
    runs.add_runs(Pattern::xor_block, 0, 16);
    runs.add_runs(Pattern::diagonal_block, 0, 0);
    runs.add_runs(Pattern::xor_block, 8, 16);
    check_plan<T>(runs, angles, random);
    for (const bool transposed : {false, true}) {
      CAPTURE(transposed);
      Builder affine(24, false, random);
      affine.add_affine(Pattern::diamond_block, 8, 16, transposed);
      affine.add_affine(Pattern::sum_block, 0, 16, transposed);
      affine.add_affine(Pattern::sum_block, 8, 16, transposed);
      affine.add_affine(Pattern::diamond_block, 0, 8, transposed);
      check_plan<T>(affine, angles, random);
      Builder shuffled(24, true, random);
      shuffled.add_affine(Pattern::sum_block, 8, 0, transposed);
      shuffled.add_affine(Pattern::sum_block, 16, 8, transposed);
      check_plan<T>(shuffled, angles, random);
    }
  }
}
