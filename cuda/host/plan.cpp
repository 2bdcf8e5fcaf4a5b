#include "host/plan.hpp"

#include <algorithm>
#include <tuple>

namespace givens::cuda {

namespace {

WorkKind kind_of(Pattern pattern) {
  switch (pattern) {
    case Pattern::xor_block:
      return WorkKind::xor_block;
    case Pattern::sum_block:
      return WorkKind::sum_block;
    case Pattern::diamond_block:
      return WorkKind::diamond_block;
    case Pattern::diagonal_block:
      return WorkKind::leaf;
    case Pattern::pairs:
      return WorkKind::pair;
  }
  return WorkKind::pair;
}

// Puts every work item into the first stage in which all its slots are free.
class Stages {
 public:
  explicit Stages(std::int64_t slots) : next_(static_cast<std::size_t>(slots), 0) {}

  void add(const Work& work, std::int64_t block) {
    std::size_t stage = 0;
    for_each_slot(
        work, [&](std::int32_t& next) { stage = std::max(stage, static_cast<std::size_t>(next)); });
    for_each_slot(work, [&](std::int32_t& next) { next = static_cast<std::int32_t>(stage) + 1; });
    if (stage == works_.size()) {
      works_.emplace_back();
      blocks_.push_back(0);
    }
    works_[stage].push_back(work);
    blocks_[stage] = std::max(blocks_[stage], static_cast<std::int32_t>(block));
  }

  // Neighbouring threads should do the same, on neighbouring rows.
  std::vector<std::vector<Work>> sorted() {
    for (std::vector<Work>& works : works_) {
      std::stable_sort(works.begin(), works.end(), [](const Work& p, const Work& q) {
        return std::tie(p.kind, p.a) < std::tie(q.kind, q.a);
      });
    }
    return std::move(works_);
  }

  const std::vector<std::int32_t>& blocks() const { return blocks_; }

 private:
  template <class Visit>
  void for_each_slot(const Work& work, Visit&& visit) {
    const int rows = work.kind == WorkKind::pair ? 1 : kRowBlock;
    for (int k = 0; k < rows; ++k) {
      visit(next_[static_cast<std::size_t>(work.a + k)]);
      if (work.kind != WorkKind::leaf) visit(next_[static_cast<std::size_t>(work.b + k)]);
    }
  }

  std::vector<std::int32_t> next_;  // by slot, the first stage in which it is free
  std::vector<std::vector<Work>> works_;
  std::vector<std::int32_t> blocks_;
};

Work work_of(const Step& step) {
  Work work{};
  work.a = step.a;
  work.b = step.b;
  work.source = static_cast<std::int32_t>(step.first_angle);
  work.step_k = step.step_k;
  work.step_l = step.step_l;
  work.kind = kind_of(step.pattern);
  work.pattern = step.pattern;
  work.sources = step.angle_map;
  return work;
}

// The same rotations from last to first, which the kernels do in the order of the first to the last
// of other rows: in a tile k XOR l falls as k XOR (7 - l) rises, k + l as (7 - k) + (7 - l) does.
Work undone(Work work) {
  switch (work.pattern) {
    case Pattern::xor_block:
      work.reverse_b = true;
      break;
    case Pattern::sum_block:
      work.reverse_a = work.reverse_b = true;
      break;
    case Pattern::diamond_block:
      work.reverse_a = work.reverse_b = true;
      std::swap(work.a, work.b);
      break;
    case Pattern::diagonal_block:  // a kernel's matter
    case Pattern::pairs:
      break;
  }
  return work;
}

}  // namespace

Plan make_plan(const givens::Plan& plan) {
  Plan out;
  out.slots = static_cast<std::int32_t>(plan.rows);
  out.coordinate_of_row = plan.coordinate_of_row;
  out.row_of_coordinate = plan.row_of_coordinate;
  out.sources = plan.angle_indices;
  Stages stages(plan.rows);
  for (const MergeLevel& level : plan.merge_levels) {
    for (auto k = level.first.front(); k < level.first.back(); ++k) {
      const Step& step = plan.steps[static_cast<std::size_t>(k)];
      Work work = work_of(step);
      if (work.kind != WorkKind::pair) {
        stages.add(work, level.block);
        continue;
      }
      work.sources = AngleMap::affine;  // of one angle
      for (int e = 0; e < step.count; ++e) {
        const RowPair& pair = plan.row_pairs[static_cast<std::size_t>(step.a + e)];
        work.a = pair.i;
        work.b = pair.j;
        work.source = angle_of(plan, step, e);
        if (work.source >= 0) stages.add(work, level.block);
      }
    }
  }
  std::vector<std::int32_t> blocks = stages.blocks();
  // A step of a high level may be in an early stage: its blocks are there from then on.
  for (std::size_t s = 1; s < blocks.size(); ++s) blocks[s] = std::max(blocks[s], blocks[s - 1]);
  for (const std::vector<Work>& works : stages.sorted()) {
    const auto first = static_cast<std::int32_t>(out.forward.works.size());
    for (Work work : works) {
      work.entry = out.entries;
      out.entries += rotations_of(work.kind);
      for (int parts = 1; parts <= 2; ++parts) {
        work.unit[parts - 1] = out.units[parts - 1];
        out.units[parts - 1] += units_of(work.kind, parts);
      }
      out.forward.works.push_back(work);
    }
    const auto last = static_cast<std::int32_t>(out.forward.works.size());
    out.forward.stages.push_back({first, last, blocks[out.forward.stages.size()]});
    out.widest_stage = std::max(out.widest_stage, last - first);
  }
  for (auto stage = out.forward.stages.rbegin(); stage != out.forward.stages.rend(); ++stage) {
    const auto first = static_cast<std::int32_t>(out.backward.works.size());
    for (std::int32_t k = stage->first; k < stage->last; ++k) {
      out.backward.works.push_back(undone(out.forward.works[static_cast<std::size_t>(k)]));
    }
    out.backward.stages.push_back({first, first + stage->last - stage->first, stage->block});
  }
  return out;
}

}  // namespace givens::cuda
