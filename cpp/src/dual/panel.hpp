// Panels of columns, and how work is shared out.
#pragma once

#include <algorithm>
#include <array>
#include <complex>
#include <vector>

#include "dual/problem.hpp"
#include "dual/rotations.hpp"
#include "runtime/threads.hpp"

namespace givens::dual {

// At most kLanes successive vectors of one matrix.
template <class T, std::size_t Operands>
class PanelVectors {
 public:
  PanelVectors(const StridedLoop<Operands>& vectors, std::int64_t panel) {
    const std::int64_t first = panel * kLanes<real_t<T>>;
    count_ = std::min(kLanes<real_t<T>>, vectors.size() - first);
    for (std::int64_t l = 0; l < count_; ++l)
      offsets_[static_cast<std::size_t>(l)] = vectors.at(first + l);
  }

  // Loads rows of values and of tangents, which are operands of the loop. An absent operand is
  // zero, and so are the lanes beyond the vectors.
  void load(const Strided<const T>& values, std::size_t value_operand,
            const Strided<const T>& tangents, std::size_t tangent_operand,
            std::vector<Dual<Many<T>>>& rows) const {
    std::fill(rows.begin(), rows.end(), Dual<Many<T>>{});
    if (values) load(values, value_operand, rows, [](auto& row) -> auto& { return row.v; });
    if (tangents) load(tangents, tangent_operand, rows, [](auto& row) -> auto& { return row.d; });
  }

  void store(const std::vector<Dual<Many<T>>>& rows, const Strided<T>& values,
             std::size_t value_operand, const Strided<T>& tangents,
             std::size_t tangent_operand) const {
    for (std::int64_t l = 0; l < count_; ++l) {
      const auto& offsets = offsets_[static_cast<std::size_t>(l)];
      const Strided<T> v = values.at(offsets[value_operand]);
      const Strided<T> d = tangents.at(offsets[tangent_operand]);
      for (std::size_t k = 0; k < rows.size(); ++k) {
        v[static_cast<std::int64_t>(k)] = lane(rows[k].v, l);
        d[static_cast<std::int64_t>(k)] = lane(rows[k].d, l);
      }
    }
  }

 private:
  template <class Part>
  void load(const Strided<const T>& from, std::size_t operand, std::vector<Dual<Many<T>>>& rows,
            Part&& part) const {
    for (std::int64_t l = 0; l < count_; ++l) {
      const Strided<const T> x = from.at(offsets_[static_cast<std::size_t>(l)][operand]);
      for (std::size_t k = 0; k < rows.size(); ++k)
        set_lane(part(rows[k]), l, x[static_cast<std::int64_t>(k)]);
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

  std::int64_t count_ = 0;
  std::array<typename StridedLoop<Operands>::Offsets, static_cast<std::size_t>(kLanes<real_t<T>>)>
      offsets_{};
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

template <class Problem>
std::int64_t panels_of(const Problem& problem) {
  constexpr std::int64_t L = kLanes<typename Problem::R>;
  return (problem.vectors.size() + L - 1) / L;
}

}  // namespace givens::dual
