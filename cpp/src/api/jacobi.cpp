// Rotations that make matrices diagonal: the checks, and the problems in double precision.
#include "givens/jacobi.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstddef>
#include <limits>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "arguments/checks.hpp"
#include "arguments/element_types.hpp"
#include "arguments/entries.hpp"
#include "arguments/strided_loop.hpp"
#include "few_rotations/jacobi.hpp"

namespace givens {

namespace {

using few_rotations::append;
using few_rotations::Diagonalisation;
using few_rotations::kMost;
using few_rotations::Rotation;
using few_rotations::Rounds;

// After as many rotations for each pair the method has failed.
constexpr std::int64_t kSweeps = 1000;

void check_shape(int ndim, const std::int64_t* shape, bool joint) {
  if (ndim < (joint ? 3 : 2) || shape[ndim - 1] != shape[ndim - 2]) {
    validate::refuse(std::string("A must have shape (..., ") + (joint ? "k, " : "") +
                     "n, n), got shape " + validate::text(shape, ndim));
  }
}

void check_options(const JacobiOptions& options, std::int64_t n) {
  const auto check = [](const std::optional<std::int64_t>& limit, const char* name) {
    if (limit && *limit < 0) {
      validate::refuse(std::string(name) + " must be at least 0, got " + validate::text(*limit));
    }
  };
  check(options.rotations, "rotations");
  check(options.max_rounds, "max_rounds");
  if (options.tol && !(*options.tol >= 0)) {
    validate::refuse("tol must be at least 0, got " + validate::short_text(*options.tol));
  }
  if (!options.pairs) return;
  const Schedule& schedule = *options.pairs;
  if (schedule.n() != n) {
    validate::refuse("pairs must be a schedule of n = " + validate::text(n) +
                     " coordinates, as A has, got " + schedule.repr());
  }
  if (schedule.columns() != n) {
    validate::refuse("pairs must be a schedule with all columns, got " + schedule.repr());
  }
  if (options.rotations || options.max_rounds || schedule.is_complete()) return;
  std::set<std::pair<std::int32_t, std::int32_t>> pairs;
  for (const Pair& pair : schedule.pairs()) pairs.insert({pair.i, pair.j});
  if (static_cast<std::int64_t>(pairs.size()) < n * (n - 1) / 2) {
    validate::refuse(
        "pairs must be a schedule in which all coordinates meet, unless rotations or max_rounds "
        "end the rounds, got " +
        schedule.repr());
  }
}

// Reads k matrices from an offset on, divided by a power of two that makes the largest entry about
// 1, and returns its exponent. `where` names matrix m in messages.
template <class T, class Where>
int load(const ArrayView<const T>& A, std::int64_t offset, Diagonalisation<InDouble<T>>& a,
         const Where& where) {
  using F = InDouble<T>;
  const std::int64_t n = a.n();
  const auto count = static_cast<std::int64_t>(a.matrices().size());
  const auto entry = [&](std::int64_t m, std::int64_t i, std::int64_t j) {
    const std::int64_t matrix = count > 1 ? m * A.stride(A.ndim() - 3) : 0;
    return static_cast<F>(
        A.data()[offset + matrix + i * A.stride(A.ndim() - 2) + j * A.stride(A.ndim() - 1)]);
  };
  double largest = 0;
  for (std::int64_t m = 0; m < count; ++m) {
    for (std::int64_t i = 0; i < n; ++i) {
      for (std::int64_t j = 0; j < n; ++j) {
        const F x = entry(m, i, j);
        if (!validate::is_finite(x)) {
          validate::refuse("A must be finite, got " + validate::entry_text(x) + " at " +
                           where(m, {i, j}));
        }
        largest = std::max({largest, std::abs(std::real(x)), std::abs(std::imag(x))});
      }
    }
  }
  int exponent = 0;
  std::frexp(largest, &exponent);
  const auto scaled = [&](const F& x) -> F {
    if constexpr (is_complex_v<F>) {
      return {std::ldexp(x.real(), -exponent), std::ldexp(x.imag(), -exponent)};
    } else {
      return std::ldexp(x, -exponent);
    }
  };
  const double eps = static_cast<double>(std::numeric_limits<real_t<T>>::epsilon());
  for (std::int64_t m = 0; m < count; ++m) {
    double asymmetry = 0;
    few_rotations::SquareMatrix<F>& matrix = a.matrices()[static_cast<std::size_t>(m)];
    for (std::int64_t i = 0; i < n; ++i) {
      for (std::int64_t j = 0; j <= i; ++j) {
        const F x = scaled(entry(m, i, j));
        const F y = few_rotations::conjugate(scaled(entry(m, j, i)));
        asymmetry = std::max(asymmetry, std::abs(x - y));
        matrix(i, j) = 0.5 * (x + y);
        matrix(j, i) = few_rotations::conjugate(matrix(i, j));
      }
    }
    const double allowed = std::ldexp(32.0 * static_cast<double>(n + 1) * eps * largest, -exponent);
    if (asymmetry > allowed) {
      const bool is_complex = is_complex_v<T>;
      const std::string name = where(m, {});
      validate::refuse(std::string("A must be ") + (is_complex ? "Hermitian" : "symmetric") +
                       ", with max|A - A^" + (is_complex ? "H" : "T") + "| at most " +
                       validate::short_text(std::ldexp(allowed, exponent)) + ", got " +
                       validate::short_text(std::ldexp(asymmetry, exponent)) +
                       (name.empty() ? "" : " for " + name));
    }
  }
  return exponent;
}

// Both functions: `joint` says of what shape the values are.
template <class T, bool joint, class V>
std::vector<FoundRotations<real_t<T>>> diagonalise(const ArrayView<const T>& A,
                                                   const ArrayView<V>& values,
                                                   const JacobiOptions& options) {
  using R = real_t<T>;
  using F = InDouble<T>;
  const int ndim = A.ndim();
  check_shape(ndim, A.shape(), joint);
  const int batch_ndim = ndim - (joint ? 3 : 2);
  const std::int64_t n = A.shape(ndim - 1);
  const std::int64_t count = joint ? A.shape(batch_ndim) : 1;
  check_options(options, n);
  validate::Arrays arrays;
  arrays.reads(&A, "A");
  arrays.writes(&values, "values",
                validate::Extents(A.shape(), A.shape() + (joint ? ndim : ndim - 1)));

  const bool is_limited = options.rotations || options.max_rounds;
  few_rotations::Limits limits{
      std::min(options.rotations.value_or(kMost), kMost),
      few_rotations::bounded(options.max_rounds),
      options.tol.value_or(
          is_limited ? 0 : 32 * static_cast<double>(std::numeric_limits<R>::epsilon()))};
  if (!is_limited) {
    const std::int64_t K = options.pairs ? options.pairs->num_rotations() : n * (n - 1) / 2;
    limits.rotations = std::min(kSweeps * K, kMost);
  }

  StridedLoop<2> batch;
  for (int d = 0; d < batch_ndim; ++d) batch.add(A.shape(d), {A.stride(d), values.stride(d)});

  struct Result {
    Rounds rounds;
    Diagonalisation<F> matrices;
    int exponent;
  };
  std::vector<Result> results;
  batch.for_each([&](const auto& at) {
    Result result{{}, Diagonalisation<F>(n, count), 0};
    const auto index = static_cast<std::int64_t>(results.size());
    const auto where = [&](std::int64_t m, std::vector<std::int64_t> rest) {
      if (joint) rest.insert(rest.begin(), m);
      if (batch_ndim == 0 && rest.empty()) return std::string();
      return validate::place("A", A.shape(), batch_ndim, index, rest);
    };
    result.exponent = load<T>(A, at[0], result.matrices, where);
    results.push_back(std::move(result));
  });
  for (Result& result : results) {
    bool converged = false;
    result.rounds = options.pairs ? by_schedule(result.matrices, *options.pairs, limits, converged)
                                  : largest_first(result.matrices, limits, converged);
    if (!converged && !is_limited) {
      throw std::runtime_error("A was not made diagonal to tol by " +
                               validate::text(limits.rotations) +
                               " rotations; rotations or max_rounds end them without an error");
    }
    std::reverse(result.rounds.begin(), result.rounds.end());
    if (!options.pairs && !options.max_rounds) {
      result.rounds = few_rotations::in_earliest_rounds(n, result.rounds);
    }
  }

  std::size_t next = 0;
  batch.for_each([&](const auto& at) {
    const Result& result = results[next++];
    const auto narrowed = [&](const F& x) -> V {
      if constexpr (is_complex_v<V>) {
        return {static_cast<R>(std::ldexp(x.real(), result.exponent)),
                static_cast<R>(std::ldexp(x.imag(), result.exponent))};
      } else {
        return static_cast<R>(std::ldexp(std::real(x), result.exponent));
      }
    };
    for (std::int64_t m = 0; m < count; ++m) {
      const auto& matrix = result.matrices.matrices()[static_cast<std::size_t>(m)];
      const std::int64_t first = at[1] + (joint ? m * values.stride(batch_ndim) : 0);
      for (std::int64_t i = 0; i < n; ++i) {
        if constexpr (joint) {
          const std::int64_t row = values.stride(batch_ndim + 1);
          const std::int64_t column = values.stride(batch_ndim + 2);
          for (std::int64_t j = i; j < n; ++j) {
            values.data()[first + j * row + i * column] =
                narrowed(few_rotations::conjugate(matrix(i, j)));
            values.data()[first + i * row + j * column] = narrowed(matrix(i, j));
          }
        } else {
          values.data()[first + i * values.stride(batch_ndim)] = narrowed(matrix(i, i));
        }
      }
    }
  });

  std::vector<FoundRotations<R>> found;
  if (!options.pairs) {
    for (const Result& result : results) {
      found.push_back({few_rotations::schedule_of(n, result.rounds), {}, {}});
      append<T>(result.rounds, found.back());
    }
    return found;
  }
  // The rounds of the matrix with the most of them: the rounds of another are the last of these.
  Rounds longest;
  for (const Result& result : results) {
    if (longest.size() < result.rounds.size()) longest = result.rounds;
  }
  found.push_back({few_rotations::schedule_of(n, longest), {}, {}});
  for (const Result& result : results) {
    const std::size_t missing = longest.size() - result.rounds.size();
    const std::int64_t absent = found[0].schedule.round_offsets()[missing];
    append<T>(std::vector<Rotation>(static_cast<std::size_t>(absent)), found[0]);
    append<T>(result.rounds, found[0]);
  }
  return found;
}

}  // namespace

template <class T>
std::vector<FoundRotations<real_t<T>>> jacobi(const not_deduced_t<ArrayView<const T>>& A,
                                              const not_deduced_t<ArrayView<real_t<T>>>& values,
                                              const JacobiOptions& options) {
  return diagonalise<T, false>(A, values, options);
}

template <class T>
std::vector<FoundRotations<real_t<T>>> joint_jacobi(const not_deduced_t<ArrayView<const T>>& A,
                                                    const not_deduced_t<ArrayView<T>>& values,
                                                    const JacobiOptions& options) {
  return diagonalise<T, true>(A, values, options);
}

#define GIVENS_INSTANTIATE_TYPE(T)  \
  GIVENS_INSTANTIATE_API(jacobi, T) \
  GIVENS_INSTANTIATE_API(joint_jacobi, T)
GIVENS_FOR_WIDE_TYPES(GIVENS_INSTANTIATE_TYPE)

}  // namespace givens
