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
class VjpPrograms {
 public:
  VjpPrograms(const Plan& plan, bool inverse)
      : inverse_(inverse), undoing_(plan, true), doing_(plan, true) {}

  void set(const MatrixParameters<real_t<F>>& parameters, std::int64_t rotations) {
    if (inverse_) {
      doing_.set(parameters, rotations);
    } else {
      undoing_.set(parameters, rotations);
    }
  }
  const Program<F>& for_vectors(bool moderate, int threads = 1) {
    return inverse_ ? doing_.for_vectors(moderate, threads)
                    : undoing_.for_vectors(moderate, threads);
  }
  template <class Use>
  const Program<F>& for_each_run(Use&& use) {
    return inverse_ ? doing_.for_each_run(use) : undoing_.for_each_run(use);
  }
  const std::vector<F>& diagonal() const {
    return inverse_ ? doing_.diagonal() : undoing_.diagonal();
  }
  Angles kind() const { return inverse_ ? doing_.kind() : undoing_.kind(); }

 private:
  bool inverse_;
  Programs<F, true> undoing_;
  Programs<F, false> doing_;
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
        by_reach_(from_identity && Reach::pays(plan)),
        width_(panel_width<F>(kParts<T> / kParts<F> * problem.vectors.size(), kWidestPanel)),
        each_(width_ / kParts<T>),
        size_(plan.slots * width_),
        y_(size_),
        g_(size_),
        ones_(static_cast<std::size_t>(plan.slots), R(1)) {}

  std::int64_t panels() const { return (problem_.vectors.size() + each_ - 1) / each_; }

  // Writes gx for a panel and adds to the sums, or `by_runs` (see by_runs_of_steps) to the
  // gradients. `sums` is that of moderate vectors, then that of others.
  template <class Offsets>
  void run(VjpPrograms<F>& programs, const Offsets& matrix, std::int64_t panel, PanelOrder& order,
           GradientSums<F>* sums, bool by_runs = false) {
    const PanelPass pass(order, panel);
    const std::int64_t first = panel * each_;
    const std::int64_t count = std::min(each_, problem_.vectors.size() - first);
    const auto columns = [&](auto* data, std::int64_t stride, std::size_t operand) {
      return columns_of<T, F>(data, stride, problem_.vectors, operand, first, count, offsets_);
    };
    pack<F>(plan_, columns(problem_.y.data + matrix[4], problem_.y.stride, 0), y_.data(), width_);
    pack<F>(plan_, columns(problem_.gy.data + matrix[5], problem_.gy.stride, 1), g_.data(), width_);
    const std::vector<F>& diagonal = programs.diagonal();
    if (!problem_.inverse && !diagonal.empty()) {
      for (R* rows : {y_.data(), g_.data()}) multiply_by(conjugates(diagonal), rows, width_);
    }
    constexpr R largest = Limits<R, true>::largest;
    const Survey y_numbers = survey(y_.data(), plan_.slots, width_, largest);
    const Survey g_numbers = survey(g_.data(), plan_.slots, width_, largest);
    const Range slots = slots_of(plan_, first, count);  // of U's columns, if y is U
    if (by_reach_) {
      const ColumnOrder order_of_columns(plan_, first, count, kParts<T>);
      order_of_columns.find_reach(plan_, reach_);
      for (R* rows : {y_.data(), g_.data()}) {
        order_columns<false>(order_of_columns, rows, plan_.slots, width_);
      }
    }
    if (y_numbers.moderate && g_numbers.moderate && by_runs) {
      sweep_by_runs(programs, matrix, y_numbers.may_flush && g_numbers.may_flush, sums[0]);
    } else if (y_numbers.moderate && g_numbers.moderate) {
      const runtime::FlushSubnormals flush(y_numbers.may_flush && g_numbers.may_flush);
      sweep(programs, true, slots, y_.data(), g_.data(), panel, &order, sums[0]);
    } else {
      // As in RotateWorker.
      const runtime::Scratch<R> other_y(size_);
      const runtime::Scratch<R> other_g(size_);
      std::vector<char> chosen = excessive_columns<F>(y_.data(), plan_.slots, width_, largest);
      const std::vector<char> too = excessive_columns<F>(g_.data(), plan_.slots, width_, largest);
      for (std::size_t c = 0; c < chosen.size(); ++c) chosen[c] |= too[c];
      set_apart(y_.data(), other_y.data(), plan_.slots, width_, chosen);
      set_apart(g_.data(), other_g.data(), plan_.slots, width_, chosen);
      order.wait(panel, 0);
      {
        const runtime::FlushSubnormals flush(
            survey(y_.data(), plan_.slots, width_, largest).may_flush &&
            survey(g_.data(), plan_.slots, width_, largest).may_flush);
        sweep(programs, true, slots, y_.data(), g_.data(), panel, nullptr, sums[0]);
      }
      sweep(programs, false, slots, other_y.data(), other_g.data(), panel, nullptr, sums[1]);
      bring_back(g_.data(), other_g.data(), plan_.slots, width_, chosen);
    }
    if (problem_.gx) {
      unpack<F>(plan_, g_.data(), width_, ones_,
                columns(problem_.gx.data + matrix[6], problem_.gx.stride, 2));
    }
  }

