// The gradients through rotate and matrix, panel by panel. Compiled for each instruction set; see
// engine_headers.hpp.
#if defined(GIVENS_CPU_DRIVERS_VJP_INL_HPP) == defined(GIVENS_TARGET_TOGGLE)
#ifdef GIVENS_CPU_DRIVERS_VJP_INL_HPP
#undef GIVENS_CPU_DRIVERS_VJP_INL_HPP
#else
#define GIVENS_CPU_DRIVERS_VJP_INL_HPP
#endif

#include "cpu/coefficients/cache-inl.hpp"
#include "cpu/drivers/accumulators-inl.hpp"
#include "cpu/drivers/rotate-inl.hpp"
#include "cpu/drivers/sharing-inl.hpp"
#include "cpu/kernels/reverse-inl.hpp"
#include "cpu/panels/column_order-inl.hpp"
#include "cpu/panels/packing-inl.hpp"
#include "cpu/panels/range_check-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

// The programs that the gradient of one matrix takes: through U back, or through U^H.
template <class F>
class VjpCoefficientCache {
 public:
  VjpCoefficientCache(const Plan& plan, bool inverse)
      : inverse_(inverse), adjoint_(plan, true), forward_(plan, true) {}

  void set(const MatrixParameters<real_t<F>>& parameters, std::int64_t rotations) {
    if (inverse_) {
      forward_.set(parameters, rotations);
    } else {
      adjoint_.set(parameters, rotations);
    }
  }
  const Coefficients<F>& for_vectors(bool in_range, int threads = 1) {
    return inverse_ ? forward_.for_vectors(in_range, threads)
                    : adjoint_.for_vectors(in_range, threads);
  }
  template <class Use>
  const Coefficients<F>& for_each_run(Use&& use) {
    return inverse_ ? forward_.for_each_run(use) : adjoint_.for_each_run(use);
  }
  const std::vector<F>& diagonal() const {
    return inverse_ ? forward_.diagonal() : adjoint_.diagonal();
  }
  Angles kind() const { return inverse_ ? forward_.kind() : adjoint_.kind(); }

 private:
  bool inverse_;
  CoefficientCache<F, true> adjoint_;
  CoefficientCache<F, false> forward_;
};

// The order in which panels add to the sums: at every step, panel after panel, whatever threads
// they are on, so that the sums are the same for any number of threads. A panel may be at a step
// when the panel before it is done with it.
class PanelOrder {
 public:
  PanelOrder(std::int64_t panels, std::int64_t steps)
      : left_(std::make_unique<std::atomic<std::int64_t>[]>(static_cast<std::size_t>(panels))) {
    for (std::int64_t p = 0; p < panels; ++p) at(p).store(steps, std::memory_order_relaxed);
  }

  // Waits until the panel before `panel` has only steps 0 .. steps - 1 left.
  void wait(std::int64_t panel, std::int64_t steps) const {
    if (panel == 0) return;
    runtime::wait_until([&] { return at(panel - 1).load(std::memory_order_acquire) <= steps; });
  }

  // Panel `panel` has only steps 0 .. steps - 1 left.
  void pass(std::int64_t panel, std::int64_t steps) {
    at(panel).store(steps, std::memory_order_release);
  }

 private:
  std::atomic<std::int64_t>& at(std::int64_t panel) const {
    return left_[static_cast<std::size_t>(panel)];
  }
  std::unique_ptr<std::atomic<std::int64_t>[]> left_;
};

// Passes a panel that was not done to its end.
class PanelPass {
 public:
  PanelPass(PanelOrder& order, std::int64_t panel) : order_(order), panel_(panel) {}
  ~PanelPass() {
    order_.wait(panel_, 0);
    order_.pass(panel_, 0);
  }
  PanelPass(const PanelPass&) = delete;
  PanelPass& operator=(const PanelPass&) = delete;

 private:
  PanelOrder& order_;
  std::int64_t panel_;
};

// What a thread needs for panels of a gradient, through rotate, or through matrix, where y is U and
// `from_identity` is true: then below a level only the blocks that hold a panel's columns count,
// and of plans of a single level what the columns reach.
template <class T, class F>
class VjpWorker {
 public:
  using R = real_t<T>;

