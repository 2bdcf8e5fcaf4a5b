// The parameters of a given matrix: its checks and the engine's elimination.
#include "givens/decompose.hpp"

#include <cmath>
#include <complex>
#include <cstddef>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "arguments/checks.hpp"
#include "arguments/element_types.hpp"
#include "arguments/entries.hpp"
#include "arguments/strided_loop.hpp"
#include "cpu/engine.hpp"
#include "givens/schedule.hpp"

namespace givens {

namespace {

constexpr double kPi = 3.141592653589793;

// Checks shapes and memory. The decomposition itself finds out whether U is orthogonal.
template <class T>
void check(const ArrayView<const T>& U, const ParameterOutputs<real_t<T>>& outputs,
           const Schedule& schedule) {
  validate::Extents per_rotation(U.shape(), U.shape() + U.ndim() - 1);
  validate::Extents per_coordinate = per_rotation;
  per_rotation.back() = schedule.num_rotations();
  per_coordinate.back() = schedule.n();
  constexpr bool kComplex = is_complex_v<T>;
  validate::Arrays arrays;
  arrays.reads(&U, "U");
  const auto check_output = [&](const auto& output, const char* name,
                                const validate::Extents& shape, bool expected) {
    const auto* const view = validate::pointer(output);
    if ((view != nullptr) != expected) {
      validate::refuse(std::string(name) + " must be given exactly if U is " +
                       (expected == kComplex ? "complex" : "real"));
    }
    arrays.writes(view, name, shape);
  };
  check_output(outputs.angles, "angles", per_rotation, true);
  check_output(outputs.phases, "phases", per_rotation, kComplex);
  check_output(outputs.diagonal, "diagonal", per_coordinate, kComplex);
  check_output(outputs.signs, "signs", per_coordinate, !kComplex);
}

}  // namespace

template <class T>
Schedule decomposition_schedule(const not_deduced_t<ArrayView<const T>>& U,
                                const DecomposeOptions& options) {
  const int last = U.ndim() - 1;
  if (U.ndim() < 2 || U.shape(last) > U.shape(last - 1)) {
    validate::refuse("U must have shape (..., n, m) with m <= n, got shape " +
                     validate::shape_text(U));
  }
  if (options.tolerance && !(*options.tolerance >= 0)) {
    validate::refuse("tolerance must be at least 0, got " +
                     validate::short_text(*options.tolerance));
  }
  const std::int64_t n = U.shape(last - 1);
  const std::int64_t columns = U.shape(last);
  const Schedule::Kind kind = options.schedule.value_or(columns == n ? Schedule::Kind::brickwall
                                                                     : Schedule::Kind::wavefront);
  if (kind == Schedule::Kind::wavefront) return Schedule::wavefront(n, columns);
  if (kind != Schedule::Kind::brickwall) {
    validate::refuse(std::string("schedule must be brickwall or wavefront, got ") +
                     Schedule::kinds()[static_cast<std::size_t>(kind)].name);
  }
  if (columns < n) {
    validate::refuse("U must be square for the schedule brickwall, got shape " +
                     validate::shape_text(U));
  }
  return Schedule::brickwall(n);
}

template <class T>
void decompose(const not_deduced_t<ArrayView<const T>>& U,
               const ParameterOutputs<real_t<T>>& outputs, const DecomposeOptions& options) {
  using R = real_t<T>;
  using F = InDouble<T>;
  const Schedule schedule = decomposition_schedule<T>(U, options);
  check<T>(U, outputs, schedule);
  const int batch_ndim = U.ndim() - 2;
  const std::int64_t n = schedule.n();
  const std::int64_t columns = schedule.columns();
  const std::int64_t row_stride = U.stride(batch_ndim);
  const std::int64_t column_stride = U.stride(batch_ndim + 1);

  enum Operand : std::size_t { kMatrix, kAngles, kPhases, kDiagonal, kSigns, kOperands };
  StridedLoop<kOperands> matrices;
  for (int d = 0; d < batch_ndim; ++d) {
    const auto stride = [&](const auto& view) { return view ? view->stride(d) : 0; };
    matrices.add(U.shape(d), {U.stride(d), outputs.angles.stride(d), stride(outputs.phases),
                              stride(outputs.diagonal), stride(outputs.signs)});
  }
  if (matrices.size() == 0) return;

  // The reference engine has no elimination of its own.
  const cpu::Engine* const engine = cpu::engine() ? cpu::engine() : cpu::engines().back();
  const cpu::Functions<T>& functions = engine->functions<T>();
  cpu::Elimination<F> elimination(schedule);
  const auto load = [&](std::int64_t offset) {
    for (std::int64_t r = 0; r < n; ++r) {
      const T* from = U.data() + offset + r * row_stride;
      for (std::int64_t c = 0; c < columns; ++c) {
        elimination.set_entry(r, c, static_cast<F>(from[c * column_stride]));
      }
    }
  };

  const double tolerance = options.tolerance.value_or(
      32.0 * static_cast<double>(n + 1) * static_cast<double>(std::numeric_limits<R>::epsilon()));
  std::int64_t count = 0;
  matrices.for_each([&](const auto& at) {
    load(at[kMatrix]);
    for (std::int64_t r = 0; r < n; ++r) {
      for (std::int64_t c = 0; c < columns; ++c) {
        if (validate::is_finite(elimination.entry(r, c))) continue;
        validate::refuse("U must be finite, got " + validate::entry_text(elimination.entry(r, c)) +
                         " at " + validate::place("U", U.shape(), batch_ndim, count, {r, c}));
      }
    }
    const double error = functions.orthonormality_error(elimination);
    if (error > tolerance) {
      throw std::invalid_argument(
          std::string("U must ") +
          (columns < n ? "have orthonormal columns"
                       : (is_complex_v<T> ? "be unitary" : "be orthogonal")) +
          ", with max|" + (is_complex_v<T> ? "U^H" : "U^T") + " U - I| at most " +
          validate::short_text(tolerance) + ", got " + validate::short_text(error) +
          (batch_ndim ? " for " + validate::place("U", U.shape(), batch_ndim, count, {}) : ""));
    }
    ++count;
  });

  // Copies value(0), value(1), .. into a view, at an offset.
  const auto write = [](const ArrayView<R>& view, std::int64_t offset, const auto& value) {
    const std::int64_t stride = view.stride(view.ndim() - 1);
    for (std::int64_t k = 0; k < view.shape(view.ndim() - 1); ++k) {
      view.data()[offset + k * stride] = static_cast<R>(value(k));
    }
  };
  const auto angles = [&](std::int64_t k) {
    return elimination.angles[static_cast<std::size_t>(k)];
  };
  matrices.for_each([&](const auto& at) {
    load(at[kMatrix]);
    functions.eliminate(elimination);
    write(outputs.angles, at[kAngles], [&](std::int64_t k) { return angles(k).angle; });
    if constexpr (is_complex_v<T>) {
      write(*outputs.phases, at[kPhases],
            [&](std::int64_t k) { return std::remainder(angles(k).phase, 2 * kPi); });
      write(*outputs.diagonal, at[kDiagonal],
            [&](std::int64_t r) { return elimination.phases.data()[r]; });
    } else if (outputs.signs) {
      write(*outputs.signs, at[kSigns],
            [&](std::int64_t r) { return elimination.phases.data()[r] == 0 ? 1 : -1; });
    }
  });
}

#define GIVENS_INSTANTIATE_TYPE(T)     \
  GIVENS_INSTANTIATE_API(decompose, T) \
  GIVENS_INSTANTIATE_API(decomposition_schedule, T)
GIVENS_FOR_WIDE_TYPES(GIVENS_INSTANTIATE_TYPE)

}  // namespace givens
