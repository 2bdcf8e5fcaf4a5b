// Forming U, panel by panel of its columns. Compiled for each instruction set; see
// engine_headers.hpp.
#if defined(GIVENS_CPU_DRIVERS_MATRIX_INL_HPP) == defined(GIVENS_TARGET_TOGGLE)
#ifdef GIVENS_CPU_DRIVERS_MATRIX_INL_HPP
#undef GIVENS_CPU_DRIVERS_MATRIX_INL_HPP
#else
#define GIVENS_CPU_DRIVERS_MATRIX_INL_HPP
#endif

#include "cpu/coefficients/cache-inl.hpp"
#include "cpu/drivers/sharing-inl.hpp"
#include "cpu/kernels/forward-inl.hpp"
#include "cpu/panels/column_order-inl.hpp"
#include "cpu/panels/packing-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

// Columns of the identity, on the slots that `range` names.
template <class F>
void pack_identity(const Plan& plan, const ColumnOrder& order, Range range, real_t<F>* panel,
                   std::int64_t width) {
  using R = real_t<F>;
  for (std::int64_t s = range.first; s < range.last; ++s) {
    R* row = panel + s * width;
    std::fill_n(row, width, R(0));
    const std::int64_t column = plan.coordinate_of_row[static_cast<std::size_t>(s)] - order.first;
    if (column < 0 || column >= order.count) continue;
    const std::int64_t place = order.place_of(column);
    row[place / kLanes<R> * kPackReals<F> + place % kLanes<R>] = R(1);
  }
}

// Takes a panel of the identity's columns through all steps. `reach` is where theirs is kept.
template <class F>
void run_from_identity(const Plan& plan, const Coefficients<F>& coefficients,
                       const ColumnOrder& order, NonzeroStructure& nonzeros, real_t<F>* panel,
                       std::int64_t width) {
  const runtime::FlushSubnormals flush(true);
  if (NonzeroStructure::pays(plan)) {
    order.find_nonzeros(plan, nonzeros);
    pack_identity<F>(plan, order, {0, plan.rows}, panel, width);
    for (std::int64_t k = 0; k < static_cast<std::int64_t>(plan.steps.size()); ++k) {
      for_each_rotated(plan, nonzeros, k, width,
                       [&](std::int64_t from, std::int64_t reals, const ColumnMask* rotated) {
                         run_step<F, false>(plan, coefficients, k, panel + from, width, reals,
                                            rotated);
                       });
    }
    order_columns<true>(order, panel, plan.rows, width);
    return;
  }
  const Range columns = rows_of(plan, order.first, order.count);
  // Before a level only the blocks of the level below that hold these columns are not zero. Rows
  // are filled when a level reaches them.
  Range filled{columns.first, columns.first};
  for (const MergeLevel& level : plan.merge_levels) {
    const Range reached = {
        columns.first / level.block * level.block,
        std::min((columns.last + level.block - 1) / level.block * level.block, plan.rows)};
    pack_identity<F>(plan, order, {reached.first, filled.first}, panel, width);
    pack_identity<F>(plan, order, {filled.last, reached.last}, panel, width);
    filled = reached;
    for_each_part<F, false>(
        level, columns, width, [&](Range steps, std::int64_t from, std::int64_t reals) {
          for (std::int64_t k = steps.first; k < steps.last; ++k) {
            run_step<F, false>(plan, coefficients, k, panel + from, width, reals);
          }
        });
  }
}

// What a thread needs to form panels of U.
template <class F>
class MatrixWorker {
 public:
  using R = real_t<F>;

  MatrixWorker(const MatrixProblem<F>& problem, const Plan& plan)
      : problem_(problem),
        plan_(plan),
        // Of large matrices wide, for longer runs of U's rows; of others there are more, for
        // threads.
        width_(panel_width<F>(problem.schedule.columns(),
                              problem.schedule.columns() < 1024 ? kWidestPanel / 2 : kWidestPanel)),
        each_(width_ / kReals<F>),
        panel_(plan.rows * width_) {}

  std::int64_t panels() const { return (problem_.schedule.columns() + each_ - 1) / each_; }

  template <class Offsets>
  void run(const Coefficients<F>& coefficients, const Offsets& matrix, std::int64_t index) {
    const std::int64_t first = index * each_;
    const std::int64_t count = std::min(each_, problem_.schedule.columns() - first);
    run_from_identity<F>(plan_, coefficients, ColumnOrder(plan_, first, count, kReals<F>),
                         nonzeros_, panel_.data(), width_);
    offsets_.clear();
    for (std::int64_t c = 0; c < count; ++c) {
      offsets_.push_back(kReals<F> * (first + c) * problem_.column_stride);
    }
    unpack<F>(plan_, panel_.data(), width_, coefficients.factors,
              {reinterpret_cast<R*>(problem_.u + matrix[4]), kReals<F> * problem_.row_stride,
               offsets_.data(), count});
  }

 private:
  const MatrixProblem<F>& problem_;
  const Plan& plan_;
  const std::int64_t width_;
  const std::int64_t each_;  // columns in a panel
  const runtime::Scratch<R> panel_;
  NonzeroStructure nonzeros_;
  std::vector<std::int64_t> offsets_;
};

template <class F>
void matrix_all(const MatrixProblem<F>& problem, const Plan& plan) {
  const std::int64_t rotations = problem.schedule.num_rotations();
  const std::int64_t matrices = problem.matrices.size();
  const auto in_parts = [&](int threads) {
    CoefficientCache<F, false> cache(plan, false);
    for (std::int64_t m = 0; m < matrices; ++m) {
      const auto matrix = problem.matrices.at(m);
      cache.set(problem.parameters.at(matrix), rotations);
      const Coefficients<F>& coefficients = cache.for_vectors(true, threads);
      const std::int64_t panels = MatrixWorker<F>(problem, plan).panels();
      auto panel = [&](std::int64_t p) {
        MatrixWorker<F>(problem, plan).run(coefficients, matrix, p);
      };
      runtime::parallel_for(panels, threads, panel);
    }
  };
  const auto whole = [&](std::int64_t first, std::int64_t last) {
    CoefficientCache<F, false> cache(plan, false);
    MatrixWorker<F> worker(problem, plan);
    for (std::int64_t m = first; m < last; ++m) {
      const auto matrix = problem.matrices.at(m);
      cache.set(problem.parameters.at(matrix), rotations);
      const Coefficients<F>& coefficients = cache.for_vectors(true);
      for (std::int64_t p = 0; p < worker.panels(); ++p) worker.run(coefficients, matrix, p);
    }
  };
  share_out(matrices, true, threads_for(problem, problem.schedule.columns()), in_parts, whole);
}

}  // namespace givens::cpu::GIVENS_ISA

#endif
