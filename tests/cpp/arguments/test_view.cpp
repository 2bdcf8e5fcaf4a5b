#include <doctest/doctest.h>

#include <complex>
#include <stdexcept>
#include <type_traits>

#include "array.hpp"
#include "givens/view.hpp"

using givens::ArrayView;
using test::Shape;

TEST_CASE("ArrayView: without strides the last axis is the fastest") {
  float values[24] = {};
  const ArrayView<float> view(values, {2, 3, 4});
  CHECK(view.data() == values);
  CHECK(view.ndim() == 3);
  CHECK(test::shape_of(view) == Shape{2, 3, 4});
  CHECK(Shape(view.strides(), view.strides() + 3) == Shape{12, 4, 1});
  CHECK(view.shape(1) == 3);
  CHECK(view.stride(0) == 12);
}

TEST_CASE("ArrayView: any strides") {
  float values[24] = {};
  const ArrayView<float> view(values + 23, {2, 3}, {-12, 0});
  CHECK(view.stride(0) == -12);
  CHECK(view.stride(1) == 0);
  const ArrayView<float> number(values, {});
  CHECK(number.ndim() == 0);
  const ArrayView<float> nothing;
  CHECK(nothing.data() == nullptr);
  CHECK(nothing.ndim() == 0);
}

TEST_CASE("ArrayView: mutable converts to constant, and nothing else") {
  double values[6] = {};
  const ArrayView<double> view(values, {2, 3}, {1, 2});
  const ArrayView<const double> constant = view;
  CHECK(constant.data() == values);
  CHECK(test::shape_of(constant) == Shape{2, 3});
  CHECK(constant.stride(1) == 2);
  static_assert(!std::is_convertible_v<ArrayView<const double>, ArrayView<double>>);
  static_assert(!std::is_convertible_v<ArrayView<float>, ArrayView<const double>>);
  static_assert(!std::is_convertible_v<ArrayView<double>, ArrayView<const std::complex<double>>>);
}

TEST_CASE("ArrayView: what is refused") {
  float value = 0;
  const auto refused = [](auto&& make, const char* message) {
    CHECK_THROWS_WITH_AS(make(), message, std::invalid_argument);
  };
  refused([&] { ArrayView<float>(&value, {2, 3}, {1}); },
          "strides must be as many as axes, 2, got 1");
  refused([&] { ArrayView<float>(&value, {2}, {3, 1}); },
          "strides must be as many as axes, 1, got 2");
  refused([&] { ArrayView<float>(&value, {2, -3}); }, "an extent must not be negative, got -3");
  const Shape ones(33, 1);
  CHECK_NOTHROW(ArrayView<float>(&value, 32, ones.data(), nullptr));
  refused([&] { ArrayView<float>(&value, 33, ones.data(), nullptr); },
          "an array must have at most 32 axes, got 33");
  refused([&] { ArrayView<float>(&value, 33, ones.data(), ones.data()); },
          "an array must have at most 32 axes, got 33");
  CHECK_THROWS_AS(ArrayView<float>(&value, -1, ones.data(), nullptr), std::invalid_argument);
}
