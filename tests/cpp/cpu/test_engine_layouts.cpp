// Every engine: batches of matrices, arrays of any strides.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "engine_checks.hpp"

using namespace test;

TEST_CASE_TEMPLATE("engines: batches of matrices", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(78);
  struct Case {
    BatchShapes parameters;
    Shape x;  // without the coordinates, which come last
  };
  const Case cases[] = {{{{3}, {}, {}}, {3}},
                        {{{3}, {3}, {}}, {1, 5}},
                        {{{1}, {3}, {3}}, {3, 5}},
                        {{{3, 1}, {2}, {1, 2}}, {3, 2, 4}},
                        {{{3, 1}, {3, 1}, {}}, {3, 2, 4}},
                        {{{2}, {1}, {2}}, {2, 17}},
                        {{{0}, {}, {}}, {0, 4}},
                        {{{2}, {2}, {1}}, {2, 0}},
                        {{{}, {4}, {4}}, {4, 3}},
                        {{{1, 1}, {}, {}}, {2, 3}}};
  for (const Schedule& schedule :
       {Schedule::xor_(19), Schedule::circle(18), Schedule::team(9, 3)}) {
    CAPTURE(schedule.repr());
    for (const Case& shapes : cases) {
      CAPTURE(&shapes - cases);
      for (const Choice& choice : test::choices<T>()) {
        CAPTURE(choice);
        const auto parameters = parameters_of<R>(AngleKind::normal, AngleKind::full_turn, schedule,
                                                 choice, random, shapes.parameters);
        const Array<T> x = random.array<T>(test::joined(shapes.x, schedule.n()));
        for (const bool inverse : {false, true}) {
          CAPTURE(inverse);
          const RotateOptions options{-1, inverse};
          check_rotate(x, parameters, schedule, options);
          const Shape full =
              givens::validate::rotated_shape<T>(x.view(), parameters.views(), schedule, -1);
          check_vjp(random.array<T>(full), random.array<T>(full), parameters, schedule, options);
        }
        check_matrix<T>(parameters, schedule, random);
      }
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

namespace {

// Parameters, or their gradients, each in memory of a layout of its own.
template <class R>
struct PlacedParameters {
  Placed<R> angles;
  std::optional<Placed<R>> phases;
  std::optional<Placed<R>> diagonal;
  std::optional<Placed<R>> signs;

  PlacedParameters(const OwnedParameters<R>& from, const Layout* layouts)
      : angles(from.angles, layouts[0], R(7)) {
    if (from.phases) phases.emplace(*from.phases, layouts[1], R(7));
    if (from.diagonal) diagonal.emplace(*from.diagonal, layouts[2], R(7));
    if (from.signs) signs.emplace(*from.signs, layouts[3], R(7));
  }

  givens::Parameters<R> views() const {
    givens::Parameters<R> out{angles.view(), {}, {}, {}};
    if (phases) out.phases = phases->view();
    if (diagonal) out.diagonal = diagonal->view();
    if (signs) out.signs = signs->view();
    return out;
  }
};

template <class R>
struct PlacedGradients {
  Placed<R> angles;
  std::optional<Placed<R>> phases;
  std::optional<Placed<R>> diagonal;

  PlacedGradients(const OwnedParameters<R>& of, const Layout* layouts)
      : angles(of.angles.shape, layouts[0], R(0)) {
    if (of.phases) phases.emplace(of.phases->shape, layouts[1], R(0));
    if (of.diagonal) diagonal.emplace(of.diagonal->shape, layouts[2], R(0));
  }

  givens::ParameterGradients<R> views() const {
    givens::ParameterGradients<R> out{angles.view(), {}, {}};
    if (phases) out.phases = phases->view();
    if (diagonal) out.diagonal = diagonal->view();
    return out;
  }

  OwnedGradients<R> values(const OwnedParameters<R>& of) const {
    OwnedGradients<R> out(of);
    out.angles = angles.values();
    if (phases) out.phases = phases->values();
    if (diagonal) out.diagonal = diagonal->values();
    return out;
  }
};

}  // namespace

TEST_CASE_TEMPLATE("engines: arrays of any strides", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(79);
  const Layout layouts[] = {{{0, 1, 2}, 1, 0}, {{0, 2, 1}, 1, 0}, {{2, 1, 0}, 1, 0},
                            {{1, 0, 2}, 2, 7}, {{0, 1, 2}, 1, 4}, {{0, 2, 1}, 1, 2},
                            {{0, 1, 2}, 3, 0}, {{2, 0, 1}, 1, 5}};
  // The layouts of parameters: four from any of the first four on.
  const Layout rows[] = {{{0, 1}, 1, 0}, {{0, 1}, 1, 2}, {{1, 0}, 1, 0}, {{0, 1}, 3, 3},
                         {{0, 1}, 1, 0}, {{0, 1}, 1, 2}, {{1, 0}, 1, 0}};
  const T untouched(77);
  for (const Schedule& schedule : {Schedule::xor_(33), Schedule::circle(18)}) {
    CAPTURE(schedule.repr());
    const Array<T> x = random.array<T>({2, 18, schedule.n()});
    const Array<T> gy = random.array<T>(x.shape);
    std::vector<Choice> some = {{false, false, true}};
    if (givens::is_complex_v<T>)
      some.insert(some.end(), {{true, true, false}, {true, false, true}});
    for (const Choice& choice : some) {
      CAPTURE(choice);
      const auto parameters = random_parameters<R>(schedule, choice, random, Shape{2});
      for (const bool inverse : {false, true}) {
        CAPTURE(inverse);
        const RotateOptions options{-1, inverse};
        const auto expected = reference_rotate(widened(x), widened(parameters), schedule, options);
        const auto expected_gradients = gradients<Wide<T>>(nullptr, widened(x), widened(gy),
                                                           widened(parameters), schedule, options);
        for (const Engine* engine : engines()) {
          CAPTURE(std::string(engine->name));
          for (std::size_t k = 0; k < std::size(layouts); ++k) {
            CAPTURE(k);
            const PlacedParameters<R> placed(parameters, rows + k % 4);
            const givens::Parameters<R> views = placed.views();
            const Layout& other = layouts[(3 * k + 1) % std::size(layouts)];
            const Placed<T> from(x, layouts[k], T(0));
            const Placed<T> to(x.shape, other, untouched);
            engine_rotate<T>(*engine, from.view(), views, schedule, to.view(), options);
            CHECK(vectors_error(to.values(), expected, schedule, -1) <= 1);
            CHECK(to.count(untouched) == to.gaps());
            // Once more, in place.
            engine_rotate<T>(*engine, from.view(), views, schedule, from.view(), options);
            CHECK(vectors_error(from.values(), expected, schedule, -1) <= 1);

            const Placed<T> y(x, other, T(0));
            const Placed<T> g(gy, layouts[k], T(0));
            const Placed<T> gx(x.shape, layouts[(k + 3) % std::size(layouts)], untouched);
            const PlacedGradients<R> of(parameters, rows + (k + 2) % 4);
            engine->functions<T>().vjp(
                givens::validate::rotate_vjp<T>(y.view(), g.view(), views, schedule, gx.view(),
                                                of.views(), options),
                plan_of(schedule));
            CHECK(vectors_error(gx.values(), expected_gradients.gx, schedule, -1) <= 1);
            CHECK(gx.count(untouched) == gx.gaps());
            check_gradients(of.values(parameters), expected_gradients.of, x, gy, schedule, options);
          }
          // One vector read as 18.
          const Shape repeated = {2, 18, schedule.n()};
          const std::int64_t n = schedule.n();
          const std::int64_t strides[] = {18 * n, 0, 1};
          Array<T> y(repeated);
          engine_rotate<T>(*engine, {x.values.data(), 3, repeated.data(), strides},
                           parameters.views(), schedule, y.view(), options);
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
}

TEST_CASE_TEMPLATE("engines: U into memory of any strides", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(80);
  const Layout layouts[] = {{{0, 1, 2}, 1, 0}, {{0, 2, 1}, 1, 0}, {{2, 1, 0}, 1, 0},
                            {{1, 0, 2}, 2, 7}, {{0, 1, 2}, 1, 4}, {{0, 2, 1}, 3, 2}};
  for (const Schedule& schedule : {Schedule::xor_(33), Schedule::circle(18, 11)}) {
    CAPTURE(schedule.repr());
    for (const Choice& choice : test::choices<T>()) {
      CAPTURE(choice);
      const auto parameters = random_parameters<R>(schedule, choice, random, Shape{2});
      const auto expected = reference_matrix<Wide<T>>(widened(parameters), schedule);
      for (const Engine* engine : engines()) {
        CAPTURE(std::string(engine->name));
        for (const Layout& layout : layouts) {
          CAPTURE(&layout - layouts);
          const Placed<T> U(expected.shape, layout, T(77));
          engine->functions<T>().matrix(
              givens::validate::matrix<T>(parameters.views(), schedule, U.view()),
              plan_of(schedule));
          CHECK(vectors_error(U.values(), expected, schedule, -2) <= 1);
          CHECK(U.count(T(77)) == U.gaps());
        }
      }
    }
  }
}
