// Batches of small matrices on every engine that this machine can run, against the reference
// engine.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "array.hpp"
#include "cpu/engine.hpp"
#include "dense.hpp"
#include "givens/givens.hpp"
#include "problems.hpp"
#include "random.hpp"
#include "reference/reference.hpp"
#include "validate.hpp"

namespace {

using givens::ArrayView;
using givens::real_t;
using givens::Schedule;
using test::Random;
using test::Shape;

// How an array lies in memory. Its first axis is that of the matrices.
enum class Arrangement {
  contiguous,
  swapped,        // the last two axes exchanged
  matrices_last,  // neighbours are of different matrices
  padded,         // gaps after every element and every row
  reversed,       // all strides negative
};
constexpr Arrangement kArrangements[] = {Arrangement::contiguous, Arrangement::swapped,
                                         Arrangement::matrices_last, Arrangement::padded,
                                         Arrangement::reversed};

// An array with memory around it and between its elements, which must stay as it is.
template <class T>
class Placed {
 public:
  Placed(const Shape& shape, Arrangement arrangement) {
    const std::size_t axes = shape.size();
    std::vector<std::size_t> order(axes);  // from the fastest axis on
    for (std::size_t d = 0; d < axes; ++d) order[d] = axes - 1 - d;
    if (arrangement == Arrangement::swapped && axes > 2) std::swap(order[0], order[1]);
    if (arrangement == Arrangement::matrices_last) {
      std::rotate(order.begin(), order.end() - 1, order.end());
    }
    const std::int64_t gap = arrangement == Arrangement::padded ? 1 : 0;
    std::vector<std::int64_t> strides(axes);
    std::int64_t size = 1;
    for (const std::size_t d : order) {
      size += gap;
      strides[d] = size;
      size *= shape[d];
    }
    storage_.assign(static_cast<std::size_t>(size + 2 * kMargin), T(kUntouched));
    T* data = storage_.data() + kMargin;
    if (arrangement == Arrangement::reversed) {
      data += size - 1;
      for (std::int64_t& stride : strides) stride = -stride;
    }
    view_ = ArrayView<T>(data, static_cast<int>(axes), shape.data(), strides.data());
  }
  Placed(const Placed&) = delete;
  Placed& operator=(const Placed&) = delete;

  ArrayView<T> view() { return view_; }
  ArrayView<const T> view() const { return view_; }

  void set(const std::vector<T>& values) {
    std::size_t k = 0;
    test::for_each_element(view_, [&](T& element) { element = values[k++]; });
  }
  std::vector<T> values() const { return test::elements(ArrayView<const T>(view_)); }

  // Whether nothing but the elements has been written. Overwrites them.
  bool only_elements_written() {
    test::for_each_element(view_, [](T& element) { element = T(kUntouched); });
    return std::all_of(storage_.begin(), storage_.end(),
                       [](const T& value) { return value == T(kUntouched); });
  }

 private:
  static constexpr std::int64_t kMargin = 40;
  static constexpr int kUntouched = 77;
  std::vector<T> storage_;
  ArrayView<T> view_;
};

// The arrays of one batch of matrices, of vectors to rotate and of gradients.
template <class T>
struct Batch {
  using R = real_t<T>;

  Batch(const Schedule& schedule_, std::int64_t matrices, const Shape& vectors, bool signs_,
        Arrangement arrangement)
      : schedule(schedule_),
        with_signs(signs_),
        angles({matrices, schedule.num_rotations()}, arrangement),
        signs({matrices, schedule.n()}, arrangement),
        x(test::joined(vectors_of(matrices, vectors), schedule.n()), arrangement),
        g(test::joined(vectors_of(matrices, vectors), schedule.n()), arrangement),
        u({matrices, schedule.n(), schedule.columns()}, arrangement),
        gu({matrices, schedule.n(), schedule.columns()}, arrangement) {}

  void fill(Random& random) {
    angles.set(random.array<R>(test::shape_of(angles.view()), 3.14).values);
    std::vector<R> s = random.array<R>(test::shape_of(signs.view())).values;
    for (R& sign : s) sign = sign < 0 ? R(-1) : R(1);
    signs.set(s);
    x.set(random.array<T>(test::shape_of(x.view())).values);
    g.set(random.array<T>(test::shape_of(g.view())).values);
    gu.set(random.array<R>(test::shape_of(gu.view())).values);
    if (!givens::is_complex_v<T>) {
      givens::reference::matrix(givens::validate::matrix<R>(parameters(), schedule, u.view()));
    }
  }

