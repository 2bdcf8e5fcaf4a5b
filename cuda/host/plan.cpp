#include "host/plan.hpp"

#include <algorithm>
#include <tuple>

namespace givens::cuda {

namespace {

// Puts every step into the first stage in which all its rows are free.
class Stages {
 public:
  explicit Stages(std::int64_t rows) : next_(static_cast<std::size_t>(rows), 0) {}

  void add(const Step& step, std::int64_t block) {
    std::size_t stage = 0;
    for_each_row(
        step, [&](std::int32_t& next) { stage = std::max(stage, static_cast<std::size_t>(next)); });
    for_each_row(step, [&](std::int32_t& next) { next = static_cast<std::int32_t>(stage) + 1; });
    if (stage == steps_.size()) {
      steps_.emplace_back();
      blocks_.push_back(0);
    }
    steps_[stage].push_back(step);
    blocks_[stage] = std::max(blocks_[stage], static_cast<std::int32_t>(block));
  }

  // Sorted so that neighbouring threads run the same code on neighbouring rows.
  std::vector<std::vector<Step>> sorted() {
    for (std::vector<Step>& steps : steps_) {
      std::stable_sort(steps.begin(), steps.end(), [](const Step& p, const Step& q) {
        return std::tie(p.pattern, p.a) < std::tie(q.pattern, q.a);
      });
    }
    return std::move(steps_);
  }

  const std::vector<std::int32_t>& blocks() const { return blocks_; }

 private:
  template <class Visit>
  void for_each_row(const Step& step, Visit&& visit) {
    const int rows = step.pattern == Pattern::pairs ? 1 : kRowBlock;
    for (int k = 0; k < rows; ++k) {
      visit(next_[static_cast<std::size_t>(step.a + k)]);
      if (step.pattern != Pattern::diagonal_block)
        visit(next_[static_cast<std::size_t>(step.b + k)]);
    }
  }

  std::vector<std::int32_t> next_;  // by row, the first stage in which it is free
  std::vector<std::vector<Step>> steps_;
  std::vector<std::int32_t> blocks_;
};

Step step_of(const givens::Step& from) {
  Step step{};
  step.a = from.a;
  step.b = from.b;
  step.first_angle = static_cast<std::int32_t>(from.first_angle);
  step.step_k = from.step_k;
  step.step_l = from.step_l;
  step.pattern = from.pattern;
  step.angle_map = from.angle_map;
  return step;
}

// The adjoint has the rotations from last to first. With reversed row blocks kernels can keep their
// order: k XOR l falls as k XOR (7 - l) rises, and k + l falls as (7 - k) + (7 - l) rises.
Step adjoint_of(Step step) {
  switch (step.pattern) {
    case Pattern::xor_block:
      step.reverse_b = true;
      break;
    case Pattern::sum_block:
      step.reverse_a = step.reverse_b = true;
      break;
    case Pattern::diamond_block:
      step.reverse_a = step.reverse_b = true;
      std::swap(step.a, step.b);
      break;
    case Pattern::diagonal_block:  // kernels have an order for its adjoint
    case Pattern::pairs:
      break;
  }
  return step;
}

}  // namespace

Plan make_plan(const givens::Plan& plan) {
  Plan out;
  out.rows = static_cast<std::int32_t>(plan.rows);
  out.coordinate_of_row = plan.coordinate_of_row;
  out.angle_indices = plan.angle_indices;
  Stages stages(plan.rows);
  for (const MergeLevel& level : plan.merge_levels) {
    for (auto k = level.first.front(); k < level.first.back(); ++k) {
      const givens::Step& from = plan.steps[static_cast<std::size_t>(k)];
      Step step = step_of(from);
      if (step.pattern != Pattern::pairs) {
        stages.add(step, level.block);
        continue;
      }
      step.angle_map = AngleMap::affine;  // with a single angle
      for (int e = 0; e < from.count; ++e) {
        const RowPair& pair = plan.row_pairs[static_cast<std::size_t>(from.a + e)];
        step.a = pair.i;
        step.b = pair.j;
        step.first_angle = angle_of(plan, from, e);
        if (step.first_angle >= 0) stages.add(step, level.block);
      }
    }
  }
  std::vector<std::int32_t> blocks = stages.blocks();
  // A step of a high merge level may be in an early stage: its blocks are there from then on.
  for (std::size_t s = 1; s < blocks.size(); ++s) blocks[s] = std::max(blocks[s], blocks[s - 1]);
  for (const std::vector<Step>& steps : stages.sorted()) {
    const auto first = static_cast<std::int32_t>(out.forward.steps.size());
    for (Step step : steps) {
      step.first_rotation = out.rotations;
      out.rotations += rotations_of(step.pattern);
      for (int reals = 1; reals <= 2; ++reals) {
        step.unit[reals - 1] = out.units[reals - 1];
        out.units[reals - 1] += units_of(step.pattern, reals);
      }
      out.forward.steps.push_back(step);
    }
    const auto last = static_cast<std::int32_t>(out.forward.steps.size());
    out.forward.stages.push_back({first, last, blocks[out.forward.stages.size()]});
    out.widest_stage = std::max(out.widest_stage, last - first);
  }
  for (auto stage = out.forward.stages.rbegin(); stage != out.forward.stages.rend(); ++stage) {
    const auto first = static_cast<std::int32_t>(out.backward.steps.size());
    for (std::int32_t k = stage->first; k < stage->last; ++k) {
      out.backward.steps.push_back(adjoint_of(out.forward.steps[static_cast<std::size_t>(k)]));
    }
    out.backward.stages.push_back({first, first + stage->last - stage->first, stage->block});
  }
  return out;
}

}  // namespace givens::cuda
