// Schedules, parameters and their gradients to test with, and the results to expect.
#pragma once

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdint>
#include <limits>
#include <optional>
#include <ostream>
#include <type_traits>
#include <utility>
#include <vector>

#include "array.hpp"
#include "dense.hpp"
#include "givens/givens.hpp"
#include "random.hpp"

#define GIVENS_TEST_TYPES float, double, std::complex<float>, std::complex<double>

namespace test {

// Sizes around the powers of two, odd, even and prime.
inline constexpr std::int64_t kSizes[] = {1, 2, 3, 5, 8, 13, 16, 17};

// Rounds of random disjoint pairs, given in either order; pairs recur and one round is empty.
inline std::vector<std::vector<givens::Schedule::RequestedPair>> random_rounds(std::int64_t n,
                                                                               Random& random) {
  std::vector<std::vector<givens::Schedule::RequestedPair>> rounds(5);
  for (std::size_t r = 0; r < rounds.size(); ++r) {
    if (r == 2) continue;
    std::vector<std::int64_t> order(static_cast<std::size_t>(n));
    for (std::size_t k = 0; k < order.size(); ++k) {
      order[k] = static_cast<std::int64_t>(k);
      std::swap(order[k],
                order[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(k) + 1))]);
    }
    for (std::size_t k = 0; k + 1 < order.size(); k += 2) {
      rounds[r].push_back({order[k], order[k + 1]});
    }
  }
  return rounds;
}

// A schedule of every kind, with all columns and with fewer.
inline std::vector<givens::Schedule> schedules(std::int64_t n, Random& random) {
  using givens::Schedule;
  return {Schedule::circle(n),
          Schedule::xor_(n),
          Schedule::team(n, 3),
          Schedule::team(n, 4),
          Schedule::brickwall(n),
          Schedule::butterfly(n),
          Schedule::butterfly(n, 3),
          Schedule::wavefront(n),
          Schedule::from_rounds(n, random_rounds(n, random)),
          Schedule::circle(n, n / 2),
          Schedule::xor_(n, n / 3),
          Schedule::wavefront(n, n / 3),
          Schedule::team(n, 3, std::max<std::int64_t>(n - 1, 0)),
          Schedule::from_rounds(n, random_rounds(n, random), n / 2)};
}

struct Choice {
  bool phases = false;
  bool diagonal = false;
  bool signs = false;
};

inline std::ostream& operator<<(std::ostream& out, const Choice& choice) {
  return out << "angles" << (choice.phases ? ", phases" : "")
             << (choice.diagonal ? ", diagonal" : "") << (choice.signs ? ", signs" : "");
}

// The choices of parameters that exist for T.
template <class T>
std::vector<Choice> choices() {
  if constexpr (givens::is_complex_v<T>) {
    return {{false, false, false}, {true, false, false}, {false, true, false},
            {true, true, false},   {false, false, true}, {true, false, true}};
  } else {
    return {{false, false, false}, {false, false, true}};
  }
}

// Everything that T allows.
template <class T>
Choice full_choice() {
  return {givens::is_complex_v<T>, givens::is_complex_v<T>, !givens::is_complex_v<T>};
}

// What make(stored) makes of a parameter, if there is one.
template <class Stored, class Make>
auto made_of(const std::optional<Stored>& stored, Make&& make) {
  using Made = std::decay_t<decltype(make(*stored))>;
  return stored ? std::optional<Made>(make(*stored)) : std::nullopt;
}

// Parameters, each in memory of its own: an Array, or an array elsewhere or of another layout.
template <class Stored>
struct StoredParameters {
  Stored angles;
  std::optional<Stored> phases;
  std::optional<Stored> diagonal;
  std::optional<Stored> signs;

  givens::Parameters<typename Stored::Element> views() const {
    using View = givens::ArrayView<const typename Stored::Element>;
    const auto view = [](const Stored& stored) { return View(stored.view()); };
    return {view(angles), made_of(phases, view), made_of(diagonal, view), made_of(signs, view)};
  }

  // What make(...) makes of each.
  template <class Make>
  auto each(Make&& make) const {
    return StoredParameters<std::decay_t<decltype(make(angles))>>{
        make(angles), made_of(phases, make), made_of(diagonal, make), made_of(signs, make)};
  }
};

