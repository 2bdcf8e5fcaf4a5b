// The CUDA engine on the emulator: every kernel on several blocks, so that the thread sanitizer
// would see what they do to each other.
#include <doctest/doctest.h>

#include <complex>
#include <cstddef>
#include <cstdint>

#include "transform_checks.hpp"

using namespace test;

namespace {

// Kernels of a type: coefficients for doing and undoing rotations; rotate and vjp, each for narrow
// and for wide panels unless these are one; 8 for panels in global memory; of complex rotations
// also one for the diagonal there, and one for phases.
template <class T>
inline constexpr std::size_t kKernels = 0;
template <>
inline constexpr std::size_t kKernels<float> = 2 + 2 + 2 + 8;
template <>
inline constexpr std::size_t kKernels<double> = 2 + 2 + 1 + 8;
template <>
inline constexpr std::size_t kKernels<std::complex<float>> = 2 + 2 + 1 + 8 + 2;
template <>
inline constexpr std::size_t kKernels<std::complex<double>> = 2 + 1 + 1 + 8 + 2;

}  // namespace

TEST_CASE_TEMPLATE("cuda: every kernel on several blocks", T, GIVENS_TEST_TYPES) {
  Random random(19);
  cuda_emulator::reset_launch_counts();
  for (const std::int64_t vectors : {1, 33}) {
    check_all<T>(Schedule::xor_(9), full_choice<T>(), vectors, -1, false, {2}, random);
  }
  const SmallSharedMemory small(1024);
  const PlansOfTest plans;
  const Schedule schedule = Schedule::butterfly(264);
  const auto parameters = random_parameters<real_t<T>>(schedule, full_choice<T>(), random, {});
  const auto wide_parameters = widened(parameters);
  const auto x = random.array<T>({schedule.n(), 130});
  const RotateOptions options{-2, false};
  const auto y = cuda_rotated(x, parameters, schedule, options);
  const auto expected = reference_rotate(widened(x), wide_parameters, schedule, options);
  CHECK(vectors_error(y, expected, schedule, -2) <= 1);
  const auto got = cuda_gradients(y, x, parameters, schedule, options);
  const auto right =
      gradients<Wide<T>>(nullptr, widened(y), widened(x), wide_parameters, schedule, options);
  CHECK(vectors_error(got.gx, right.gx, schedule, -2) <= 1);
  check_gradients(got.of, right.of, y, x, schedule, options);
  CHECK(cuda_emulator::kernel_count(1) == kKernels<T>);
  CHECK(cuda_emulator::kernel_count(2) == kKernels<T>);
}
