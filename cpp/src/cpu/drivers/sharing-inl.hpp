// How work is shared out to threads. Compiled for each instruction set; see engine_headers.hpp.
#pragma once

#include "cpu/coefficients/prepared-inl.hpp"
#include "cpu/simd/vector_pack-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

// Rotations times columns for which waking a thread pays.
inline constexpr std::int64_t kWorkOfAThread = std::int64_t{1} << 20;

template <class Problem>
int threads_for(const Problem& problem, std::int64_t columns) {
  const std::int64_t work = problem.schedule.num_rotations() * std::max<std::int64_t>(columns, 1) *
                            problem.matrices.size();
  const int most = problem.num_threads > 0 ? problem.num_threads : runtime::default_num_threads();
  return static_cast<int>(std::clamp<std::int64_t>(work / kWorkOfAThread, 1, most));
}

// Whether coefficients are found run of steps by run of steps: if they are many, and only one panel
// of one matrix uses them.
template <class Problem>
bool by_runs_of_steps(const Problem& problem, const Plan& plan, std::int64_t panels) {
  const bool shared =
      problem.matrices.size() > 1 && problem.matrices.repeats(problem.parameters.kAngles);
  return plan.rotations > kRotationsInRun && panels == 1 && !shared;
}

// The threads that then pay, of `most`. For a single matrix they could only help to find the
// coefficients of all steps at once, with which two take as long as one takes by runs.
template <class Problem>
int threads_by_runs(const Problem& problem, int most) {
  return problem.matrices.size() == 1 && most == 2 ? 1 : most;
}

// What is known of the matrix that is worked on, by `threads` threads.
template <class F, class Driver>
class MatrixState {
 public:
  MatrixState(const Driver& matrix_driver, int num_threads)
      : driver(matrix_driver),
        threads(num_threads),
        by_runs(threads == 1 && driver.by_runs() && !driver.problem.prepared),
        own_cache_(driver.plan, driver.adjoint(), Driver::kGradient) {}

  // The parts in which its panels are shared out.
  std::int64_t parts() const {
    return threads == 1 ? 1 : std::min<std::int64_t>(driver.panels(), 4 * threads);
  }

  // Goes on to matrix `index` of the problem.
  void start(std::int64_t index) {
    offsets = driver.problem.matrices.at(index);
    const auto& problem = driver.problem;
    if (problem.prepared) {
      cache_ = &static_cast<const PreparedMatrices<F>*>(problem.prepared)
                    ->cache(offsets, driver.adjoint(), Driver::kGradient);
    } else {
      own_cache_.set(problem.parameters.at(offsets), problem.schedule.num_rotations());
    }
    if (threads > 1 && !driver.by_strips) cache().for_vectors(true, threads);
  }

  // Called when all its panels are done.
  void finish() const {}

  // The coefficients of the matrix.
  CoefficientCache<F>& cache() { return *cache_; }

  const Driver& driver;
  const int threads;
  const bool by_runs;  // see by_runs_of_steps
  decltype(driver.problem.matrices.at(0)) offsets{};

 private:
  CoefficientCache<F> own_cache_;
  CoefficientCache<F>* cache_ = &own_cache_;
};

// Runs a driver (MatrixDriver, RotateDriver or VjpDriver) on all matrices of its problem: by matrix
// if there are enough of them for the threads, else each matrix in parts, which are ranges of its
// panels. What is computed does not depend on how it is shared out.
//
// Driver::Matrix is a MatrixState, and Driver::Worker holds the memory that a thread needs for a
// panel.
template <class Driver>
void run_matrices(const Driver& driver) {
  const std::int64_t matrices = driver.problem.matrices.size();
  const std::int64_t panels = driver.panels();
  const int threads = driver.threads();
  const auto run_part = [&](auto& worker, auto& matrix, std::int64_t part) {
    const std::int64_t parts = matrix.parts();
    for (std::int64_t p = panels * part / parts; p < panels * (part + 1) / parts; ++p) {
      worker.run(matrix, p, part);
    }
  };
  const auto run_whole = [&](std::int64_t first, std::int64_t last) {
    typename Driver::Matrix matrix(driver, 1);
    typename Driver::Worker worker(driver);
    for (std::int64_t m = first; m < last; ++m) {
      matrix.start(m);
      for (std::int64_t part = 0; part < matrix.parts(); ++part) run_part(worker, matrix, part);
      matrix.finish();
    }
  };
  if (threads == 1) {
    run_whole(0, matrices);
  } else if (matrices >= 2 * threads && driver.matrices_are_independent()) {
    const std::int64_t chunks = std::min<std::int64_t>(matrices, 8 * std::int64_t{threads});
    auto chunk = [&](std::int64_t k) {
      run_whole(matrices * k / chunks, matrices * (k + 1) / chunks);
    };
    runtime::parallel_for(chunks, threads, chunk);
  } else {
    typename Driver::Matrix matrix(driver, threads);
    auto part = [&](std::int64_t k) {
      typename Driver::Worker worker(driver);
      run_part(worker, matrix, k);
    };
    for (std::int64_t m = 0; m < matrices; ++m) {
      matrix.start(m);
      runtime::parallel_for(matrix.parts(), threads, part);
      matrix.finish();
    }
  }
}

// Runs a class of batched/drivers-inl.hpp on all matrices, a multiple of kLanes at a time.
template <class R, class Batch>
void run_batch(const Batch& batch, std::int64_t matrices, int threads) {
  const std::int64_t chunks = (matrices + kLanes<R> - 1) / kLanes<R>;
  const std::int64_t parts =
      std::min<std::int64_t>(chunks, threads == 1 ? 1 : 8 * std::int64_t{threads});
  auto part = [&](std::int64_t k) {
    batch.run(chunks * k / parts * kLanes<R>,
              std::min(chunks * (k + 1) / parts * kLanes<R>, matrices));
  };
  runtime::parallel_for(parts, threads, part);
}

}  // namespace givens::cpu::GIVENS_ISA
