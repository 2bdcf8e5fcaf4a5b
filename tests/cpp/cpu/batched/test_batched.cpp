// Batches of small matrices on every engine that this machine can run, against the reference
// engine.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "arguments/validate.hpp"
#include "array.hpp"
#include "cpu/engine.hpp"
#include "dense.hpp"
#include "exact_sincos.hpp"
#include "givens/givens.hpp"
#include "problems.hpp"
#include "random.hpp"
#include "reference/reference.hpp"

namespace {

using givens::ArrayView;
using givens::real_t;
using givens::Schedule;
using test::Choice;
using test::Random;
using test::Shape;

// How an array lies in memory. Its first axis counts the matrices.
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

template <class T>
using Wide = std::conditional_t<givens::is_complex_v<T>, std::complex<double>, double>;

template <class T>
test::Array<Wide<T>> widened(const test::Array<T>& narrow) {
  test::Array<Wide<T>> out(narrow.shape);
  std::copy(narrow.values.begin(), narrow.values.end(), out.values.begin());
  return out;
}

template <class R>
test::OwnedParameters<double> widened(const test::OwnedParameters<R>& narrow) {
  test::OwnedParameters<double> out{widened(narrow.angles), {}, {}, {}};
  if (narrow.phases) out.phases = widened(*narrow.phases);
  if (narrow.diagonal) out.diagonal = widened(*narrow.diagonal);
  if (narrow.signs) out.signs = widened(*narrow.signs);
  return out;
}

// The arrays of one batch: matrices, vectors to rotate and gradients. `axis` is -1 or, for
// vectors that have an axis of their own, -2.
template <class T>
struct Batch {
  using R = real_t<T>;

  Batch(const Schedule& schedule_, std::int64_t matrices_, const Shape& vectors_,
        const Choice& choice_, Arrangement arrangement, int axis_ = -1)
      : schedule(schedule_),
        matrices(matrices_),
        vectors(vectors_),
        choice(choice_),
        axis(vectors.empty() ? -1 : axis_),
        angles({matrices, schedule.num_rotations()}, arrangement),
        phases({matrices, schedule.num_rotations()}, arrangement),
        diagonal({matrices, schedule.n()}, arrangement),
        signs({matrices, schedule.n()}, arrangement),
        x(shape_of_vectors(), arrangement),
        g(shape_of_vectors(), arrangement),
        u({matrices, schedule.n(), schedule.columns()}, arrangement),
        gu({matrices, schedule.n(), schedule.columns()}, arrangement) {}

  void fill(Random& random) {
    for (Placed<R>* array : {&angles, &phases, &diagonal}) {
      array->set(random.array<R>(test::shape_of(array->view()), 3.14).values);
    }
    std::vector<R> s = random.array<R>(test::shape_of(signs.view())).values;
    for (R& sign : s) sign = sign < 0 ? R(-1) : R(1);
    signs.set(s);
    for (Placed<T>* array : {&x, &g, &gu}) {
      array->set(random.array<T>(test::shape_of(array->view())).values);
    }
    givens::reference::matrix(givens::validate::matrix<T>(parameters(), schedule, u.view()));
  }

  givens::Parameters<R> parameters() const {
    givens::Parameters<R> out{angles.view(), {}, {}, {}};
    if (choice.phases) out.phases = phases.view();
    if (choice.diagonal) out.diagonal = diagonal.view();
    if (choice.signs) out.signs = signs.view();
    return out;
  }

  const Schedule schedule;
  const std::int64_t matrices;
  const Shape vectors;
  const Choice choice;
  const int axis;
  Placed<R> angles;
  Placed<R> phases;
  Placed<R> diagonal;
  Placed<R> signs;
  Placed<T> x;
  Placed<T> g;
  Placed<T> u;
  Placed<T> gu;

