// The coefficients of an operator's matrices. Compiled for each instruction set; see
// engine_headers.hpp.
#pragma once

#include "cpu/coefficients/cache-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

template <class F>
class PreparedMatrices : public Prepared {
 public:
  using Parameters = MatrixParameters<real_t<F>>;

  explicit PreparedMatrices(const OperatorProblem<real_t<F>>& problem)
      : problem_(problem), matrices_(static_cast<std::size_t>(problem.matrices)) {}

  // The coefficients of the matrix whose parameters are at these offsets; see CoefficientCache.
  template <class Offsets>
  CoefficientCache<F>& cache(const Offsets& offsets, bool adjoint, bool gradient) const {
    Matrix& matrix = matrices_[index_of(offsets)];
    const std::lock_guard<std::mutex> lock(matrix.mutex);
    auto& cache = matrix.caches[2 * adjoint + gradient];
    if (!cache) {
      cache = std::make_unique<CoefficientCache<F>>(plan_of(problem_.schedule), adjoint, gradient);
      cache->set(problem_.parameters.at(offsets), problem_.schedule.num_rotations());
    }
    return *cache;
  }

 private:
  struct Matrix {
    std::mutex mutex;
    std::array<std::unique_ptr<CoefficientCache<F>>, 4> caches;
  };

  template <class Offsets>
  std::size_t index_of(const Offsets& offsets) const {
    const std::int64_t rotations = problem_.schedule.num_rotations();
    if (rotations > 0) return static_cast<std::size_t>(offsets[Parameters::kAngles] / rotations);
    const std::int64_t n = std::max<std::int64_t>(problem_.schedule.n(), 1);
    const auto operand = problem_.parameters.diagonal ? Parameters::kDiagonal : Parameters::kSigns;
    return static_cast<std::size_t>(offsets[operand] / n);
  }

  const OperatorProblem<real_t<F>> problem_;
  mutable std::vector<Matrix> matrices_;
};

}  // namespace givens::cpu::GIVENS_ISA
