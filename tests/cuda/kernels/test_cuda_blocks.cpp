// Every kernel runs on several thread blocks, so that the thread sanitizer sees their races.
#include <doctest/doctest.h>

#include <complex>
#include <cstddef>
#include <cstdint>

#include "transform_checks.hpp"

using namespace test;

namespace {

// The number of kernels for a type: coefficients of rotations and of their adjoints; rotate and
// vjp, each for narrow and for wide panels unless these are one; 8 for panels in global memory; and
// for complex rotations one for the diagonal there and one for phases.
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

TEST_CASE_TEMPLATE("cuda: every kernel on several thread blocks", T, GIVENS_TEST_TYPES) {
  Random random(19);
  cuda_emulator::reset_launch_counts();
  for (const std::int64_t vectors : {1, 33}) {
    check_all<T>(Schedule::xor_(9), full_choice<T>(), vectors, -1, false, {2}, random);
  }
  const SmallSharedMemory small(1024);
  const PlansOfTest plans;
  const Schedule schedule = Schedule::butterfly(264);
  const auto parameters = random_parameters<real_t<T>>(schedule, full_choice<T>(), random, {});
  const auto x = random.array<T>({schedule.n(), 130});
  check_on_device(x, x, parameters, schedule, {-2, false});
  CHECK(cuda_emulator::kernel_count(1) == kKernels<T>);
  CHECK(cuda_emulator::kernel_count(2) == kKernels<T>);
}