 private:
  Shape shape_of_vectors() const {
    Shape shape = vectors;
    shape.insert(shape.begin(), matrices);
    shape.insert(shape.end() + axis + 1, schedule.n());
    return shape;
  }
};

// A batch of the matrices first .. first + count - 1 of another.
template <class To, class T>
void copy_part(const Batch<T>& from, std::int64_t first, Batch<To>& to) {
  const auto copy = [&](const auto& angle, auto& target) {
    const auto values = angle.values();
    const std::int64_t each = static_cast<std::int64_t>(values.size()) / from.matrices;
    target.set({values.begin() + first * each, values.begin() + (first + to.matrices) * each});
  };
  copy(from.angles, to.angles);
  copy(from.phases, to.phases);
  copy(from.diagonal, to.diagonal);
  copy(from.signs, to.signs);
  copy(from.x, to.x);
  copy(from.g, to.g);
  copy(from.u, to.u);
  copy(from.gu, to.gu);
}

template <class T>
struct Results {
  using R = real_t<T>;
  // The gradients by angles, phases and diagonal; empty where the parameter is absent.
  using Gradients = std::array<std::vector<R>, 3>;
  std::vector<T> y;
  std::vector<T> gx;
  Gradients gradients;
  std::vector<T> u;
  Gradients gradients_of_u;
};

// Arrays for the parameters' gradients.
template <class R>
class PlacedGradients {
 public:
  template <class T>
  PlacedGradients(const Batch<T>& batch, Arrangement arrangement)
      : angles_(test::shape_of(batch.angles.view()), arrangement),
        phases_(test::shape_of(batch.phases.view()), arrangement),
        diagonal_(test::shape_of(batch.diagonal.view()), arrangement),
        choice_(batch.choice) {
    for (Placed<R>* array : {&angles_, &phases_, &diagonal_}) {
      array->set(std::vector<R>(array->values().size(), R(0)));
    }
  }

  givens::ParameterGradients<R> views() {
    givens::ParameterGradients<R> out{angles_.view(), {}, {}};
    if (choice_.phases) out.phases = phases_.view();
    if (choice_.diagonal) out.diagonal = diagonal_.view();
    return out;
  }

  // Ends the use of the arrays.
  std::array<std::vector<R>, 3> taken() {
    std::array<std::vector<R>, 3> out{angles_.values(), {}, {}};
    if (choice_.phases) out[1] = phases_.values();
    if (choice_.diagonal) out[2] = diagonal_.values();
    CHECK(angles_.only_elements_written());
    CHECK(phases_.only_elements_written());
    CHECK(diagonal_.only_elements_written());
    return out;
  }

 private:
  Placed<R> angles_;
  Placed<R> phases_;
  Placed<R> diagonal_;
  Choice choice_;
};

// Everything that an engine, or the reference engine for null, computes of a batch.
template <class T>
Results<T> compute(const givens::cpu::Engine* engine, const Batch<T>& batch, bool inverse,
                   Arrangement arrangement) {
  using R = real_t<T>;
  const Schedule& schedule = batch.schedule;
  const auto parameters = batch.parameters();
  const givens::Plan& plan = givens::plan_of(schedule);
  const givens::RotateOptions options{batch.axis, inverse};
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
  PlacedGradients<R> gradients(batch, arrangement);
  const auto vjp = givens::validate::rotate_vjp<T>(batch.x.view(), batch.g.view(), parameters,
                                                   schedule, gx.view(), gradients.views(), options);
  if (engine) {
    engine->functions<T>().vjp(vjp, plan);
  } else {
    givens::reference::vjp(vjp);
  }
  out.gx = gx.values();
  CHECK(gx.only_elements_written());
  out.gradients = gradients.taken();

  Placed<T> u(test::shape_of(batch.u.view()), arrangement);
  const auto matrix = givens::validate::matrix<T>(parameters, schedule, u.view());
  if (engine) {
    engine->functions<T>().matrix(matrix, plan);
  } else {
    givens::reference::matrix(matrix);
  }
  out.u = u.values();
  CHECK(u.only_elements_written());

  PlacedGradients<R> gradients_of_u(batch, arrangement);
  const auto matrix_vjp = givens::validate::matrix_vjp<T>(
      batch.u.view(), batch.gu.view(), parameters, schedule, gradients_of_u.views());
  if (engine) {
    engine->functions<T>().matrix_vjp(matrix_vjp, plan);
  } else {
    givens::reference::vjp(matrix_vjp);
  }
  out.gradients_of_u = gradients_of_u.taken();
  return out;
}

// The expected results of a batch, computed in double from the same numbers.
template <class T>
Results<Wide<T>> expected_of(const Batch<T>& batch, bool inverse) {
  Batch<Wide<T>> wide(batch.schedule, batch.matrices, batch.vectors, batch.choice,
                      Arrangement::contiguous, batch.axis);
  copy_part(batch, 0, wide);
  return compute<Wide<T>>(nullptr, wide, inverse, Arrangement::contiguous);
}

// An engine is off by the rounding of a rotated vector, which is the unit here; the reference, in
// double, is not. Gradients are products of two states, each with that error, which makes 2; a
// phase's has a factor sin t (cos t + sin t) <= 1.21; where y is a rounded U, numbers that the
// engine takes for zero are off by another 1. That is rounded up to 4 for the sums over vectors and
// the factors, a few units in the last place each. All numbers and their parts are at most 1.
template <class T>
void check_close(const Results<T>& a, const Results<Wide<T>>& b, const Schedule& schedule,
                 std::int64_t vectors) {
  const double rounding = test::rounding<real_t<T>>(schedule) + test::rounding<double>(schedule);
  const auto n = static_cast<double>(schedule.n());
  const double norm2 = 2 * n;
  CHECK(test::largest_difference(a.y, b.y) <= rounding * std::sqrt(norm2));
  CHECK(test::largest_difference(a.gx, b.gx) <= rounding * std::sqrt(norm2));
  CHECK(test::largest_difference(a.u, b.u) <= rounding);
  for (std::size_t p = 0; p < a.gradients.size(); ++p) {
    CAPTURE(p);
    CHECK(test::largest_difference(a.gradients[p], b.gradients[p]) <=
          4 * rounding * norm2 * static_cast<double>(vectors));
    // A column of U has norm 1, and of its gradient sqrt(norm2).
    CHECK(test::largest_difference(a.gradients_of_u[p], b.gradients_of_u[p]) <=
          4 * rounding * std::sqrt(norm2) * n);
  }
}

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

// Calls check(...) with every array of each result in turn.
template <class Check, class... R>
void for_each_array(Check&& check, R&&... results) {
  check(results.y...);
  check(results.gx...);
  check(results.u...);
  for (std::size_t p = 0; p < 3; ++p) check(results.gradients[p]...);
  for (std::size_t p = 0; p < 3; ++p) check(results.gradients_of_u[p]...);
}

// The part of a result that belongs to matrices first .. first + count - 1 of `matrices`.
template <class T>
Results<T> part_of(Results<T> r, std::int64_t matrices, std::int64_t first, std::int64_t count) {
  for_each_array(
      [&](auto& values) {
        const std::int64_t each = static_cast<std::int64_t>(values.size()) / matrices;
        values = {values.begin() + first * each, values.begin() + (first + count) * each};
      },
      r);
  return r;
}

template <class T>
void check_same_bits(const Results<T>& a, const Results<T>& b) {
  for_each_array([](const auto& x, const auto& y) { CHECK(same_bits(x, y)); }, a, b);
}

template <class T>
Choice random_choice(Random& random) {
  const auto choices = test::choices<T>();
  return choices[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(choices.size())))];
}