  VjpWorker(const VjpProblem<T>& problem, const Plan& plan, bool from_identity)
      : problem_(problem),
        plan_(plan),
        from_identity_(from_identity),
        by_nonzeros_(from_identity && NonzeroStructure::pays(plan)),
        width_(panel_width<F>(kReals<T> / kReals<F> * problem.vectors.size(), kWidestPanel)),
        each_(width_ / kReals<T>),
        size_(plan.rows * width_),
        y_(size_),
        g_(size_),
        ones_(static_cast<std::size_t>(plan.rows), R(1)) {}

  std::int64_t panels() const { return (problem_.vectors.size() + each_ - 1) / each_; }

  // Writes gx for a panel and adds to the sums, or `by_runs` (see by_runs_of_steps) to the
  // gradients. `sums` is that of moderate vectors, then that of others.
  template <class Offsets>
  void run(VjpCoefficientCache<F>& cache, const Offsets& matrix, std::int64_t panel,
           PanelOrder& order, GradientAccumulators<F>* sums, bool by_runs = false) {
    const PanelPass pass(order, panel);
    const std::int64_t first = panel * each_;
    const std::int64_t count = std::min(each_, problem_.vectors.size() - first);
    const auto columns = [&](auto* data, std::int64_t stride, std::size_t operand) {
      return columns_of<T, F>(data, stride, problem_.vectors, operand, first, count, offsets_);
    };
    pack<F>(plan_, columns(problem_.y.data + matrix[4], problem_.y.stride, 0), y_.data(), width_);
    pack<F>(plan_, columns(problem_.gy.data + matrix[5], problem_.gy.stride, 1), g_.data(), width_);
    const std::vector<F>& diagonal = cache.diagonal();
    if (!problem_.inverse && !diagonal.empty()) {
      for (R* panel_data : {y_.data(), g_.data()})
        multiply_by(conjugates(diagonal), panel_data, width_);
    }
    constexpr R largest = Limits<R, true>::largest;
    const RangeCheck y_numbers = range_check(y_.data(), plan_.rows, width_, largest);
    const RangeCheck g_numbers = range_check(g_.data(), plan_.rows, width_, largest);
    const Range rows = rows_of(plan_, first, count);  // of U's columns, if y is U
    if (by_nonzeros_) {
      const ColumnOrder order_of_columns(plan_, first, count, kReals<T>);
      order_of_columns.find_nonzeros(plan_, nonzeros_);
      for (R* panel_data : {y_.data(), g_.data()}) {
        order_columns<false>(order_of_columns, panel_data, plan_.rows, width_);
      }
    }
    if (y_numbers.in_range && g_numbers.in_range && by_runs) {
      sweep_by_runs(cache, matrix, y_numbers.may_flush && g_numbers.may_flush, sums[0]);
    } else if (y_numbers.in_range && g_numbers.in_range) {
      const runtime::FlushSubnormals flush(y_numbers.may_flush && g_numbers.may_flush);
      sweep(cache, true, rows, y_.data(), g_.data(), panel, &order, sums[0]);
    } else {
      // As in RotateWorker.
      const runtime::Scratch<R> other_y(size_);
      const runtime::Scratch<R> other_g(size_);
      std::vector<char> chosen = excessive_columns<F>(y_.data(), plan_.rows, width_, largest);
      const std::vector<char> too = excessive_columns<F>(g_.data(), plan_.rows, width_, largest);
      for (std::size_t c = 0; c < chosen.size(); ++c) chosen[c] |= too[c];
      set_apart(y_.data(), other_y.data(), plan_.rows, width_, chosen);
      set_apart(g_.data(), other_g.data(), plan_.rows, width_, chosen);
      order.wait(panel, 0);
      {
        const runtime::FlushSubnormals flush(
            range_check(y_.data(), plan_.rows, width_, largest).may_flush &&
            range_check(g_.data(), plan_.rows, width_, largest).may_flush);
        sweep(cache, true, rows, y_.data(), g_.data(), panel, nullptr, sums[0]);
      }
      sweep(cache, false, rows, other_y.data(), other_g.data(), panel, nullptr, sums[1]);
      bring_back(g_.data(), other_g.data(), plan_.rows, width_, chosen);
    }
    if (problem_.gx) {
      unpack<F>(plan_, g_.data(), width_, ones_,
                columns(problem_.gx.data + matrix[6], problem_.gx.stride, 2));
    }
  }

