// The gradients through rotate and matrix, panel by panel, or strip by strip. Compiled for each
// instruction set; see engine_headers.hpp.
#pragma once

#include "cpu/coefficients/cache-inl.hpp"
#include "cpu/drivers/accumulators-inl.hpp"
#include "cpu/drivers/columns_of_u-inl.hpp"
#include "cpu/drivers/panels-inl.hpp"
#include "cpu/drivers/sharing-inl.hpp"
#include "cpu/kernels/steps-inl.hpp"
#include "cpu/strips/run-inl.hpp"
#include "cpu/strips/sums-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

template <class T>
int vjp_threads(const VjpProblem<T>& problem) {
  return threads_for(problem, 3 * kReals<T> * problem.vectors.size());
}

// The panels of a matrix are in at most this many parts with sums of their own, which are then
// added in order. The parts depend on the problem only, so that the gradients are the same for any
// number of threads. No more threads than this share one matrix; each part more costs one thread
// about 0.7 % at n = 1024, and memory for as many numbers as there are rotations.
inline constexpr std::int64_t kMostSums = 4;

// What run_matrices needs for gradients, through rotate, or through matrix, where y is U and
// `from_identity` is true: then only the rows and columns that are not zero count.
template <class T, class F>
struct VjpDriver {
  using R = real_t<T>;
  using Problem = VjpProblem<T>;

  VjpDriver(const Problem& vjp_problem, const Plan& vjp_plan, bool through_matrix)
      : problem(vjp_problem),
        plan(vjp_plan),
        from_identity(through_matrix),
        by_strips(!from_identity && strips_apply<T>(plan, problem.y, problem.gy, problem.gx)),
        vectors(plan, problem.vectors.size()) {}

  int threads() const {
    const int most = vjp_threads(problem);
    return by_runs() ? threads_by_runs(problem, most) : most;
  }
  bool by_runs() const {
    return !from_identity && !by_strips && by_runs_of_steps(problem, plan, panels());
  }
  bool adjoint() const { return !problem.inverse; }
  bool matrices_are_independent() const { return problem.gradients_are_separate(); }
  std::int64_t panels() const { return vectors.panels(); }
  static constexpr bool kGradient = true;

  class Matrix : public MatrixState<F, VjpDriver> {
   public:
    using State = MatrixState<F, VjpDriver>;

    Matrix(const VjpDriver& vjp_driver, int num_threads)
        : State(vjp_driver, num_threads),
          sums_(static_cast<std::size_t>(2 * parts())),
          strip_sums_(static_cast<std::size_t>(parts())) {}

    std::int64_t parts() const { return std::min(this->driver.panels(), kMostSums); }

    GradientAccumulators<F>& sums(std::int64_t part, bool in_range) {
      auto& out = sums_[static_cast<std::size_t>(2 * part + (in_range ? 0 : 1))];
      if (!out) out = std::make_unique<GradientAccumulators<F>>(this->driver.plan);
      return *out;
    }

    // The sums of a part's strips; see Strips.
    R* strip_sums(std::int64_t part) {
      auto& out = strip_sums_[static_cast<std::size_t>(part)];
      if (!out) out = std::make_unique<StripSums<F>>(this->cache().for_strips().program);
      return out->data();
    }

    void finish() {
      if (this->driver.by_strips) {
        finish_strips();
        return;
      }
      for (const bool in_range : {true, false}) {
        std::vector<GradientAccumulators<F>*> found;
        for (std::size_t k = in_range ? 0 : 1; k < sums_.size(); k += 2) {
          if (sums_[k] && !sums_[k]->empty()) found.push_back(sums_[k].get());
        }
        if (found.empty()) continue;
        auto add = [&](std::int64_t part) {
          for (std::size_t k = 1; k < found.size(); ++k) {
            found[0]->add(*found[k], part, this->threads);
          }
        };
        runtime::parallel_for(this->threads, this->threads, add);
        found[0]->add_to(this->driver.problem, this->offsets, this->cache().for_vectors(in_range),
                         this->cache().parameter_values());
        for (GradientAccumulators<F>* sums : found) sums->end();
      }
    }

   private:
    // The sums are for steps of pairs alone, whose weights are 1, whether vectors are in range or
    // not.
    void finish_strips() {
      GradientAccumulators<F>* total = nullptr;
      for (const auto& sums : sums_) {
        if (!sums || sums->empty()) continue;
        if (total) total->add(*sums, 0, 1);
        if (!total) total = sums.get();
      }
      if (!total) return;
      StripSums<F>* strips = nullptr;
      for (const auto& sums : strip_sums_) {
        if (!sums) continue;
        if (strips) strips->add(*sums);
        if (!strips) strips = sums.get();
      }
      if (strips) {
        strips->add_to(this->driver.plan, this->cache().for_strips().program, total->data());
      }
      Coefficients<F> weights;
      weights.set_weights_of_pairs(this->driver.plan);
      total->add_to(this->driver.problem, this->offsets, weights, this->cache().parameter_values());
      for (const auto& sums : sums_) {
        if (sums) sums->end();
      }
      for (auto& sums : strip_sums_) sums = nullptr;
    }

