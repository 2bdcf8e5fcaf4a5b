// Forming U, panel by panel of its columns. Compiled for each instruction set; see
// engine_headers.hpp.
#pragma once

#include "cpu/coefficients/cache-inl.hpp"
#include "cpu/drivers/columns_of_u-inl.hpp"
#include "cpu/drivers/panels-inl.hpp"
#include "cpu/drivers/sharing-inl.hpp"
#include "cpu/kernels/steps-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

// What run_matrices needs to form U.
template <class T>
struct MatrixDriver {
  using F = computed_t<T>;
  using R = real_t<T>;

  MatrixDriver(const MatrixProblem<T>& matrix_problem, const Plan& matrix_plan)
      : problem(matrix_problem),
        plan(matrix_plan),
        // Panels of large matrices are wide, for longer runs of U's rows. Other matrices have more
        // panels, for threads.
        width(panel_width<F>(problem.schedule.columns(),
                             problem.schedule.columns() < 1024 ? kWidestPanel / 2 : kWidestPanel)),
        in_each(width / kReals<F>) {}

  int threads() const { return threads_for(problem, problem.schedule.columns()); }
  bool matrices_are_independent() const { return true; }
  bool by_runs() const { return false; }
  bool adjoint() const { return false; }
  static constexpr bool kGradient = false;
  static constexpr bool by_strips = false;
  std::int64_t panels() const { return (problem.schedule.columns() + in_each - 1) / in_each; }

  using Matrix = MatrixState<F, MatrixDriver>;

  class Worker {
   public:
    explicit Worker(const MatrixDriver& driver)
        : driver_(driver),
          problem_(driver.problem),
          plan_(driver.plan),
          width_(driver.width),
          panel_(driver.plan.rows * driver.width),
          ones_(static_cast<std::size_t>(driver.plan.rows), R(1)) {}

    void run(Matrix& matrix, std::int64_t index, std::int64_t) {
      const std::int64_t first = index * driver_.in_each;
      const std::int64_t count = std::min(driver_.in_each, problem_.schedule.columns() - first);
      run_from_identity(matrix.cache().for_vectors(true),
                        ColumnOrder(plan_, first, count, kReals<F>));
      offsets_.clear();
      for (std::int64_t c = 0; c < count; ++c) {
        offsets_.push_back(kReals<F> * (first + c) * problem_.column_stride);
      }
      const Columns<storage_t<T>> columns = {
          reinterpret_cast<storage_t<T>*>(problem_.u + matrix.offsets[MatrixProblem<T>::kU]),
          kReals<F> * problem_.row_stride, offsets_.data(), count};
      const std::vector<F>& diagonal = matrix.cache().diagonal();
      if (diagonal.empty()) {
        unpack<F>(plan_, panel_.data(), width_, ones_, columns);
      } else {
        unpack<F>(plan_, panel_.data(), width_, diagonal, columns);
      }
    }

   private:
    // Takes the columns of the identity through all steps.
    void run_from_identity(const Coefficients<F>& coefficients, const ColumnOrder& order) {
      const runtime::FlushSubnormals flush(true);
      if (NonzeroStructure::pays(plan_)) {
        order.find_nonzeros(plan_, nonzeros_);
        pack_identity(order, {0, plan_.rows});
        for (std::int64_t k = 0; k < static_cast<std::int64_t>(plan_.steps.size()); ++k) {
          for_each_rotated(plan_, nonzeros_, k, width_,
                           [&](std::int64_t from, std::int64_t reals, const ColumnMask* rotated) {
                             run(coefficients, k, from, reals, rotated);
                           });
        }
        order_columns<true>(order, panel_.data(), plan_.rows, width_);
        return;
      }
      const Range columns = rows_of(plan_, order.first, order.count);
      // Before a merge level only the blocks of the level below that hold these columns are not
      // zero. Rows are filled when a level reaches them.
      Range filled{columns.first, columns.first};
      for (const MergeLevel& level : plan_.merge_levels) {
        const Range reached = {
            columns.first / level.block * level.block,
            std::min((columns.last + level.block - 1) / level.block * level.block, plan_.rows)};
        pack_identity(order, {reached.first, filled.first});
        pack_identity(order, {filled.last, reached.last});
        filled = reached;
        for_each_part<F, false>(level, columns, width_,
                                [&](Range steps, std::int64_t from, std::int64_t reals) {
                                  for (std::int64_t k = steps.first; k < steps.last; ++k) {
                                    run(coefficients, k, from, reals, nullptr);
                                  }
                                });
      }
    }

    void run(const Coefficients<F>& coefficients, std::int64_t step, std::int64_t from,
             std::int64_t reals, const ColumnMask* rotated) const {
      run_step<false, F, false>(plan_, coefficients, step, {{panel_.data() + from}, width_, reals},
                                rotated);
    }

    // Fills rows with the columns of the identity.
    void pack_identity(const ColumnOrder& order, Range rows) const {
      for (std::int64_t s = rows.first; s < rows.last; ++s) {
        R* row = panel_.data() + s * width_;
        std::fill_n(row, width_, R(0));
        const std::int64_t column =
            plan_.coordinate_of_row[static_cast<std::size_t>(s)] - order.first;
        if (column < 0 || column >= order.count) continue;
        const std::int64_t place = order.place_of(column);
        row[place / kLanes<R> * kPackReals<F> + place % kLanes<R>] = R(1);
      }
    }

    const MatrixDriver& driver_;
    const MatrixProblem<T>& problem_;
    const Plan& plan_;
    const std::int64_t width_;
    const runtime::Scratch<R> panel_;
    const std::vector<R> ones_;  // real: a complex 1 would change the sign of zeros
    NonzeroStructure nonzeros_;
    std::vector<std::int64_t> offsets_;
  };

  const MatrixProblem<T>& problem;
  const Plan& plan;
  const std::int64_t width;    // reals in a row of a panel
  const std::int64_t in_each;  // columns in a panel
};

}  // namespace givens::cpu::GIVENS_ISA
