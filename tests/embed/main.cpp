// An example of use from C++, and a check that the installed library works: it makes an orthogonal
// matrix from angles, rotates vectors with it, and takes the gradient of a loss by the angles.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <givens/givens.hpp>
#include <vector>

namespace {

bool passes(const char* what, double error, double tolerance) {
  std::printf("  %-32s error %.1e\n", what, error);
  return error <= tolerance;
}

}  // namespace

int main() {
  // Which pairs of coordinates are rotated in which order. There is one angle for each rotation.
  constexpr std::size_t n = 6;
  constexpr std::size_t vectors = 3;
  const givens::Schedule schedule = givens::Schedule::xor_(n);
  const std::int64_t k = schedule.num_rotations();

  std::vector<double> angles(static_cast<std::size_t>(k));
  std::vector<double> x(vectors * n);  // three vectors, one a row
  for (std::size_t i = 0; i < angles.size(); ++i)
    angles[i] = std::sin(1.0 + static_cast<double>(i));
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::cos(2.0 + static_cast<double>(i));

  // The library reads and writes the caller's memory through views: a pointer and a shape. Phases,
  // diagonal and signs are absent.
  const givens::Parameters<double> parameters{{angles.data(), {k}}, {}, {}, {}};

  // U itself.
  std::vector<double> U(n * n);
  givens::matrix<double>(parameters, schedule, {U.data(), {n, n}});

  // y = U x for every vector, without U.
  std::vector<double> y(vectors * n);
  givens::rotate<double>({x.data(), {vectors, n}}, parameters, schedule, {y.data(), {vectors, n}});

  // The gradient of L = sum(y^4) / 4 by x and by the angles, from y and dL/dy.
  const auto loss = [](const std::vector<double>& values) {
    double sum = 0;
    for (const double v : values) sum += v * v * v * v / 4;
    return sum;
  };
  std::vector<double> gy(vectors * n);
  std::transform(y.begin(), y.end(), gy.begin(), [](double v) { return v * v * v; });
  std::vector<double> gx(vectors * n);
  std::vector<double> gangles(angles.size());
  givens::rotate_vjp<double>({y.data(), {vectors, n}}, {gy.data(), {vectors, n}}, parameters,
                             schedule, {gx.data(), {vectors, n}}, {{gangles.data(), {k}}, {}, {}});

  // From here on, the checks. U^T U = 1 and y = U x hold up to rounding.
  double orthogonality = 0;
  for (std::size_t a = 0; a < n; ++a) {
    for (std::size_t b = 0; b < n; ++b) {
      double dot = 0;
      for (std::size_t r = 0; r < n; ++r) dot += U[r * n + a] * U[r * n + b];
      orthogonality = std::max(orthogonality, std::abs(dot - (a == b ? 1.0 : 0.0)));
    }
  }
  double product = 0;
  for (std::size_t v = 0; v < vectors; ++v) {
    for (std::size_t r = 0; r < n; ++r) {
      double dot = 0;
      for (std::size_t c = 0; c < n; ++c) dot += U[r * n + c] * x[v * n + c];
      product = std::max(product, std::abs(dot - y[v * n + r]));
    }
  }
  // Central differences with step h err by h^2 L'''/6 and eps L/h, less than 1e-8 here.
  const double h = 1e-5;
  double gradient = 0;
  for (std::size_t i = 0; i < angles.size(); ++i) {
    const double angle = angles[i];
    const auto loss_at = [&](double t) {
      std::vector<double> moved(vectors * n);
      angles[i] = t;
      givens::rotate<double>({x.data(), {vectors, n}}, parameters, schedule,
                             {moved.data(), {vectors, n}});
      angles[i] = angle;
      return loss(moved);
    };
    const double difference = (loss_at(angle + h) - loss_at(angle - h)) / (2 * h);
    gradient = std::max(gradient, std::abs(difference - gangles[i]));
  }

  std::printf("givens %s\n", GIVENS_VERSION);
  bool passed = passes("U^T U = 1", orthogonality, 1e-13);
  passed &= passes("rotate is U x", product, 1e-13);
  passed &= passes("gradient against differences", gradient, 1e-8);
  return passed ? 0 : 1;
}
