#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <vector>

#include "arguments/strided_loop.hpp"
#include "array.hpp"
#include "random.hpp"

namespace {

using givens::Strided;
using givens::StridedLoop;

template <std::size_t Operands>
using Visited = std::vector<std::array<std::int64_t, Operands>>;

template <std::size_t Operands>
Visited<Operands> visited(const StridedLoop<Operands>& loop) {
  Visited<Operands> out;
  loop.for_each([&](const auto& offsets) { out.push_back(offsets); });
  return out;
}

}  // namespace

TEST_CASE("StridedLoop: no loop is one visit") {
  const StridedLoop<2> loop;
  CHECK(loop.size() == 1);
  CHECK(loop.depth() == 0);
  CHECK(visited(loop) == Visited<2>{{0, 0}});
}

TEST_CASE("StridedLoop: the loop added last runs fastest") {
  StridedLoop<2> loop;
  loop.add(2, {10, 1});
  loop.add(3, {1, 20});
  CHECK(loop.size() == 6);
  CHECK(loop.depth() == 2);
  CHECK(visited(loop) == Visited<2>{{0, 0}, {1, 20}, {2, 40}, {10, 1}, {11, 21}, {12, 41}});
}

TEST_CASE("StridedLoop: loops that all operands walk as one are merged") {
  StridedLoop<2> loop;
  loop.add(2, {12, 6});
  loop.add(3, {4, 2});
  CHECK(loop.depth() == 1);
  loop.add(4, {1, 0});  // the second operand stands still: 2 != 0 * 4
  CHECK(loop.depth() == 2);
  CHECK(loop.size() == 24);
  const auto offsets = visited(loop);
  REQUIRE(offsets.size() == 24);
  CHECK(offsets[3] == std::array<std::int64_t, 2>{3, 0});
  CHECK(offsets[4] == std::array<std::int64_t, 2>{4, 2});
  CHECK(offsets[23] == std::array<std::int64_t, 2>{23, 10});
}

TEST_CASE("StridedLoop: one operand that differs keeps two loops apart") {
  StridedLoop<3> loop;
  loop.add(2, {3, 3, 4});
  loop.add(3, {1, 1, 1});
  CHECK(loop.depth() == 2);
}

TEST_CASE("StridedLoop: strides of zero merge, negative ones too") {
  StridedLoop<2> loop;
  loop.add(2, {0, -3});
  loop.add(3, {0, -1});
  CHECK(loop.depth() == 1);
  CHECK(visited(loop) == Visited<2>{{0, 0}, {0, -1}, {0, -2}, {0, -3}, {0, -4}, {0, -5}});

  StridedLoop<2> against;
  against.add(2, {3, -3});
  against.add(3, {1, 1});
  CHECK(against.depth() == 2);
  CHECK(visited(against) == Visited<2>{{0, 0}, {1, 1}, {2, 2}, {3, -3}, {4, -2}, {5, -1}});
}

TEST_CASE("StridedLoop: an extent of 1 adds no loop, whatever its stride") {
  StridedLoop<1> loop;
  loop.add(2, {3});
  loop.add(1, {1000});
  loop.add(3, {1});
  CHECK(loop.depth() == 1);
  CHECK(loop.size() == 6);
  CHECK(visited(loop) == Visited<1>{{0}, {1}, {2}, {3}, {4}, {5}});
}

TEST_CASE("StridedLoop: an extent of 0 anywhere is no visit") {
  for (int zero = 0; zero < 3; ++zero) {
    StridedLoop<1> loop;
    for (int d = 0; d < 3; ++d) loop.add(d == zero ? 0 : 2, {1});
    CHECK(loop.size() == 0);
    CHECK(visited(loop).empty());
  }
}

TEST_CASE("StridedLoop: as many loops as an array may have axes") {
  StridedLoop<1> loop;
  for (int d = 0; d < givens::kMaxDimensions; ++d) loop.add(d % 3 == 0 ? 2 : 1, {d % 2});
  CHECK(loop.size() == 1 << 11);
  CHECK(visited(loop).size() == 1 << 11);
}

TEST_CASE("StridedLoop: merged or not, the offsets agree with plain loops") {
  test::Random random(3);
  for (int repeat = 0; repeat < 300; ++repeat) {
    const auto depth = static_cast<std::size_t>(random.below(5));
    test::Shape extents(depth);
    std::vector<std::array<std::int64_t, 2>> strides(depth);
    StridedLoop<2> loop;
    for (std::size_t d = 0; d < depth; ++d) {
      extents[d] = random.below(4) == 0 ? random.below(2) : 1 + random.below(4);
      // Often a stride that lets this loop merge with the one before.
      for (std::size_t p = 0; p < 2; ++p) {
        const bool merges = d > 0 && extents[d] > 0 && strides[d - 1][p] % extents[d] == 0;
        strides[d][p] = merges ? strides[d - 1][p] / extents[d] : 12 * (random.below(5) - 2);
      }
      loop.add(extents[d], strides[d]);
    }
    Visited<2> expected;
    test::for_each_index(extents, [&](const test::Index& index) {
      std::array<std::int64_t, 2> offsets{};
      for (std::size_t d = 0; d < depth; ++d) {
        for (std::size_t p = 0; p < 2; ++p) offsets[p] += index[d] * strides[d][p];
      }
      expected.push_back(offsets);
    });
    CAPTURE(repeat);
    CHECK(visited(loop) == expected);
    CHECK(loop.size() == static_cast<std::int64_t>(expected.size()));
    CHECK(loop.depth() <= static_cast<int>(depth));
    Visited<2> one_by_one;
    for (std::int64_t k = 0; k < loop.size(); ++k) one_by_one.push_back(loop.at(k));
    CHECK(one_by_one == expected);
  }
}

TEST_CASE("Strided: elements, shifted views, and absence") {
  double values[] = {0, 1, 2, 3, 4, 5};
  const Strided<double> backwards{values + 4, -2};
  CHECK(backwards);
  CHECK(backwards[0] == 4);
  CHECK(backwards[2] == 0);
  CHECK(backwards.at(1)[1] == 3);
  const Strided<double> absent;
  CHECK_FALSE(absent);
  CHECK_FALSE(absent.at(7));
}