    // By part: for vectors in range, and for others.
    std::vector<std::unique_ptr<GradientAccumulators<F>>> sums_;
    std::vector<std::unique_ptr<StripSums<F>>> strip_sums_;  // by part
  };

  class Worker {
   public:
    explicit Worker(const VjpDriver& driver)
        : driver_(driver),
          problem_(driver.problem),
          plan_(driver.plan),
          by_nonzeros_(driver.from_identity && NonzeroStructure::pays(plan_)),
          width_(driver.vectors.width),
          strips_(driver.plan) {}

    // Writes gx for a panel and adds to the sums of its part, or by runs to the gradients.
    void run(Matrix& matrix, std::int64_t panel, std::int64_t part) {
      const Range range = driver_.vectors.of(panel);
      if (driver_.by_strips) {
        run_strips(matrix, range, part);
      } else {
        run_panel(matrix, range, part);
      }
    }

   private:
    using StripPair = StripMemory<T, F, true>;

    void run_strips(Matrix& matrix, Range range, std::int64_t part) {
      const StripCoefficients<F>& coefficients = matrix.cache().for_strips();
      GradientAccumulators<F>& sums = matrix.sums(part, true);
      if (sums.empty()) sums.start_steps({0, static_cast<std::int64_t>(plan_.steps.size())});
      const auto& offsets = matrix.offsets;
      for (std::int64_t first = range.first; first < range.last; first += StripPair::kVectors) {
        const std::int64_t count = std::min(StripPair::kVectors, range.last - first);
        const auto offset_in = [&](std::size_t operand) {
          return [&, operand](std::int64_t v) { return problem_.vectors.at(first + v)[operand]; };
        };
        const bool copy = !problem_.inverse && coefficients.diagonal();
        strips_.start(coefficients, count);
        strips_.read(0, problem_.y.data + offsets[Problem::kY], copy, offset_in(Problem::kVectorY));
        strips_.read(1, problem_.gy.data + offsets[Problem::kGradY], copy,
                     offset_in(Problem::kVectorGradY));
        if (!problem_.inverse) strips_.template multiply_by_diagonal<true>(coefficients);
        if (!strips_.may_run()) {
          run_panel(matrix, {first, first + count}, part);
          continue;
        }
        sums.start(strips_);
        T* const gx = problem_.gx ? problem_.gx.data + offsets[Problem::kGradX] : nullptr;
        if (gx) strips_.write_to(1, gx, offset_in(Problem::kVectorGradX));
        strips_.run(coefficients, matrix.strip_sums(part));
        if (problem_.inverse) {
          sums.end_inverse(strips_);
          strips_.template multiply_by_diagonal<false>(coefficients);
        }
        if (gx) strips_.write(1, gx, offset_in(Problem::kVectorGradX));
      }
    }

    // `range` has at most as many vectors as a panel.
    void run_panel(Matrix& matrix, Range range, std::int64_t part) {
      y_.resize(plan_.rows * width_);
      g_.resize(plan_.rows * width_);
      ones_.resize(static_cast<std::size_t>(plan_.rows), R(1));
      const auto columns = [&](auto* data, std::int64_t stride, std::size_t operand) {
        return columns_of<T, F>(data, stride, problem_.vectors, operand, range, offsets_);
      };
      const auto& offsets = matrix.offsets;
      R* const y = y_.data();
      R* const g = g_.data();
      pack<F>(plan_,
              columns(problem_.y.data + offsets[Problem::kY], problem_.y.stride, Problem::kVectorY),
              y, width_);
      pack<F>(plan_,
              columns(problem_.gy.data + offsets[Problem::kGradY], problem_.gy.stride,
                      Problem::kVectorGradY),
              g, width_);
      const std::vector<F>& diagonal = matrix.cache().diagonal();
      if (!problem_.inverse && !diagonal.empty()) {
        for (R* data : {y, g}) multiply_by(conjugates(diagonal), data, width_);
      }
      if (by_nonzeros_) {
        const ColumnOrder order(plan_, range.first, range.last - range.first, kReals<T>);
        order.find_nonzeros(plan_, nonzeros_);
        for (R* data : {y, g}) order_columns<false>(order, data, plan_.rows, width_);
      }
      run_by_range<2, F>({y, g}, plan_.rows, width_, Limits<R, true>::largest,
                         [&](const auto& panels, bool in_range, bool may_flush) {
                           if (in_range && matrix.by_runs) {
                             sweep_by_runs(matrix, panels, may_flush, matrix.sums(part, true));
                           } else {
                             sweep(matrix.cache().for_vectors(in_range), range, panels, may_flush,
                                   matrix.sums(part, in_range));
                           }
                         });
      if (problem_.gx) {
        const auto out = columns(problem_.gx.data + offsets[Problem::kGradX], problem_.gx.stride,
                                 Problem::kVectorGradX);
        if (problem_.inverse && !diagonal.empty()) {
          unpack<F>(plan_, g, width_, diagonal, out);
        } else {
          unpack<F>(plan_, g, width_, ones_, out);
        }
      }
    }

