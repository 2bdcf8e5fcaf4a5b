// Checks of the CUDA engine's functions against the reference engine in double.
#pragma once

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cuda_calls.hpp"

namespace test {

// Chooses one of the orders of threads and blocks.
inline int set_random_order(Random& random) {
  const auto order = static_cast<cuda_emulator::Order>(random.below(3));
  cuda_emulator::set_order(order, static_cast<std::uint64_t>(random.below(1000)));
  return static_cast<int>(order);
}

// Checks rotate, and from its result y and `gy` rotate_vjp.
template <class T>
void check_on_device(const Array<T>& x, const Array<T>& gy,
                     const OwnedParameters<real_t<T>>& parameters, const Schedule& schedule,
                     const RotateOptions& options) {
  const auto wide_parameters = widened(parameters);
  const auto y = cuda_rotated(x, parameters, schedule, options);
  const auto expected = reference_rotate(widened(x), wide_parameters, schedule, options);
  CHECK(vectors_error(y, expected, schedule, options.axis) <= 1);
  const auto got = cuda_gradients(y, gy, parameters, schedule, options);
  const auto right =
      gradients<Wide<T>>(nullptr, widened(y), widened(gy), wide_parameters, schedule, options);
  CHECK(vectors_error(got.gx, right.gx, schedule, options.axis) <= 1);
  check_gradients(got.of, right.of, y, gy, schedule, options);
}

// The same with random numbers and a random order of threads and blocks.
template <class T>
void check_on_device(const Schedule& schedule, const Choice& choice, std::int64_t vectors,
                     std::int64_t axis, bool inverse, const Shape& batch, Random& random) {
  const PlansOfTest plans;
  const int order = set_random_order(random);
  CAPTURE(order);
  CAPTURE(schedule.repr());
  CAPTURE(choice);
  CAPTURE(vectors);
  CAPTURE(axis);
  CAPTURE(inverse);
  const auto parameters = random_parameters<real_t<T>>(schedule, choice, random, batch);
  Shape shape = batch;
  shape.push_back(axis == -1 ? vectors : schedule.n());
  shape.push_back(axis == -1 ? schedule.n() : vectors);
  const auto x = random.array<T>(shape);
  const auto gy = random.array<T>(shape);
  check_on_device(x, gy, parameters, schedule, {axis, inverse});
}

// Checks matrix and matrix_vjp.
template <class T>
void check_matrix(const Schedule& schedule, const Choice& choice, const Shape& batch,
                  Random& random) {
  const PlansOfTest plans;
  const int order = set_random_order(random);
  CAPTURE(order);
  CAPTURE(schedule.repr());
  CAPTURE(choice);
  const auto parameters = random_parameters<real_t<T>>(schedule, choice, random, batch);
  const auto wide_parameters = widened(parameters);
  const auto U = cuda_matrix<T>(parameters, schedule);
  CHECK(vectors_error(U, reference_matrix<Wide<T>>(wide_parameters, schedule), schedule, -2) <= 1);
  const auto gU = random.array<T>(U.shape);
  const auto got_of_U = cuda_matrix_gradients(U, gU, parameters, schedule);
  const auto right_of_U =
      matrix_gradients<Wide<T>>(nullptr, widened(U), widened(gU), wide_parameters, schedule);
  check_gradients(got_of_U.of, right_of_U.of, U, gU, schedule, {-2, false});
}

template <class T>
void check_all(const Schedule& schedule, const Choice& choice, std::int64_t vectors,
               std::int64_t axis, bool inverse, const Shape& batch, Random& random) {
  check_on_device<T>(schedule, choice, vectors, axis, inverse, batch, random);
  check_matrix<T>(schedule, choice, batch, random);
}

// The sanitizers take minutes for all sizes, the thread sanitizer half an hour.
#if defined(__SANITIZE_THREAD__)
inline constexpr bool kFew = true, kFewest = true;
#elif defined(__SANITIZE_ADDRESS__)
inline constexpr bool kFew = true, kFewest = false;
#else
inline constexpr bool kFew = false, kFewest = false;
#endif

// A schedule of every kind.
inline std::vector<Schedule> large_schedules(std::int64_t n, std::int64_t columns_of_circle,
                                             Random& random) {
  return {Schedule::xor_(n),
          Schedule::circle(n, columns_of_circle),
          Schedule::team(n, 8),
          Schedule::brickwall(n),
          Schedule::butterfly(n),
          Schedule::wavefront(n, n - n / 3),
          Schedule::from_rounds(n, random_rounds(n, random))};
}

// For cases that take long: two of the four types take the even ones and two the odd ones. Both
// pairs have a real and a complex type, and a single and a double one.
template <class T>
constexpr bool takes(std::size_t number) {
  return (number + givens::is_complex_v<T> + (sizeof(real_t<T>) == 8)) % 2 == 0;
}

struct SmallSharedMemory : DevicesOfTest {
  explicit SmallSharedMemory(int bytes) { cuda_emulator::set_shared_memory(0, bytes); }
};

}  // namespace test
