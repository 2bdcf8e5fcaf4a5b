// Every engine: batches of matrices, arrays of any strides.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engine_checks.hpp"

using namespace test;

TEST_CASE_TEMPLATE("engines: batches of matrices", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(78);
  struct Shapes {
    Shape angles;  // leading axes
    Shape signs;
    Shape x;  // without the coordinates, which come last
  };
  const Shapes cases[] = {{{3}, {}, {3}},           {{3}, {}, {1, 5}},       {{1}, {3}, {3, 5}},
                          {{3, 1}, {2}, {3, 2, 4}}, {{3, 1}, {}, {3, 2, 4}}, {{2}, {2}, {2, 17}},
                          {{0}, {}, {0, 4}},        {{2}, {1}, {2, 0}},      {{}, {4}, {4, 3}},
                          {{1, 1}, {}, {2, 3}}};
  for (const Schedule& schedule :
       {Schedule::xor_(19), Schedule::circle(18), Schedule::team(9, 3)}) {
    CAPTURE(schedule.repr());
    for (const Shapes& shapes : cases) {
      CAPTURE(&shapes - cases);
      OwnedParameters<R> parameters{
          angles_of<R>(AngleKind::normal, schedule, random, shapes.angles), {}, {}, {}};
      parameters.signs = random.array<R>(test::joined(shapes.signs, schedule.n()));
      for (R& sign : parameters.signs->values) sign = sign < 0 ? R(-1) : R(1);
      const Array<T> x = random.array<T>(test::joined(shapes.x, schedule.n()));
      for (const bool inverse : {false, true}) {
        const RotateOptions options{-1, inverse};
        check_rotate(x, parameters, schedule, options);
        const Shape full =
            givens::validate::rotated_shape<T>(x.view(), parameters.views(), schedule, -1);
        check_vjp(random.array<T>(full), random.array<T>(full), parameters, schedule, options);
      }
      if constexpr (!givens::is_complex_v<T>) check_matrix(parameters, schedule, random);
    }
  }
}

namespace {

// An array in memory of any layout: axes from the outermost in `order`, every innermost step `gap`
// elements, with a few elements between rows; axes of which `reversed` has the bit run backwards.
struct Layout {
  std::vector<std::size_t> order;
  std::int64_t gap;
  unsigned reversed;
};

template <class T>
class Placed {
 public:
  Placed(const Shape& shape, const Layout& layout, T fill) {
    Shape strides(shape.size());
    std::int64_t next = layout.gap;
    for (std::size_t k = shape.size(); k-- > 0;) {
      const std::size_t axis = layout.order[k];
      strides[axis] = next;
      next = next * shape[axis] + 3;
    }
    storage_.assign(static_cast<std::size_t>(next), fill);
    std::int64_t offset = 0;
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
      if ((layout.reversed >> axis & 1U) == 0) continue;
      offset += (shape[axis] - 1) * strides[axis];
      strides[axis] = -strides[axis];
    }
    view_ = ArrayView<T>(storage_.data() + offset, static_cast<int>(shape.size()), shape.data(),
                         strides.data());
  }
  Placed(const Array<T>& array, const Layout& layout, T fill) : Placed(array.shape, layout, fill) {
    auto from = array.values.begin();
    test::for_each_index(array.shape,
                         [&](const Index& index) { test::at(view_, index) = *from++; });
  }
  Placed(const Placed&) = delete;
  Placed& operator=(const Placed&) = delete;

  const ArrayView<T>& view() const { return view_; }
  Array<T> values() const {
    Array<T> out(test::shape_of(view_));
    out.values = test::elements(view_);
    return out;
  }
  // Elements of the memory that still hold `value`.
  std::ptrdiff_t count(T value) const {
    return std::count(storage_.begin(), storage_.end(), value);
  }
  std::ptrdiff_t gaps() const {
    return static_cast<std::ptrdiff_t>(storage_.size()) -
           static_cast<std::ptrdiff_t>(test::size_of(test::shape_of(view_)));
  }

 private:
  std::vector<T> storage_;
  ArrayView<T> view_;
};

}  // namespace