 private:
  // Takes panels y and g through the steps, of U's columns through those that concern `slots` only,
  // and adds to the sums, step by step in `order` if there is one. Then g is gx.
  void sweep(VjpCoefficientCache<F>& cache, bool in_range, Range rows, R* y, R* g,
             std::int64_t panel, PanelOrder* order, GradientAccumulators<F>& sums) {
    const Coefficients<F>& coefficients = cache.for_vectors(in_range);
    const auto steps = static_cast<std::int64_t>(plan_.steps.size());
    if (order) order->wait(panel, steps);
    if (sums.empty()) sums.start_steps({0, steps});
    sums.start(y, g, width_);
    const auto undo = [&](Range part, std::int64_t from, std::int64_t reals) {
      for_each_step(part, panel, order, [&](std::int64_t k) {
        if (by_nonzeros_) {
          for_each_rotated(plan_, nonzeros_, k, width_,
                           [&](std::int64_t first, std::int64_t count, const ColumnMask* rotated) {
                             run_vjp_step<F, true>(plan_, coefficients, k, y + first, g + first,
                                                   width_, count, sums.of(k), rotated);
                           });
        } else {
          run_vjp_step<F, true>(plan_, coefficients, k, y + from, g + from, width_, reals,
                                sums.of(k));
        }
      });
    };
    if (problem_.inverse) {
      for_each_step({0, steps}, panel, order, [&](std::int64_t k) {
        run_vjp_step<F, false>(plan_, coefficients, k, y, g, width_, width_, sums.of(k));
      });
    } else {
      for (auto level = plan_.merge_levels.rbegin(); level != plan_.merge_levels.rend(); ++level) {
        if (from_identity_ && !by_nonzeros_) {
          // Of T: each vector has kReals<T> reals, also where F is real.
          for_each_part<T, true>(*level, rows, width_, undo);
        } else {
          undo({level->first.front(), level->first.back()}, 0, width_);
        }
      }
    }
    if (order) order->wait(panel, 0);
    if (problem_.inverse) sums.end_inverse(y, g, width_, coefficients.final_scales.data());
    if (order) order->pass(panel, 0);
    finish(cache, coefficients, g);
  }

  // The same for the only panel: coefficients are made, and sums added to the gradients, by runs of
  // steps that stay in the cache.
  template <class Offsets>
  void sweep_by_runs(VjpCoefficientCache<F>& cache, const Offsets& matrix, bool may_flush,
                     GradientAccumulators<F>& sums) {
    R* const y = y_.data();
    R* const g = g_.data();
    {
      const runtime::FlushSubnormals flush(may_flush);
      sums.start(y, g, width_);
    }
    if (!problem_.inverse) sums.add_diagonal(problem_, matrix);
    const Coefficients<F>& end =
        cache.for_each_run([&](const Coefficients<F>& coefficients, Range steps) {
          sums.start_steps(steps);
          {
            const runtime::FlushSubnormals flush(may_flush);
            for_each_step(steps, 0, nullptr, [&](std::int64_t k) {
              const auto run = problem_.inverse ? run_vjp_step<F, false> : run_vjp_step<F, true>;
              run(plan_, coefficients, k, y, g, width_, width_, sums.of(k), nullptr);
            });
          }
          sums.add_steps(steps, problem_, matrix, coefficients, cache.kind());
        });
    {
      const runtime::FlushSubnormals flush(may_flush);
      if (problem_.inverse) sums.end_inverse(y, g, width_, end.final_scales.data());
      finish(cache, end, g);
    }
    if (problem_.inverse) sums.add_diagonal(problem_, matrix);
    sums.end();
  }

  // Brings g, which has gone through all steps, to gx.
  void finish(const VjpCoefficientCache<F>& cache, const Coefficients<F>& coefficients,
              R* g) const {
    for (std::int64_t s = 0; s < plan_.rows; ++s) {
      const R scale = static_cast<R>(coefficients.final_scales.data()[s]);
      multiply_rows(g + s * width_, width_, width_, &scale, 1);
    }
    if (problem_.inverse) multiply_by(cache.diagonal(), g, width_);
  }