  givens::Parameters<R> parameters() const {
    givens::Parameters<R> out{angles.view(), {}, {}, {}};
    if (with_signs) out.signs = signs.view();
    return out;
  }

  const Schedule schedule;
  const bool with_signs;
  Placed<R> angles;
  Placed<R> signs;
  Placed<T> x;
  Placed<T> g;
  Placed<R> u;
  Placed<R> gu;

 private:
  static Shape vectors_of(std::int64_t matrices, const Shape& vectors) {
    Shape shape = vectors;
    shape.insert(shape.begin(), matrices);
    return shape;
  }
};

template <class T>
struct Results {
  using R = real_t<T>;
  std::vector<T> y;
  std::vector<T> gx;
  std::vector<R> gangles;
  std::vector<R> u;  // real T only, like the next
  std::vector<R> gangles_of_u;
};

// Everything that an engine, or the reference engine for null, computes of a batch.
template <class T>
Results<T> compute(const givens::cpu::Engine* engine, const Batch<T>& batch, bool inverse,
                   Arrangement arrangement) {
  using R = real_t<T>;
  const Schedule& schedule = batch.schedule;
  const auto parameters = batch.parameters();
  const givens::cpu::Plan& plan = givens::cpu::plan_of(schedule);
  const givens::RotateOptions options{-1, inverse};
  Results<T> out;

  Placed<T> y(test::shape_of(batch.x.view()), arrangement);
  const auto rotation =
      givens::validate::rotate<T>(batch.x.view(), parameters, schedule, y.view(), options);
  if (engine) {
    engine->functions<T>().rotate(rotation, plan);
  } else {
    givens::reference::rotate(rotation);
  }
  out.y = y.values();
  CHECK(y.only_elements_written());

  Placed<T> gx(test::shape_of(batch.x.view()), arrangement);
  Placed<R> gangles(test::shape_of(batch.angles.view()), arrangement);
  gangles.set(std::vector<R>(gangles.values().size(), R(0)));
  const auto vjp =
      givens::validate::rotate_vjp<T>(batch.x.view(), batch.g.view(), parameters, schedule,
                                      gx.view(), {gangles.view(), {}, {}}, options);
  if (engine) {
    engine->functions<T>().vjp(vjp, plan);
  } else {
    givens::reference::vjp(vjp);
  }
  out.gx = gx.values();
  out.gangles = gangles.values();
  CHECK(gx.only_elements_written());
  CHECK(gangles.only_elements_written());

  if constexpr (!givens::is_complex_v<T>) {
    Placed<R> u(test::shape_of(batch.u.view()), arrangement);
    const auto matrix = givens::validate::matrix<R>(parameters, schedule, u.view());
    if (engine) {
      engine->functions<T>().matrix(matrix, plan);
    } else {
      givens::reference::matrix(matrix);
    }
    out.u = u.values();
    CHECK(u.only_elements_written());

    gangles.set(std::vector<R>(gangles.values().size(), R(0)));
    const auto matrix_vjp = givens::validate::matrix_vjp<R>(
        batch.u.view(), batch.gu.view(), parameters, schedule, {gangles.view(), {}, {}});
    if (engine) {
      engine->functions<T>().matrix_vjp(matrix_vjp, plan);
    } else {
      givens::reference::vjp(matrix_vjp);
    }
    out.gangles_of_u = gangles.values();
    CHECK(gangles.only_elements_written());
  }
  return out;
}

// Both engines are off by the rounding of a rotated vector, a gradient by that of two of them, as
// in the test of the reference engine's two gradients. Entries are at most 1, the parts of complex
// ones too.
template <class T>
void check_close(const Results<T>& a, const Results<T>& b, const Schedule& schedule,
                 std::int64_t vectors) {
  const double rounding = test::rounding<real_t<T>>(schedule);
  const auto n = static_cast<double>(schedule.n());
  const double norm2 = 2 * n;
  CHECK(test::largest_difference(a.y, b.y) <= 2 * rounding * std::sqrt(norm2));
  CHECK(test::largest_difference(a.gx, b.gx) <= 2 * rounding * std::sqrt(norm2));
  CHECK(test::largest_difference(a.gangles, b.gangles) <=
        8 * rounding * norm2 * static_cast<double>(vectors));
  CHECK(test::largest_difference(a.u, b.u) <= 2 * rounding);
  CHECK(test::largest_difference(a.gangles_of_u, b.gangles_of_u) <= 8 * rounding * n * n);
}

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

// The part of a result that belongs to matrices first .. first + count - 1 of `matrices`.
template <class T>
std::vector<T> part_of(const std::vector<T>& values, std::int64_t matrices, std::int64_t first,
                       std::int64_t count) {
  const std::int64_t each = static_cast<std::int64_t>(values.size()) / matrices;
  return {values.begin() + first * each, values.begin() + (first + count) * each};
}

template <class T>
Results<T> part_of(const Results<T>& r, std::int64_t matrices, std::int64_t first,
                   std::int64_t count) {
  return {part_of(r.y, matrices, first, count), part_of(r.gx, matrices, first, count),
          part_of(r.gangles, matrices, first, count), part_of(r.u, matrices, first, count),
          part_of(r.gangles_of_u, matrices, first, count)};
}

template <class T>
void check_same_bits(const Results<T>& a, const Results<T>& b) {
  CHECK(same_bits(a.y, b.y));
  CHECK(same_bits(a.gx, b.gx));
  CHECK(same_bits(a.gangles, b.gangles));
  CHECK(same_bits(a.u, b.u));
  CHECK(same_bits(a.gangles_of_u, b.gangles_of_u));
}

// A batch of `count` of another's matrices, `first` and those after it, with its data.
template <class T>
void copy_part(const Batch<T>& from, std::int64_t matrices, std::int64_t first, std::int64_t count,
               Batch<T>& to) {
  to.angles.set(part_of(from.angles.values(), matrices, first, count));
  to.signs.set(part_of(from.signs.values(), matrices, first, count));
  to.x.set(part_of(from.x.values(), matrices, first, count));
  to.g.set(part_of(from.g.values(), matrices, first, count));
  to.u.set(part_of(from.u.values(), matrices, first, count));
  to.gu.set(part_of(from.gu.values(), matrices, first, count));
}

// As many matrices as any engine has lanes at most.
constexpr std::int64_t kMostLanes = 16;

}  // namespace