 private:
  // Takes panels y and g through the steps, of U's columns through those that concern `slots` only,
  // and adds to the sums, step by step in `order` if there is one. Then g is gx.
  void sweep(VjpPrograms<F>& programs, bool moderate, Range slots, R* y, R* g, std::int64_t panel,
             PanelOrder* order, GradientSums<F>& sums) {
    const Program<F>& program = programs.for_vectors(moderate);
    const auto steps = static_cast<std::int64_t>(plan_.steps.size());
    if (order) order->wait(panel, steps);
    if (sums.empty()) sums.start_steps({0, steps});
    sums.start(y, g, width_);
    const auto undo = [&](Range part, std::int64_t from, std::int64_t reals) {
      for_each_step(part, panel, order, [&](std::int64_t k) {
        if (by_reach_) {
          for_each_turned(plan_, reach_, k, width_,
                          [&](std::int64_t first, std::int64_t count, const Parts* turned) {
                            run_vjp_step<F, true>(plan_, program, k, y + first, g + first, width_,
                                                  count, sums.of(k), turned);
                          });
        } else {
          run_vjp_step<F, true>(plan_, program, k, y + from, g + from, width_, reals, sums.of(k));
        }
      });
    };
    if (problem_.inverse) {
      for_each_step({0, steps}, panel, order, [&](std::int64_t k) {
        run_vjp_step<F, false>(plan_, program, k, y, g, width_, width_, sums.of(k));
      });
    } else {
      for (auto level = plan_.levels.rbegin(); level != plan_.levels.rend(); ++level) {
        if (from_identity_ && !by_reach_) {
          // Of T: each vector has kParts<T> reals, also where F is real.
          for_each_part<T, true>(*level, slots, width_, undo);
        } else {
          undo({level->first.front(), level->first.back()}, 0, width_);
        }
      }
    }
    if (order) order->wait(panel, 0);
    if (problem_.inverse) sums.end_inverse(y, g, width_, program.final_scales.data());
    if (order) order->pass(panel, 0);
    finish(programs, program, g);
  }

  // The same for the only panel: coefficients are made, and sums added to the gradients, by runs of
  // steps that stay in the cache.
  template <class Offsets>
  void sweep_by_runs(VjpPrograms<F>& programs, const Offsets& matrix, bool may_flush,
                     GradientSums<F>& sums) {
    R* const y = y_.data();
    R* const g = g_.data();
    {
      const runtime::FlushSubnormals flush(may_flush);
      sums.start(y, g, width_);
    }
    if (!problem_.inverse) sums.add_diagonal(problem_, matrix);
    const Program<F>& end = programs.for_each_run([&](const Program<F>& program, Range steps) {
      sums.start_steps(steps);
      {
        const runtime::FlushSubnormals flush(may_flush);
        for_each_step(steps, 0, nullptr, [&](std::int64_t k) {
          const auto run = problem_.inverse ? run_vjp_step<F, false> : run_vjp_step<F, true>;
          run(plan_, program, k, y, g, width_, width_, sums.of(k), nullptr);
        });
      }
      sums.add_steps(steps, problem_, matrix, program, programs.kind());
    });
    {
      const runtime::FlushSubnormals flush(may_flush);
      if (problem_.inverse) sums.end_inverse(y, g, width_, end.final_scales.data());
      finish(programs, end, g);
    }
    if (problem_.inverse) sums.add_diagonal(problem_, matrix);
    sums.end();
  }