  // Calls body(k) for steps k, from last to first or for the inverse from first to last, in `order`
  // if there is one.
  template <class Body>
  void for_each_step(Range steps, std::int64_t panel, PanelOrder* order, Body&& body) {
    // A few steps at a time, lest panels spend their time on waiting.
    const std::int64_t count = steps.last - steps.first;
    for (std::int64_t done = 0; done < count;) {
      const std::int64_t next = std::min(done + kStepsAtOnce, count);
      // One more than steps are left, for what comes after them.
      const std::int64_t left = steps.last - next + 1;
      if (order) order->wait(panel, left);
      for (; done < next; ++done) {
        body(problem_.inverse ? steps.first + done : steps.last - 1 - done);
      }
      if (order) order->pass(panel, left);
    }
  }

  static constexpr std::int64_t kStepsAtOnce = 16;

  const VjpProblem<T>& problem_;
  const Plan& plan_;
  const bool from_identity_;
  const bool by_nonzeros_;
  const std::int64_t width_;
  const std::int64_t each_;  // vectors in a panel
  const std::int64_t size_;
  const runtime::Scratch<R> y_;
  const runtime::Scratch<R> g_;
  const std::vector<R> ones_;
  NonzeroStructure nonzeros_;  // by_nonzeros_ only
  std::vector<std::int64_t> offsets_;
};

template <class T>
int vjp_threads(const VjpProblem<T>& problem) {
  return threads_for(problem, 3 * kReals<T> * problem.vectors.size());
}

template <class T, class F>
void vjp_all(const VjpProblem<T>& problem, const Plan& plan, bool from_identity) {
  const std::int64_t rotations = problem.schedule.num_rotations();
  const std::int64_t matrices = problem.matrices.size();
  const auto steps = static_cast<std::int64_t>(plan.steps.size());
  const bool by_runs = !from_identity && by_runs_of_steps<T>(problem, plan);
  int most = vjp_threads(problem);
  if (by_runs) most = threads_by_runs(problem, most);
  const auto finish = [&](VjpCoefficientCache<F>& cache, const auto& matrix,
                          GradientAccumulators<F>* sums) {
    for (const bool in_range : {true, false}) {
      GradientAccumulators<F>& part = sums[in_range ? 0 : 1];
      if (part.empty()) continue;
      part.add_to(problem, matrix, cache.for_vectors(in_range), cache.kind());
    }
  };
  const auto in_parts = [&](int threads) {
    VjpCoefficientCache<F> cache(plan, problem.inverse);
    const std::int64_t panels = VjpWorker<T, F>(problem, plan, from_identity).panels();
    for (std::int64_t m = 0; m < matrices; ++m) {
      const auto matrix = problem.matrices.at(m);
      cache.set(problem.parameters.at(matrix), rotations);
      cache.for_vectors(true, threads);
      GradientAccumulators<F> sums[] = {GradientAccumulators<F>(plan),
                                        GradientAccumulators<F>(plan)};
      PanelOrder order(panels, steps + 1);
      auto run = [&](std::int64_t panel) {
        VjpWorker<T, F>(problem, plan, from_identity).run(cache, matrix, panel, order, sums);
      };
      runtime::parallel_for(panels, threads, run);
      finish(cache, matrix, sums);
    }
  };
  const auto whole = [&](std::int64_t first, std::int64_t last) {
    VjpCoefficientCache<F> cache(plan, problem.inverse);
    VjpWorker<T, F> worker(problem, plan, from_identity);
    GradientAccumulators<F> sums[] = {GradientAccumulators<F>(plan), GradientAccumulators<F>(plan)};
    for (std::int64_t m = first; m < last; ++m) {
      const auto matrix = problem.matrices.at(m);
      cache.set(problem.parameters.at(matrix), rotations);
      PanelOrder order(worker.panels(), steps + 1);
      for (std::int64_t panel = 0; panel < worker.panels(); ++panel) {
        worker.run(cache, matrix, panel, order, sums, by_runs);
      }
      finish(cache, matrix, sums);
    }
  };
  share_out(matrices, problem.gradients_are_separate(), most, in_parts, whole);
}

}  // namespace givens::cpu::GIVENS_ISA

#endif
