#include "host/tiling.hpp"

#include <algorithm>

namespace givens::cuda {

namespace {

// Beside the panels, the number of the thread block needs memory.
constexpr std::size_t kFixedBytes = 16;

std::size_t bytes_of(const TilingProblem& problem, std::int64_t columns) {
  return static_cast<std::size_t>(columns) * problem.column_bytes + kFixedBytes;
}

}  // namespace

bool fits(const TilingProblem& problem, const DeviceLimits& limits) {
  return bytes_of(problem, 1) <= limits.shared_bytes;
}

ChosenTiling choose_tiling(const TilingProblem& problem, const DeviceLimits& limits) {
  const auto panels = [&](std::int64_t width) { return (problem.columns + width - 1) / width; };
  // Columns of the multiprocessor that has the most.
  const auto busiest = [&](std::int64_t width) {
    const std::int64_t count = problem.matrices * panels(width);
    return width * ((count + limits.multiprocessors - 1) / limits.multiprocessors);
  };
  // A wider panel reads coefficients less often. So panels are as wide as fits, at most a warp's
  // threads side by side, as long as few multiprocessors are idle or none gets more columns.
  std::int64_t width = 1;
  const std::int64_t widest = 32 * problem.columns_of_thread;
  while (width < widest && width < problem.columns &&
         bytes_of(problem, 2 * width) <= limits.shared_bytes &&
         (width < problem.columns_of_thread * problem.least_lanes ||
          4 * problem.matrices * panels(2 * width) >= 3 * limits.multiprocessors ||
          busiest(2 * width) <= busiest(width))) {
    width *= 2;
  }
  ChosenTiling out{};
  out.wide = width >= problem.columns_of_thread * problem.least_lanes;
  const std::int64_t lanes = std::max<std::int64_t>(
      out.wide ? width / problem.columns_of_thread : width, problem.least_lanes);
  const std::int64_t threads = std::max<std::int64_t>(problem.widest_stage * lanes, 1);

  // Small matrices share a thread block until it has a few warps.
  std::int64_t matrices = 1;
  if (panels(width) == 1) {
    const auto room = static_cast<std::int64_t>((limits.shared_bytes / 4 - kFixedBytes) /
                                                bytes_of(problem, width));
    matrices =
        std::min({128 / threads, room, problem.matrices / std::max(2 * limits.multiprocessors, 1)});
    matrices = std::max<std::int64_t>(matrices, 1);
  }
  // There are about as many chains as panels in a chain.
  std::int64_t chain = 1;
  while (chain * chain < panels(width)) ++chain;
  out.tiling = {static_cast<std::int32_t>(width),
                static_cast<std::int32_t>(lanes),
                static_cast<std::int32_t>(matrices),
                panels(width),
                chain,
                problem.columns};
  out.threads =
      static_cast<int>(std::min<std::int64_t>((threads * matrices + 31) / 32 * 32, kMostThreads));
  out.shared_bytes = bytes_of(problem, width * matrices);
  return out;
}

}  // namespace givens::cuda