template <class R>
using OwnedParameters = StoredParameters<Array<R>>;

// The gradients of all parameters that have one.
template <class Stored>
struct StoredGradients {
  Stored angles;
  std::optional<Stored> phases;
  std::optional<Stored> diagonal;

  givens::ParameterGradients<typename Stored::Element> views() {
    givens::ParameterGradients<typename Stored::Element> out{angles.view(), {}, {}};
    if (phases) out.phases = phases->view();
    if (diagonal) out.diagonal = diagonal->view();
    return out;
  }

  template <class Make>
  auto each(Make&& make) const {
    return StoredGradients<std::decay_t<decltype(make(angles))>>{
        make(angles), made_of(phases, make), made_of(diagonal, make)};
  }
};

inline Shape joined(Shape shape, std::int64_t extent) {
  shape.push_back(extent);
  return shape;
}

// Angles and phases in all four quadrants.
template <class R>
OwnedParameters<R> random_parameters(const givens::Schedule& schedule, const Choice& choice,
                                     Random& random, const Shape& batch = {}) {
  const double scale = 3.14;
  const Shape of_rotations = joined(batch, schedule.num_rotations());
  const Shape of_rows = joined(batch, schedule.n());
  OwnedParameters<R> out{random.array<R>(of_rotations, scale), {}, {}, {}};
  if (choice.phases) out.phases = random.array<R>(of_rotations, scale);
  if (choice.diagonal) out.diagonal = random.array<R>(of_rows, scale);
  if (choice.signs) {
    out.signs = random.array<R>(of_rows);
    for (R& sign : out.signs->values) sign = sign < 0 ? R(-1) : R(1);
  }
  return out;
}

// Gradients in arrays that have the shapes of their parameters.
template <class R>
struct OwnedGradients : StoredGradients<Array<R>> {
  explicit OwnedGradients(const OwnedParameters<R>& parameters, R fill = R(0))
      : StoredGradients<Array<R>>(all_of(parameters, fill)) {}
  using StoredGradients<Array<R>>::operator=;

  // All of them, one after the other.
  std::vector<R> all() const {
    std::vector<R> out = this->angles.values;
    for (const auto* part : {&this->phases, &this->diagonal}) {
      if (*part) out.insert(out.end(), (*part)->values.begin(), (*part)->values.end());
    }
    return out;
  }

 private:
  static StoredGradients<Array<R>> all_of(const OwnedParameters<R>& parameters, R fill) {
    const auto filled = [=](const Array<R>& parameter) { return Array<R>(parameter.shape, fill); };
    return {filled(parameters.angles), made_of(parameters.phases, filled),
            made_of(parameters.diagonal, filled)};
  }
};

// What rotate_vjp returns, or matrix_vjp without gx.
template <class T>
struct Gradients {
  Array<T> gx;
  OwnedGradients<givens::real_t<T>> of;
};

// The shape of all matrices: the leading axes of the parameters, broadcast.
template <class R>
Shape batch_shape(const givens::Parameters<R>& parameters) {
  Shape shape;
  const auto widen = [&](const givens::ArrayView<const R>& view) {
    const auto leading = static_cast<std::size_t>(view.ndim() - 1);
    if (shape.size() < leading) shape.insert(shape.begin(), leading - shape.size(), 1);
    for (std::size_t d = 0; d < leading; ++d) {
      std::int64_t& extent = shape[shape.size() - leading + d];
      if (extent == 1) extent = view.shape(static_cast<int>(d));
    }
  };
  widen(parameters.angles);
  if (parameters.phases) widen(*parameters.phases);
  if (parameters.diagonal) widen(*parameters.diagonal);
  if (parameters.signs) widen(*parameters.signs);
  return shape;
}