TEST_CASE_TEMPLATE("batch: every schedule, all sizes", T, GIVENS_TEST_TYPES) {
  Random random(61);
  for (const std::int64_t n : {1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 16, 17, 31, 32, 33}) {
    for (const Schedule& schedule : test::schedules(n, random)) {
      CAPTURE(schedule.repr());
      const bool inverse = random.below(2) == 1;
      const bool signs = random.below(2) == 1;
      CAPTURE(inverse);
      CAPTURE(signs);
      const std::int64_t vectors = 1 + random.below(4);
      Batch<T> batch(schedule, kMostLanes + 3, {vectors}, signs, Arrangement::contiguous);
      batch.fill(random);
      const auto expected = compute<T>(nullptr, batch, inverse, Arrangement::contiguous);
      for (const givens::cpu::Engine* engine : givens::cpu::engines()) {
        CAPTURE(std::string(engine->name));
        check_close(compute<T>(engine, batch, inverse, Arrangement::contiguous), expected, schedule,
                    vectors);
      }
    }
  }
}

TEST_CASE_TEMPLATE("batch: all numbers of matrices and all arrangements", T, GIVENS_TEST_TYPES) {
  Random random(62);
  for (const std::int64_t n : {2, 4, 6, 8, 11, 32}) {
    for (const std::int64_t matrices : {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33, 1000}) {
      if (n * matrices > 6000) continue;
      for (const Arrangement in : kArrangements) {
        const Schedule schedule = n % 3 == 0 ? Schedule::xor_(n, n - 1) : Schedule::xor_(n);
        const Arrangement out = kArrangements[random.below(5)];
        CAPTURE(n);
        CAPTURE(matrices);
        CAPTURE(static_cast<int>(in));
        CAPTURE(static_cast<int>(out));
        const bool inverse = random.below(2) == 1;
        const Shape vectors = random.below(2) == 1 ? Shape{} : Shape{2, 3};
        Batch<T> batch(schedule, matrices, vectors, random.below(2) == 1, in);
        batch.fill(random);
        const auto expected = compute<T>(nullptr, batch, inverse, out);
        for (const givens::cpu::Engine* engine : givens::cpu::engines()) {
          CAPTURE(std::string(engine->name));
          check_close(compute<T>(engine, batch, inverse, out), expected, schedule,
                      test::size_of(vectors));
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("batch: a result depends on no other matrix and on no place", T,
                   GIVENS_TEST_TYPES) {
  Random random(63);
  constexpr std::int64_t matrices = 4 * kMostLanes + 5;
  for (const std::int64_t n : {2, 5, 8, 20}) {
    for (const bool inverse : {false, true}) {
      const Schedule schedule = Schedule::circle(n);
      const Shape vectors{3};
      Batch<T> batch(schedule, matrices, vectors, true, Arrangement::contiguous);
      batch.fill(random);
      for (const givens::cpu::Engine* engine : givens::cpu::engines()) {
        CAPTURE(n);
        CAPTURE(inverse);
        CAPTURE(std::string(engine->name));
        const auto whole = compute<T>(engine, batch, inverse, Arrangement::contiguous);

        // In parts, which puts matrices in other lanes and ends in other remainders.
        for (const std::int64_t size : {kMostLanes, kMostLanes + 1, 2 * kMostLanes - 1}) {
          for (std::int64_t first = 0; first + size <= matrices; first += size - 3) {
            Batch<T> part(schedule, size, vectors, true, Arrangement::contiguous);
            copy_part(batch, matrices, first, size, part);
            check_same_bits(compute<T>(engine, part, inverse, Arrangement::contiguous),
                            part_of(whole, matrices, first, size));
          }
        }

        // With numbers that are not finite, or large, in one matrix.
        const std::int64_t bad = random.below(matrices);
        for (const double value : {std::numeric_limits<double>::quiet_NaN(),
                                   std::numeric_limits<double>::infinity(), 1e30, 1e-40}) {
          for (const bool in_angles : {false, true}) {
            Batch<T> changed(schedule, matrices, vectors, true, Arrangement::contiguous);
            copy_part(batch, matrices, 0, matrices, changed);
            const auto number = static_cast<real_t<T>>(value);
            if (in_angles) {
              test::at(changed.angles.view(), {bad, 0}) = number;
            } else {
              test::at(changed.x.view(), {bad, 1, 0}) = number;
              test::at(changed.g.view(), {bad, 2, 1}) = number;
              test::at(changed.gu.view(), {bad, 1, 0}) = number;
            }
            const auto result = compute<T>(engine, changed, inverse, Arrangement::contiguous);
            check_same_bits(part_of(result, matrices, 0, bad), part_of(whole, matrices, 0, bad));
            check_same_bits(part_of(result, matrices, bad + 1, matrices - bad - 1),
                            part_of(whole, matrices, bad + 1, matrices - bad - 1));
            if (!std::isfinite(value)) {
              const auto own = part_of(result, matrices, bad, 1);
              const auto finite = [](const auto& values) {
                return std::all_of(values.begin(), values.end(), [](const auto& v) {
                  return std::isfinite(std::abs(test::wide(v)));
                });
              };
              CHECK_FALSE(finite(own.y));
              // The gradient of the first angle is read before the angle is used.
              if (!in_angles) CHECK_FALSE(finite(own.gangles));
            }
          }
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("batch: parameters and vectors that matrices share", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(64);
  const Schedule schedule = Schedule::xor_(6);
  const std::int64_t K = schedule.num_rotations();
  const auto signs = test::random_parameters<R>(schedule, {false, false, true}, random, {3, 20});
  for (const Shape& shape :
       {Shape{K}, Shape{1, K}, Shape{3, 1, K}, Shape{1, 20, K}, Shape{20, K}, Shape{3, 20, K}}) {
    CAPTURE(shape.size());
    test::OwnedParameters<R> parameters = signs;
    parameters.angles = random.array<R>(shape, 3.14);
    const auto x = random.array<T>({3, 1, 2, 6});
    const auto y = random.array<T>({3, 20, 2, 6});
    const auto gy = random.array<T>({3, 20, 2, 6});
    const auto views = parameters.views();
    const auto run = [&](const givens::cpu::Engine* engine) {
      test::Array<T> rotated({3, 20, 2, 6});
      test::Array<T> gx({3, 20, 2, 6});
      test::OwnedGradients<R> gradients(parameters);
      const auto rotation =
          givens::validate::rotate<T>(x.view(), views, schedule, rotated.view(), {});
      const auto vjp = givens::validate::rotate_vjp<T>(y.view(), gy.view(), views, schedule,
                                                       gx.view(), gradients.views(), {});
      if (engine) {
        engine->functions<T>().rotate(rotation, givens::cpu::plan_of(schedule));
        engine->functions<T>().vjp(vjp, givens::cpu::plan_of(schedule));
      } else {
        givens::reference::rotate(rotation);
        givens::reference::vjp(vjp);
      }
      return Results<T>{rotated.values, gx.values, gradients.angles.values, {}, {}};
    };
    const auto expected = run(nullptr);
    for (const givens::cpu::Engine* engine : givens::cpu::engines()) {
      CAPTURE(std::string(engine->name));
      check_close(run(engine), expected, schedule, 60 * 2);
    }
  }
}

TEST_CASE_TEMPLATE("batch: in place", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(65);
  for (const std::int64_t n : {2, 7, 16}) {
    const Schedule schedule = Schedule::circle(n);
    const auto parameters = test::random_parameters<R>(schedule, {}, random, {37});
    const auto x = random.array<T>({37, n});
    for (const givens::cpu::Engine* engine : givens::cpu::engines()) {
      CAPTURE(n);
      CAPTURE(std::string(engine->name));
      const auto& rotate = engine->functions<T>().rotate;
      test::Array<T> apart({37, n});
      test::Array<T> in_place = x;
      rotate(givens::validate::rotate<T>(x.view(), parameters.views(), schedule, apart.view(), {}),
             givens::cpu::plan_of(schedule));
      rotate(givens::validate::rotate<T>(in_place.view(), parameters.views(), schedule,
                                         in_place.view(), {}),
             givens::cpu::plan_of(schedule));
      CHECK(same_bits(apart.values, in_place.values));
    }
  }
}

TEST_CASE_TEMPLATE("batch: sine and cosine are within 2 units in the last place", R, float,
                   double) {
  Random random(66);
  constexpr std::int64_t matrices = 8000;
  const Schedule schedule = Schedule::xor_(2);
  for (const double scale : {1e-3, 1.0, 10.0, 1e3, 6e3, 1e4, 1e6, 1e9, 1e30}) {
    CAPTURE(scale);
    auto angles = random.array<R>({matrices, 1}, scale);
    angles.values[0] = R(0);
    // Close to multiples of pi / 2, where a reduction that loses digits shows.
    for (std::size_t k = 1; k < 4000; ++k) {
      const double multiple = std::round(angles.values[k] / std::acos(0.0)) * std::acos(0.0);
      angles.values[k] = static_cast<R>(multiple);
    }
    const givens::Parameters<R> parameters{angles.view(), {}, {}, {}};
    for (const givens::cpu::Engine* engine : givens::cpu::engines()) {
      CAPTURE(std::string(engine->name));
      test::Array<R> U({matrices, 2, 2});
      engine->functions<R>().matrix(givens::validate::matrix<R>(parameters, schedule, U.view()),
                                    givens::cpu::plan_of(schedule));
      long double worst = 0;
      bool rotations = true;
      for (std::size_t k = 0; k < matrices; ++k) {
        const auto t = static_cast<long double>(angles.values[k]);
        const auto units = [](R value, long double exact) {
          const R near = std::abs(static_cast<R>(exact));
          const R unit = std::nextafter(near, std::numeric_limits<R>::infinity()) - near;
          return std::abs(static_cast<long double>(value) - exact) / static_cast<long double>(unit);
        };
        worst = std::max(worst, units(U.values[4 * k], std::cos(t)));
        worst = std::max(worst, units(U.values[4 * k + 2], std::sin(t)));
        rotations = rotations && U.values[4 * k + 3] == U.values[4 * k] &&
                    U.values[4 * k + 1] == -U.values[4 * k + 2];
      }
      CHECK(worst <= 2);
      CHECK(rotations);
    }
  }
}
