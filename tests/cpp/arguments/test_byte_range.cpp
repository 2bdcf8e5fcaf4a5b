#include <doctest/doctest.h>

#include <complex>
#include <cstddef>
#include <cstdint>

#include "arguments/byte_range.hpp"

using givens::ArrayView;

TEST_CASE("bytes_of: from the lowest byte to the highest") {
  double values[24] = {};
  const auto address = [&](std::ptrdiff_t k) {
    return reinterpret_cast<std::uintptr_t>(values) +
           static_cast<std::uintptr_t>(k) * sizeof(double);
  };
  const auto spans = [&](const ArrayView<double>& view, std::ptrdiff_t first, std::ptrdiff_t last) {
    const givens::ByteRange range = givens::bytes_of(view);
    CHECK(range.first == address(first));
    CHECK(range.last == address(last));
  };
  spans({values, {2, 3}}, 0, 6);
  spans({values + 4, {}}, 4, 5);
  spans({values, {2, 3}, {10, 2}}, 0, 15);
  spans({values + 20, {3}, {-4}}, 12, 21);
  spans({values + 10, {2, 3}, {-5, 4}}, 5, 19);
  spans({values + 10, {100, 2}, {0, 3}}, 10, 14);
  spans({values + 10, {1}, {1000}}, 10, 11);
}

TEST_CASE("overlap of views") {
  float values[24] = {};
  const ArrayView<float> first(values, {4});
  CHECK(overlap(first, first));
  CHECK(overlap(first, ArrayView<float>(values + 3, {4})));
  CHECK_FALSE(overlap(first, ArrayView<float>(values + 4, {4})));
  CHECK(overlap(ArrayView<float>(values + 7, {4}, {-1}), ArrayView<float>(values, {5})));
  CHECK_FALSE(overlap(ArrayView<float>(values + 7, {4}, {-1}), first));
  CHECK(overlap(ArrayView<float>(values, {4}, {6}), ArrayView<float>(values + 7, {2})));
  // An element of another size.
  const auto* pairs = reinterpret_cast<const std::complex<float>*>(values);
  CHECK(overlap(ArrayView<const std::complex<float>>(pairs, {2}), first));
  CHECK_FALSE(overlap(ArrayView<const std::complex<float>>(pairs + 2, {2}), first));
}

TEST_CASE("an empty view overlaps nothing") {
  float values[8] = {};
  const ArrayView<float> all(values, {8});
  for (const auto& empty : {ArrayView<float>(values + 4, {0}), ArrayView<float>(values + 4, {3, 0}),
                            ArrayView<float>(values + 7, {0, 3}, {-1, -1})}) {
    CHECK_FALSE(overlap(empty, all));
    CHECK_FALSE(overlap(all, empty));
    CHECK_FALSE(overlap(empty, empty));
  }
}