    // Takes panels y and g through the steps, and adds to the sums.
    void sweep(const Coefficients<F>& coefficients, Range range, const std::array<R*, 2>& panels,
               bool may_flush, GradientAccumulators<F>& sums) {
      const runtime::FlushSubnormals flush(may_flush);
      const Range all{0, static_cast<std::int64_t>(plan_.steps.size())};
      R* const y = panels[0];
      R* const g = panels[1];
      if (sums.empty()) sums.start_steps(all);
      sums.start(PanelPair<F>{y, g, width_});
      if (!driver_.from_identity) {
        run_steps(coefficients, all, panels, sums);
      } else if (by_nonzeros_) {
        for_each_step(all, true, [&](std::int64_t k) {
          for_each_rotated(plan_, nonzeros_, k, width_,
                           [&](std::int64_t from, std::int64_t reals, const ColumnMask* rotated) {
                             run_step<true, F, true>(
                                 plan_, coefficients, k,
                                 {{y + from, g + from}, width_, reals, sums.of(k)}, rotated);
                           });
        });
      } else {
        const Range rows = rows_of(plan_, range.first, range.last - range.first);
        for (auto level = plan_.merge_levels.rbegin(); level != plan_.merge_levels.rend();
             ++level) {
          // Each vector has kReals<T> reals, also where F is real.
          for_each_part<T, true>(
              *level, rows, width_, [&](Range steps, std::int64_t from, std::int64_t reals) {
                for_each_step(steps, true, [&](std::int64_t k) {
                  run_step<true, F, true>(plan_, coefficients, k,
                                          {{y + from, g + from}, width_, reals, sums.of(k)});
                });
              });
        }
      }
      if (problem_.inverse) sums.end_inverse(PanelPair<F>{y, g, width_});
    }

    // The same for the only panel: coefficients are found, and sums added to the gradients, by runs
    // of steps that stay in the processor's cache.
    void sweep_by_runs(Matrix& matrix, const std::array<R*, 2>& panels, bool may_flush,
                       GradientAccumulators<F>& sums) {
      R* const y = panels[0];
      R* const g = panels[1];
      {
        const runtime::FlushSubnormals flush(may_flush);
        sums.start(PanelPair<F>{y, g, width_});
      }
      if (!problem_.inverse) sums.add_diagonal(problem_, matrix.offsets);
      matrix.cache().for_each_run([&](const Coefficients<F>& coefficients, Range steps) {
        sums.start_steps(steps);
        {
          const runtime::FlushSubnormals flush(may_flush);
          run_steps(coefficients, steps, panels, sums);
        }
        sums.add_steps(steps, problem_, matrix.offsets, coefficients,
                       matrix.cache().parameter_values());
      });
      if (problem_.inverse) {
        {
          const runtime::FlushSubnormals flush(may_flush);
          sums.end_inverse(PanelPair<F>{y, g, width_});
        }
        sums.add_diagonal(problem_, matrix.offsets);
      }
      sums.end();
    }

    void run_steps(const Coefficients<F>& coefficients, Range steps,
                   const std::array<R*, 2>& panels, const GradientAccumulators<F>& sums) const {
      const auto run = problem_.inverse ? run_step<false, F, true> : run_step<true, F, true>;
      for_each_step(steps, !problem_.inverse, [&](std::int64_t k) {
        run(plan_, coefficients, k, {{panels[0], panels[1]}, width_, width_, sums.of(k)}, nullptr);
      });
    }

    const VjpDriver& driver_;
    const Problem& problem_;
    const Plan& plan_;
    const bool by_nonzeros_;
    const std::int64_t width_;
    StripPair strips_;
    runtime::Scratch<R> y_;
    runtime::Scratch<R> g_;
    std::vector<R> ones_;        // real: a complex 1 would change the sign of zeros
    NonzeroStructure nonzeros_;  // by_nonzeros_ only
    std::vector<std::int64_t> offsets_;
  };

  const Problem& problem;
  const Plan& plan;
  const bool from_identity;
  const bool by_strips;
  const VectorPanels<T, F> vectors;
};

}  // namespace givens::cpu::GIVENS_ISA
