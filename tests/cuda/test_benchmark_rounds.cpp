// The kernels of benchmarks/rounds.cu, which the benchmarks compare with: one launch for each
// round.
#include <cuda_runtime.h>
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include "../../benchmarks/rounds.cu"
#include "cuda_calls.hpp"

using namespace test;

TEST_CASE("rounds: one launch each rotates and finds gradients") {
  constexpr int kThreads = 256;
  constexpr int kSumParts = 2;
  constexpr int kColumns = 70;
  const RotateOptions options{-2, false};
  Random random(31);
  for (const Schedule& schedule : {Schedule::xor_(8), Schedule::circle(13)}) {
    const auto parameters = random_parameters<float>(schedule, {}, random, {});
    const auto wide = widened(parameters);
    const std::int64_t total = schedule.num_rotations();
    Array<int> pairs({total, 2}, 0);
    Array<float> cosines({total}), sines({total});
    const std::vector<givens::Pair> all = schedule.pairs();
    for (std::size_t k = 0; k < all.size(); ++k) {
      pairs.values[2 * k] = all[k].i;
      pairs.values[2 * k + 1] = all[k].j;
      cosines.values[k] = std::cos(parameters.angles.values[k]);
      sines.values[k] = std::sin(parameters.angles.values[k]);
    }
    const DeviceCopy<int> device_pairs(pairs);
    const DeviceCopy<float> device_cosines(cosines), device_sines(sines);
    const DeviceCopy<float> sums(Array<float>({kSumParts, total}));
    const auto x = random.array<float>({schedule.n(), kColumns});
    const auto gy = random.array<float>({schedule.n(), kColumns});
    const DeviceCopy<float> y(x), gx(gy);

    const std::vector<std::int64_t>& offsets = schedule.round_offsets();
    const auto count = [&](std::size_t r) { return static_cast<int>(offsets[r + 1] - offsets[r]); };
    const auto run = [](auto kernel, int threads, auto... arguments) {
      cudaLaunchConfig_t config{};
      config.gridDim = dim3(static_cast<unsigned>((threads + kThreads - 1) / kThreads));
      config.blockDim = dim3(kThreads);
      require(cudaLaunchKernelEx(&config, kernel, arguments...));
    };
    for (std::size_t r = 0; r + 1 < offsets.size(); ++r) {
      run(&rotate_round, count(r) * kColumns, y.data(), device_pairs.data() + 2 * offsets[r],
          device_cosines.data() + offsets[r], device_sines.data() + offsets[r], count(r), kColumns);
    }
    const auto rotated = y.copied_back();
    const auto expected = reference_rotate(widened(x), wide, schedule, options);
    CHECK(vectors_error(rotated, expected, schedule, -2) <= 1);

    for (std::size_t r = offsets.size() - 1; r-- > 0;) {
      run(&vjp_round, count(r) * kSumParts * 32, y.data(), gx.data(),
          device_pairs.data() + 2 * offsets[r], device_cosines.data() + offsets[r],
          device_sines.data() + offsets[r], sums.data() + offsets[r], count(r), kColumns, kSumParts,
          static_cast<int>(total));
    }
    const auto right =
        gradients<double>(nullptr, widened(rotated), widened(gy), wide, schedule, options);
    CHECK(vectors_error(gx.copied_back(), right.gx, schedule, -2) <= 1);
    CHECK(vectors_error(y.copied_back(), widened(x), schedule, -2) <= 1);
    OwnedGradients<float> got(parameters);
    const Array<float> by_part = sums.copied_back();
    for (std::size_t k = 0; k < all.size(); ++k) {
      got.angles.values[k] = by_part.values[k] + by_part.values[k + all.size()];
    }
    check_gradients(got, right.of, rotated, gy, schedule, options);
  }
}