TEST_CASE_TEMPLATE("engines: arrays of any strides", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(79);
  const Layout layouts[] = {{{0, 1, 2}, 1, 0}, {{0, 2, 1}, 1, 0}, {{2, 1, 0}, 1, 0},
                            {{1, 0, 2}, 2, 7}, {{0, 1, 2}, 1, 4}, {{0, 2, 1}, 1, 2},
                            {{0, 1, 2}, 3, 0}, {{2, 0, 1}, 1, 5}};
  const Layout of_angles[] = {{{0, 1}, 1, 0}, {{0, 1}, 1, 2}, {{1, 0}, 1, 0}, {{0, 1}, 3, 3}};
  const T untouched(77);
  for (const Schedule& schedule : {Schedule::xor_(33), Schedule::circle(18)}) {
    CAPTURE(schedule.repr());
    const auto parameters = parameters_of<R>(AngleKind::full_turn, schedule, true, random, {2});
    const Array<T> x = random.array<T>({2, 18, schedule.n()});
    const Array<T> gy = random.array<T>(x.shape);
    for (const bool inverse : {false, true}) {
      const RotateOptions options{-1, inverse};
      const auto expected = reference_rotate(widened(x), widened(parameters), schedule, options);
      const auto expected_gradients = gradients<Wide<T>>(nullptr, widened(x), widened(gy),
                                                         widened(parameters), schedule, options);
      for (const Engine* engine : engines()) {
        CAPTURE(std::string(engine->name));
        for (std::size_t k = 0; k < std::size(layouts); ++k) {
          CAPTURE(k);
          const Placed<R> angles(parameters.angles, of_angles[k % std::size(of_angles)], R(7));
          const Placed<R> signs(*parameters.signs, of_angles[(k + 1) % std::size(of_angles)], R(7));
          const givens::Parameters<R> views{angles.view(), {}, {}, signs.view()};
          const Layout& other = layouts[(3 * k + 1) % std::size(layouts)];
          const Placed<T> from(x, layouts[k], T(0));
          const Placed<T> to(x.shape, other, untouched);
          REQUIRE(engine_rotate<T>(*engine, from.view(), views, schedule, to.view(), options));
          CHECK(vectors_error(to.values(), expected, schedule, -1) <= 1);
          CHECK(to.count(untouched) == to.gaps());
          // In place.
          REQUIRE(engine_rotate<T>(*engine, from.view(), views, schedule, from.view(), options));
          CHECK(vectors_error(from.values(), expected, schedule, -1) <= 1);

          const Placed<T> y(x, other, T(0));
          const Placed<T> g(gy, layouts[k], T(0));
          const Placed<T> gx(x.shape, layouts[(k + 3) % std::size(layouts)], untouched);
          const Placed<R> gangles(parameters.angles.shape, of_angles[(k + 2) % 4], R(0));
          REQUIRE(engine->functions<T>().vjp(
              givens::validate::rotate_vjp<T>(y.view(), g.view(), views, schedule, gx.view(),
                                              {gangles.view(), {}, {}}, options),
              plan_of(schedule)));
          CHECK(vectors_error(gx.values(), expected_gradients.gx, schedule, -1) <= 1);
          CHECK(gx.count(untouched) == gx.gaps());
          CHECK(gradient_error(gangles.values(), expected_gradients.gangles, x, gy, schedule,
                               options) <= 1);
        }
        // One vector read as 18.
        const Shape repeated = {2, 18, schedule.n()};
        const std::int64_t n = schedule.n();
        const std::int64_t strides[] = {18 * n, 0, 1};
        Array<T> y(repeated);
        REQUIRE(engine_rotate<T>(*engine, {x.values.data(), 3, repeated.data(), strides},
                                 parameters.views(), schedule, y.view(), options));
        for (std::size_t v = 0; v < 2 * 18; ++v) {
          const auto row = static_cast<std::ptrdiff_t>(v) * n;
          const auto first = static_cast<std::ptrdiff_t>(v / 18 * 18) * n;
          CHECK(std::equal(y.values.begin() + row, y.values.begin() + row + n,
                           y.values.begin() + first));
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("engines: U into memory of any strides", R, float, double) {
  Random random(80);
  const Layout layouts[] = {{{0, 1, 2}, 1, 0}, {{0, 2, 1}, 1, 0}, {{2, 1, 0}, 1, 0},
                            {{1, 0, 2}, 2, 7}, {{0, 1, 2}, 1, 4}, {{0, 2, 1}, 3, 2}};
  for (const Schedule& schedule : {Schedule::xor_(33), Schedule::circle(18, 11)}) {
    CAPTURE(schedule.repr());
    const auto parameters = parameters_of<R>(AngleKind::full_turn, schedule, true, random, {2});
    const Array<double> expected = reference_matrix<double>(widened(parameters), schedule);
    for (const Engine* engine : engines()) {
      CAPTURE(std::string(engine->name));
      for (const Layout& layout : layouts) {
        CAPTURE(&layout - layouts);
        const Placed<R> U(expected.shape, layout, R(77));
        REQUIRE(engine->functions<R>().matrix(
            givens::validate::matrix<R>(parameters.views(), schedule, U.view()),
            plan_of(schedule)));
        CHECK(vectors_error(U.values(), expected, schedule, -2) <= 1);
        CHECK(U.count(R(77)) == U.gaps());
      }
    }
  }
}
