// Panels of columns, and how work is shared out.
#pragma once

#include <algorithm>
#include <complex>
#include <vector>

#include "dual/engine.hpp"
#include "dual/rotations.hpp"
#include "runtime/threads.hpp"

namespace givens::dual {

// At most kLanes successive vectors of one matrix.
template <class T, class Problem>
class PanelVectors {
 public:
  using Rows = std::vector<Dual<Many<T>>>;

  PanelVectors(const WithTangents<Problem>& problem, std::int64_t matrix, std::int64_t panel)
      : problem_(problem),
        first_(panel * kLanes<real_t<T>>),
        count_(std::min(kLanes<real_t<T>>, problem.value.vectors.size() - first_)),
        value_(problem.value.matrices.at(matrix)),
        tangent_(problem.tangent.matrices.at(matrix)) {}

  // Loads rows of an array of the problem and of its tangent. What is absent is zero, and so are
  // the lanes beyond the vectors.
  void load(Strided<const T> Problem::* array, std::size_t operand, std::size_t vector_operand,
            Rows& rows) const {
    std::fill(rows.begin(), rows.end(), Dual<Many<T>>{});
    for_each_lane(array, operand, vector_operand,
                  [&](std::int64_t l, const auto& v, const auto& d) {
                    for (std::size_t k = 0; k < rows.size(); ++k) {
                      if (v) set_lane(rows[k].v, l, v[static_cast<std::int64_t>(k)]);
                      if (d) set_lane(rows[k].d, l, d[static_cast<std::int64_t>(k)]);
                    }
                  });
  }

  void store(const Rows& rows, Strided<T> Problem::* array, std::size_t operand,
             std::size_t vector_operand) const {
    for_each_lane(array, operand, vector_operand,
                  [&](std::int64_t l, const auto& v, const auto& d) {
                    for (std::size_t k = 0; k < rows.size(); ++k) {
                      v[static_cast<std::int64_t>(k)] = lane(rows[k].v, l);
                      d[static_cast<std::int64_t>(k)] = lane(rows[k].d, l);
                    }
                  });
  }

 private:
  template <class Array, class Body>
  void for_each_lane(Array Problem::* array, std::size_t operand, std::size_t vector_operand,
                     Body&& body) const {
    const Array values = (problem_.value.*array).at(value_[operand]);
    const Array tangents = (problem_.tangent.*array).at(tangent_[operand]);
    for (std::int64_t l = 0; l < count_; ++l) {
      body(l, values.at(problem_.value.vectors.at(first_ + l)[vector_operand]),
           tangents.at(problem_.tangent.vectors.at(first_ + l)[vector_operand]));
    }
  }

  static T lane(const Many<T>& row, std::int64_t l) {
    if constexpr (is_complex_v<T>) {
      return {row.re[l], row.im[l]};
    } else {
      return row[l];
    }
  }
  static void set_lane(Many<T>& row, std::int64_t l, const T& x) {
    if constexpr (is_complex_v<T>) {
      row.re[l] = x.real();
      row.im[l] = x.imag();
    } else {
      row[l] = x;
    }
  }

  using Offsets = typename StridedLoop<Problem::kOperands>::Offsets;

  const WithTangents<Problem>& problem_;
  std::int64_t first_;
  std::int64_t count_;
  Offsets value_;
  Offsets tangent_;
};

// Rotations times columns for which waking a thread pays.
inline constexpr std::int64_t kWorkOfAThread = std::int64_t{1} << 17;

template <class Problem>
int threads_for(const Problem& problem) {
  const std::int64_t work =
      problem.schedule.num_rotations() * problem.vectors.size() * problem.matrices.size();
  const int most = problem.num_threads > 0 ? problem.num_threads : runtime::default_num_threads();
  return static_cast<int>(std::clamp<std::int64_t>(work / kWorkOfAThread, 1, most));
}

template <class R, class Problem>
std::int64_t panels_of(const Problem& problem) {
  constexpr std::int64_t L = kLanes<R>;
  return (problem.vectors.size() + L - 1) / L;
}

}  // namespace givens::dual
