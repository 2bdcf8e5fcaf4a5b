// Arrays that own their elements, and loops over their indices.
#pragma once

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

#include "givens/view.hpp"

namespace test {

using Shape = std::vector<std::int64_t>;
using Index = std::vector<std::int64_t>;

inline std::int64_t size_of(const Shape& shape) {
  std::int64_t size = 1;
  for (const std::int64_t extent : shape) size *= extent;
  return size;
}

// Contiguous, last axis fastest.
template <class T>
struct Array {
  using Element = T;

  Shape shape;
  std::vector<T> values;

  explicit Array(Shape shape_, T fill = T{})
      : shape(std::move(shape_)), values(static_cast<std::size_t>(size_of(shape)), fill) {}

  givens::ArrayView<T> view() {
    return {values.data(), static_cast<int>(shape.size()), shape.data(), nullptr};
  }
  givens::ArrayView<const T> view() const {
    return {values.data(), static_cast<int>(shape.size()), shape.data(), nullptr};
  }
};

template <class T>
Shape shape_of(const givens::ArrayView<T>& view) {
  return {view.shape(), view.shape() + view.ndim()};
}

template <class T>
T& at(const givens::ArrayView<T>& view, const Index& index) {
  std::int64_t offset = 0;
  for (int d = 0; d < view.ndim(); ++d)
    offset += index[static_cast<std::size_t>(d)] * view.stride(d);
  return view.data()[offset];
}

// Calls body(index) for every index of an array of this shape, the last axis running fastest.
template <class Body>
void for_each_index(const Shape& shape, Body&& body) {
  Index index(shape.size(), 0);
  const std::int64_t size = size_of(shape);
  for (std::int64_t count = 0; count < size; ++count) {
    body(static_cast<const Index&>(index));
    for (std::size_t d = shape.size(); d-- > 0;) {
      if (++index[d] < shape[d]) break;
      index[d] = 0;
    }
  }
}

// Calls body(element) for every element of a view, in the order of the indices. `at` for each would
// take most of the time of tests under the sanitizers.
template <class T, class Body>
void for_each_element(const givens::ArrayView<T>& view, Body&& body) {
  if (view.ndim() == 0) {
    body(*view.data());
    return;
  }
  const int last = view.ndim() - 1;
  const std::int64_t extent = view.shape(last);
  const std::int64_t stride = view.stride(last);
  for_each_index({view.shape(), view.shape() + last}, [&](const Index& index) {
    std::int64_t offset = 0;
    for (int d = 0; d < last; ++d) offset += index[static_cast<std::size_t>(d)] * view.stride(d);
    for (std::int64_t k = 0; k < extent; ++k) body(view.data()[offset + k * stride]);
  });
}

// The elements of a view, in the order of the indices.
template <class T>
std::vector<std::remove_const_t<T>> elements(const givens::ArrayView<T>& view) {
  std::vector<std::remove_const_t<T>> out;
  out.reserve(static_cast<std::size_t>(size_of(shape_of(view))));
  for_each_element(view, [&](const T& element) { out.push_back(element); });
  return out;
}

template <class T>
std::complex<double> wide(const T& x) {
  return {static_cast<double>(std::real(x)), static_cast<double>(std::imag(x))};
}

template <class T>
double norm_of(const std::vector<T>& values) {
  double sum = 0;
  for (const T& value : values) sum += std::norm(wide(value));
  return std::sqrt(sum);
}

// The largest |a - b|; NaN if any is, infinite if the lengths differ.
template <class A, class B>
double largest_difference(const std::vector<A>& a, const std::vector<B>& b) {
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  double largest = 0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    double difference;
    if constexpr (std::is_floating_point_v<A> && std::is_floating_point_v<B>) {
      difference = std::abs(static_cast<double>(a[k]) - static_cast<double>(b[k]));
    } else {
      difference = std::abs(wide(a[k]) - wide(b[k]));
    }
    if (std::isnan(difference)) return difference;
    largest = std::max(largest, difference);
  }
  return largest;
}

}  // namespace test