std::string text(const Choice& choice) {
  return std::string(choice.phases ? "phases " : "") + (choice.diagonal ? "diagonal " : "") +
         (choice.signs ? "signs" : "");
}

// The largest number of lanes of any engine.
constexpr std::int64_t kMostLanes = 16;

// The address sanitizer takes minutes for all sizes.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kFew = true;
#else
constexpr bool kFew = false;
#endif

}  // namespace

TEST_CASE_TEMPLATE("batch: every schedule, all sizes", T, GIVENS_TEST_TYPES) {
  Random random(61);
  for (const std::int64_t n : {1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 16, 17, 31, 32, 33}) {
    if (kFew && n > 9 && n != 17) continue;
    for (const Schedule& schedule : test::schedules(n, random)) {
      CAPTURE(schedule.repr());
      const bool inverse = random.below(2) == 1;
      const Choice choice = random_choice<T>(random);
      CAPTURE(inverse);
      CAPTURE(text(choice));
      const std::int64_t vectors = 1 + random.below(4);
      const int axis = -1 - static_cast<int>(random.below(2));
      Batch<T> batch(schedule, kMostLanes + 3, {vectors}, choice, Arrangement::contiguous, axis);
      batch.fill(random);
      const auto expected = expected_of(batch, inverse);
      for (const givens::cpu::Engine* engine : givens::cpu::engines()) {
        CAPTURE(std::string(engine->name));
        check_close(compute<T>(engine, batch, inverse, Arrangement::contiguous), expected, schedule,
                    vectors);
      }
    }
  }
}