  // Brings g, which has gone through all steps, to gx.
  void finish(const VjpPrograms<F>& programs, const Program<F>& program, R* g) const {
    for (std::int64_t s = 0; s < plan_.slots; ++s) {
      const R scale = static_cast<R>(program.final_scales.data()[s]);
      multiply_rows(g + s * width_, width_, width_, &scale, 1);
    }
    if (problem_.inverse) multiply_by(programs.diagonal(), g, width_);
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
  const bool by_reach_;
  const std::int64_t width_;
  const std::int64_t each_;  // vectors in a panel
  const std::int64_t size_;
  const runtime::Scratch<R> y_;
  const runtime::Scratch<R> g_;
  const std::vector<R> ones_;
  Reach reach_;  // by_reach_ only
  std::vector<std::int64_t> offsets_;
};

template <class T>
int vjp_threads(const VjpProblem<T>& problem) {
  return threads_for(problem, 3 * kParts<T> * problem.vectors.size());
}

template <class T, class F>
void vjp_all(const VjpProblem<T>& problem, const Plan& plan, bool from_identity) {
  const std::int64_t rotations = problem.schedule.num_rotations();
  const std::int64_t matrices = problem.matrices.size();
  const auto steps = static_cast<std::int64_t>(plan.steps.size());
  const bool by_runs = !from_identity && by_runs_of_steps<T>(problem, plan);
  int most = vjp_threads(problem);
  if (by_runs) most = threads_by_runs(problem, most);
  const auto finish = [&](VjpPrograms<F>& programs, const auto& matrix, GradientSums<F>* sums) {
    for (const bool moderate : {true, false}) {
      GradientSums<F>& part = sums[moderate ? 0 : 1];
      if (part.empty()) continue;
      part.add_to(problem, matrix, programs.for_vectors(moderate), programs.kind());
    }
  };
  const auto in_parts = [&](int threads) {
    VjpPrograms<F> programs(plan, problem.inverse);
    const std::int64_t panels = VjpWorker<T, F>(problem, plan, from_identity).panels();
    for (std::int64_t m = 0; m < matrices; ++m) {
      const auto matrix = problem.matrices.at(m);
      programs.set(problem.parameters.at(matrix), rotations);
      programs.for_vectors(true, threads);
      GradientSums<F> sums[] = {GradientSums<F>(plan), GradientSums<F>(plan)};
      PanelOrder order(panels, steps + 1);
      auto run = [&](std::int64_t panel) {
        VjpWorker<T, F>(problem, plan, from_identity).run(programs, matrix, panel, order, sums);
      };
      runtime::parallel_for(panels, threads, run);
      finish(programs, matrix, sums);
    }
  };
  const auto whole = [&](std::int64_t first, std::int64_t last) {
    VjpPrograms<F> programs(plan, problem.inverse);
    VjpWorker<T, F> worker(problem, plan, from_identity);
    GradientSums<F> sums[] = {GradientSums<F>(plan), GradientSums<F>(plan)};
    for (std::int64_t m = first; m < last; ++m) {
      const auto matrix = problem.matrices.at(m);
      programs.set(problem.parameters.at(matrix), rotations);
      PanelOrder order(worker.panels(), steps + 1);
      for (std::int64_t panel = 0; panel < worker.panels(); ++panel) {
        worker.run(programs, matrix, panel, order, sums, by_runs);
      }
      finish(programs, matrix, sums);
    }
  };
  // An operand that is absent has strides of zero.
  const bool independent = !problem.matrices.repeats(7) &&
                           !(problem.gphases && problem.matrices.repeats(8)) &&
                           !(problem.gdiagonal && problem.matrices.repeats(9));
  share_out(matrices, independent, most, in_parts, whole);
}

}  // namespace givens::cpu::GIVENS_ISA

#endif
