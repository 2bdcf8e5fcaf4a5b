// How problems are shared out over an A100 and an H100. docs/cuda.md and
// benchmarks/cuda_estimate.py have the same numbers.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>

#include "host/tiling.hpp"

using namespace givens::cuda;

namespace {

struct Expected {
  std::int32_t n;
  std::int64_t panels;
  std::int32_t width;
  int threads;
  std::size_t shared_kibibytes;
};

// Checks the tiling of float with `panels` panels and `operands` offsets for each column.
void check(const DeviceLimits& limits, int panels, int operands, std::int32_t columns_of_thread,
           std::int32_t least_lanes, const Expected& expected) {
  const std::int32_t n = expected.n;
  CAPTURE(n);
  const auto column_bytes = static_cast<std::size_t>(4 * n * panels + 8 * operands);
  const ChosenTiling chosen =
      choose_tiling({n, n / 8, column_bytes, columns_of_thread, least_lanes, n, 1}, limits);
  CHECK(chosen.wide);
  CHECK(chosen.tiling.panels == expected.panels);
  CHECK(chosen.tiling.width == expected.width);
  CHECK(chosen.threads == expected.threads);
  CHECK((chosen.shared_bytes + 512) / 1024 == expected.shared_kibibytes);
}

}  // namespace

TEST_CASE("tiling: an A100") {
  const DeviceLimits a100{108, 163 * 1024};
  for (const Expected& e : {Expected{256, 64, 4, 32, 4}, Expected{512, 64, 8, 128, 16},
                            Expected{1024, 64, 16, 256, 64}, Expected{2048, 128, 16, 256, 128}}) {
    check(a100, 1, 2, 4, 1, e);
  }
  for (const Expected& e : {Expected{256, 32, 8, 128, 16}, Expected{512, 64, 8, 256, 32},
                            Expected{1024, 64, 16, 256, 129}, Expected{2048, 256, 8, 256, 128}}) {
    check(a100, 2, 4, 2, 4, e);
  }
}

TEST_CASE("tiling: an H100") {
  const DeviceLimits h100{132, 227 * 1024};
  for (const Expected& e : {Expected{256, 64, 4, 32, 4}, Expected{512, 128, 4, 64, 8},
                            Expected{1024, 128, 8, 256, 32}, Expected{2048, 128, 16, 256, 128}}) {
    check(h100, 1, 2, 4, 1, e);
  }
  for (const Expected& e : {Expected{256, 32, 8, 128, 16}, Expected{512, 64, 8, 256, 32},
                            Expected{1024, 128, 8, 256, 64}, Expected{2048, 256, 8, 256, 128}}) {
    check(h100, 2, 4, 2, 4, e);
  }
}