TEST_CASE_TEMPLATE("batch: all choices of parameters", T, GIVENS_TEST_TYPES) {
  Random random(67);
  for (const std::int64_t n : {2, 3, 5, 8, 16}) {
    const Schedule schedules[] = {Schedule::xor_(n), Schedule::circle(n, n - 1)};
    for (const Schedule& schedule : schedules) {
      for (const Choice& choice : test::choices<T>()) {
        for (const bool inverse : {false, true}) {
          CAPTURE(schedule.repr());
          CAPTURE(text(choice));
          CAPTURE(inverse);
          Batch<T> batch(schedule, kMostLanes + 1, {2}, choice, Arrangement::contiguous);
          batch.fill(random);
          const auto expected = expected_of(batch, inverse);
          for (const givens::cpu::Engine* engine : givens::cpu::engines()) {
            CAPTURE(std::string(engine->name));
            check_close(compute<T>(engine, batch, inverse, Arrangement::contiguous), expected,
                        schedule, 2);
          }
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("batch: all numbers of matrices and all arrangements", T, GIVENS_TEST_TYPES) {
  Random random(62);
  for (const std::int64_t n : {2, 3, 4, 6, 8, 11, 32}) {
    for (const std::int64_t matrices : {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33, 100, 1000}) {
      if (n * n * matrices > (kFew ? 4000 : 36000)) continue;
      for (const Arrangement in : kArrangements) {
        const Schedule schedule = n % 3 == 0 ? Schedule::xor_(n, n - 1) : Schedule::xor_(n);
        const Arrangement out = kArrangements[random.below(5)];
        CAPTURE(n);
        CAPTURE(matrices);
        CAPTURE(static_cast<int>(in));
        CAPTURE(static_cast<int>(out));
        const bool inverse = random.below(2) == 1;
        const Choice choice = random_choice<T>(random);
        CAPTURE(text(choice));
        const Shape vectors = random.below(2) == 1 ? Shape{} : Shape{2, 3};
        const int axis = -1 - static_cast<int>(random.below(2));
        Batch<T> batch(schedule, matrices, vectors, choice, in, axis);
        batch.fill(random);
        const auto expected = expected_of(batch, inverse);
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
  constexpr bool complex = givens::is_complex_v<T>;
  for (const std::int64_t n : {2, 5, 8, 20}) {
    for (const bool inverse : {false, true}) {
      const Schedule schedule = Schedule::circle(n);
      const Shape vectors{3};
      // Everything that T allows; signs and a diagonal exclude each other.
      const Choice choice{complex, complex && !(n == 5 && inverse),
                          !complex || (n == 5 && inverse)};
      Batch<T> batch(schedule, matrices, vectors, choice, Arrangement::contiguous);
      batch.fill(random);
      for (const givens::cpu::Engine* engine : givens::cpu::engines()) {
        CAPTURE(n);
        CAPTURE(inverse);
        CAPTURE(std::string(engine->name));
        const auto whole = compute<T>(engine, batch, inverse, Arrangement::contiguous);

        // Parts of the batch put matrices in other lanes and end in other remainders.
        for (const std::int64_t size : {kMostLanes, kMostLanes + 1, 2 * kMostLanes - 1}) {
          for (std::int64_t first = 0; first + size <= matrices; first += size - 3) {
            Batch<T> part(schedule, size, vectors, choice, Arrangement::contiguous);
            copy_part(batch, first, part);
            check_same_bits(compute<T>(engine, part, inverse, Arrangement::contiguous),
                            part_of(whole, matrices, first, size));
          }
        }

        // One matrix has numbers that are not finite, or large.
        const std::int64_t bad = random.below(matrices);
        enum class Where { data, angles, phases, diagonal };
        for (const double value : {std::numeric_limits<double>::quiet_NaN(),
                                   std::numeric_limits<double>::infinity(), 1e30, 1e-40}) {
          for (const Where where : {Where::data, Where::angles, Where::phases, Where::diagonal}) {
            if (where == Where::phases && !choice.phases) continue;
            if (where == Where::diagonal && !choice.diagonal) continue;
            CAPTURE(value);
            CAPTURE(static_cast<int>(where));
            Batch<T> changed(schedule, matrices, vectors, choice, Arrangement::contiguous);
            copy_part(batch, 0, changed);
            const auto number = static_cast<real_t<T>>(value);
            if (where == Where::data) {
              test::at(changed.x.view(), {bad, 1, 0}) = number;
              test::at(changed.g.view(), {bad, 2, 1}) = number;
              test::at(changed.gu.view(), {bad, 1, 0}) = number;
            } else {
              Placed<real_t<T>>& array = where == Where::angles   ? changed.angles
                                         : where == Where::phases ? changed.phases
                                                                  : changed.diagonal;
              test::at(array.view(), {bad, 0}) = number;
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
              if (where != Where::data) CHECK_FALSE(finite(own.u));
              // The gradients by the first angle and by the diagonal are read before the number is
              // used.
              if (where == Where::data) {
                CHECK_FALSE(finite(own.gradients[0]));
                if (choice.phases) CHECK_FALSE(finite(own.gradients[1]));
                if (choice.diagonal) CHECK_FALSE(finite(own.gradients[2]));
              }
              if (where == Where::phases) CHECK_FALSE(finite(own.gradients[1]));
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
  constexpr bool complex = givens::is_complex_v<T>;
  const Shape full{3, 20};
  for (const Shape& shared : {Shape{}, Shape{1}, Shape{3, 1}, Shape{1, 20}, Shape{20}, full}) {
    // One parameter is not shared: angles, phases, diagonal or signs.
    for (int own = 0; own < 4; ++own) {
      if (!complex && (own == 1 || own == 2)) continue;
      const Choice choice{complex, complex && own != 3, own == 3};
      CAPTURE(shared.size());
      CAPTURE(own);
      auto parameters = test::random_parameters<R>(schedule, choice, random, full);
      const auto shape = [&](int p, std::int64_t extent) {
        return test::joined(p == own ? full : shared, extent);
      };
      parameters.angles = random.array<R>(shape(0, K), 3.14);
      if (choice.phases) parameters.phases = random.array<R>(shape(1, K), 3.14);
      if (choice.diagonal) parameters.diagonal = random.array<R>(shape(2, 6), 3.14);
      const auto x = random.array<T>({3, 1, 2, 6});
      const auto y = random.array<T>({3, 20, 2, 6});
      const auto gy = random.array<T>({3, 20, 2, 6});
      const auto run = [&](const givens::cpu::Engine* engine, auto type, const auto& convert) {
        using V = decltype(type);
        const auto numbers = convert(parameters);
        const auto own_x = convert(x);
        const auto own_y = convert(y);
        const auto own_gy = convert(gy);
        test::Array<V> rotated({3, 20, 2, 6});
        test::Array<V> gx({3, 20, 2, 6});
        test::OwnedGradients<real_t<V>> gradients(numbers);
        const auto rotation = givens::validate::rotate<V>(own_x.view(), numbers.views(), schedule,
                                                          rotated.view(), {});
        const auto vjp =
            givens::validate::rotate_vjp<V>(own_y.view(), own_gy.view(), numbers.views(), schedule,
                                            gx.view(), gradients.views(), {});
        if (engine) {
          engine->functions<V>().rotate(rotation, givens::plan_of(schedule));
          engine->functions<V>().vjp(vjp, givens::plan_of(schedule));
        } else {
          givens::reference::rotate(rotation);
          givens::reference::vjp(vjp);
        }
        return Results<V>{rotated.values, gx.values, {gradients.all(), {}, {}}, {}, {}};
      };
      const auto expected = run(nullptr, Wide<T>{}, [](const auto& data) { return widened(data); });
      for (const givens::cpu::Engine* engine : givens::cpu::engines()) {
        CAPTURE(std::string(engine->name));
        check_close(run(engine, T{}, [](const auto& data) { return data; }), expected, schedule,
                    60 * 2);
      }
    }
  }
}

TEST_CASE_TEMPLATE("batch: in place", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(65);
  for (const std::int64_t n : {2, 7, 16}) {
    for (const Choice& choice : test::choices<T>()) {
      const Schedule schedule = Schedule::circle(n);
      const auto parameters = test::random_parameters<R>(schedule, choice, random, {37});
      const auto x = random.array<T>({37, n});
      for (const givens::cpu::Engine* engine : givens::cpu::engines()) {
        CAPTURE(n);
        CAPTURE(text(choice));
        CAPTURE(std::string(engine->name));
        const auto& rotate = engine->functions<T>().rotate;
        test::Array<T> apart({37, n});
        test::Array<T> in_place = x;
        rotate(
            givens::validate::rotate<T>(x.view(), parameters.views(), schedule, apart.view(), {}),
            givens::plan_of(schedule));
        rotate(givens::validate::rotate<T>(in_place.view(), parameters.views(), schedule,
                                           in_place.view(), {}),
               givens::plan_of(schedule));
        CHECK(same_bits(apart.values, in_place.values));
      }
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
                                    givens::plan_of(schedule));
      long double worst = 0;
      bool rotations = true;
      for (std::size_t k = 0; k < matrices; ++k) {
        const test::ExactSinCos exact = test::exact_sincos(angles.values[k]);
        const auto units = [](R value, long double right) {
          const R near = std::abs(static_cast<R>(right));
          const R unit = std::nextafter(near, std::numeric_limits<R>::infinity()) - near;
          return std::abs(static_cast<long double>(value) - right) / static_cast<long double>(unit);
        };
        worst = std::max(worst, units(U.values[4 * k], exact.cosine));
        worst = std::max(worst, units(U.values[4 * k + 2], exact.sine));
        rotations = rotations && U.values[4 * k + 3] == U.values[4 * k] &&
                    U.values[4 * k + 1] == -U.values[4 * k + 2];
      }
      CHECK(worst <= 2);
      CHECK(rotations);
    }
  }
}