// The parameters of the matrix at a batch index.
template <class R>
DenseParameters parameters_at(const givens::Parameters<R>& parameters, const Index& batch) {
  const auto row = [&](const std::optional<givens::ArrayView<const R>>& view) {
    std::vector<double> out;
    if (!view) return out;
    const auto leading = static_cast<std::size_t>(view->ndim() - 1);
    Index index(leading + 1);
    for (std::size_t d = 0; d < leading; ++d) {
      const std::int64_t k = batch[batch.size() - leading + d];
      index[d] = view->shape(static_cast<int>(d)) == 1 ? 0 : k;
    }
    for (std::int64_t k = 0; k < view->shape(view->ndim() - 1); ++k) {
      index.back() = k;
      out.push_back(static_cast<double>(at(*view, index)));
    }
    return out;
  };
  return {row(parameters.angles), row(parameters.phases), row(parameters.diagonal),
          row(parameters.signs)};
}

// The largest error of the vectors of y = U x (or U^H x), in units of `rounding` times the norm of
// each: at most 1 if y is right. x may be repeated along batch axes as in `rotate`.
template <class T>
double rotation_error(const givens::ArrayView<const T>& x,
                      const givens::Parameters<givens::real_t<T>>& parameters,
                      const givens::Schedule& schedule, const givens::ArrayView<const T>& y,
                      const givens::RotateOptions& options = {}) {
  const Shape batch = batch_shape(parameters);
  const Shape full(y.shape(), y.shape() + batch.size());  // x may add to the parameters' own
  const auto axis =
      static_cast<std::size_t>(options.axis < 0 ? options.axis + y.ndim() : options.axis);
  const auto n = static_cast<std::size_t>(schedule.n());
  Shape vectors = shape_of(y);
  vectors.erase(vectors.begin(), vectors.begin() + static_cast<std::ptrdiff_t>(batch.size()));
  vectors[axis - batch.size()] = 1;
  double worst = 0;
  for_each_index(full, [&](const Index& full_index) {
    Index b = full_index;
    for (std::size_t d = 0; d < b.size(); ++d) b[d] = batch[d] == 1 ? 0 : b[d];
    const Dense product = explicit_product(schedule, parameters_at(parameters, b));
    const Dense U = options.inverse ? adjoint(product) : product;
    for_each_index(vectors, [&](const Index& vector) {
      Index index = full_index;
      index.insert(index.end(), vector.begin(), vector.end());
      std::vector<Complex> from(n);
      std::vector<Complex> to(n);
      for (std::size_t k = 0; k < n; ++k) {
        index[axis] = static_cast<std::int64_t>(k);
        to[k] = wide(at(y, index));
        Index angle = index;
        for (std::size_t d = 0; d < angle.size(); ++d) {
          if (x.shape(static_cast<int>(d)) == 1) angle[d] = 0;
        }
        from[k] = wide(at(x, angle));
      }
      const double error = largest_difference(to, U * from);
      if (error == 0) return;
      const double ratio = error / (rounding<givens::real_t<T>>(schedule) * norm_of(from));
      worst = std::isnan(ratio) ? std::numeric_limits<double>::infinity() : std::max(worst, ratio);
    });
  });
  return worst;
}

// Re sum conj(gy) y, the loss whose gradient by y is gy.
template <class T>
double loss(const std::vector<T>& gy, const std::vector<T>& y) {
  double sum = 0;
  for (std::size_t k = 0; k < y.size(); ++k) sum += std::real(std::conj(wide(gy[k])) * wide(y[k]));
  return sum;
}

// The gradient of f() by the parameters, in the order of OwnedGradients::all, with differences.
// U, and with it a loss that is linear in U, holds only the sine and the cosine of each parameter
// to the first power. The derivative of such a function is exactly (f(t + pi/2) - f(t - pi/2)) / 2:
// a difference without truncation error.
template <class R, class F>
std::vector<double> gradient_by_differences(OwnedParameters<R>& parameters, F&& f) {
  const R quarter = static_cast<R>(std::acos(0.0));
  std::vector<double> out;
  const auto differentiate = [&](Array<R>& parameter) {
    for (R& t : parameter.values) {
      const R original = t;
      t = original + quarter;
      const double after = f();
      t = original - quarter;
      const double before = f();
      t = original;
      out.push_back((after - before) / 2);
    }
  };
  differentiate(parameters.angles);
  if (parameters.phases) differentiate(*parameters.phases);
  if (parameters.diagonal) differentiate(*parameters.diagonal);
  return out;
}

}  // namespace test
