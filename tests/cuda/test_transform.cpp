// The CUDA engine on the emulator, against the reference engine in double.
#include <doctest/doctest.h>

#include <complex>
#include <cstdint>
#include <string>
#include <vector>

#include "cuda_calls.hpp"
#include "cuda_emulator/control.hpp"

using namespace test;

namespace {

std::string text(const Choice& choice) {
  return std::string(choice.phases ? "phases " : "") + (choice.diagonal ? "diagonal " : "") +
         (choice.signs ? "signs" : "");
}

// All functions on random numbers.
template <class T>
void check_all(const Schedule& schedule, const Choice& choice, std::int64_t vectors,
               std::int64_t axis, bool inverse, const Shape& batch, Random& random) {
  const PlansOfTest plans;
  CAPTURE(schedule.repr());
  CAPTURE(text(choice));
  CAPTURE(vectors);
  CAPTURE(axis);
  CAPTURE(inverse);
  const RotateOptions options{axis, inverse};
  const auto parameters = random_parameters<real_t<T>>(schedule, choice, random, batch);
  const auto wide_parameters = widened(parameters);
  Shape shape = batch;
  shape.push_back(axis == -1 ? vectors : schedule.n());
  shape.push_back(axis == -1 ? schedule.n() : vectors);

  const auto x = random.array<T>(shape);
  const auto expected = reference_rotate(widened(x), wide_parameters, schedule, options);
  const auto y = cuda_rotated(x, parameters, schedule, options);
  CHECK(vectors_error(y, expected, schedule, axis) <= 1);

  const auto gy = random.array<T>(shape);
  const auto got = cuda_gradients(y, gy, parameters, schedule, options);
  const auto right =
      gradients<Wide<T>>(nullptr, widened(y), widened(gy), wide_parameters, schedule, options);
  CHECK(vectors_error(got.gx, right.gx, schedule, axis) <= 1);
  check_gradients(got.of, right.of, y, gy, schedule, options);

  const auto U = cuda_matrix<T>(parameters, schedule);
  CHECK(vectors_error(U, reference_matrix<Wide<T>>(wide_parameters, schedule), schedule, -2) <= 1);
  const auto gU = random.array<T>(U.shape);
  const auto got_of_U = cuda_matrix_gradients(U, gU, parameters, schedule);
  const auto right_of_U =
      matrix_gradients<Wide<T>>(nullptr, widened(U), widened(gU), wide_parameters, schedule);
  check_gradients(got_of_U.of, right_of_U.of, U, gU, schedule, {-2, false});
}

// The sanitizers take minutes for all sizes, the thread sanitizer half an hour.
#if defined(__SANITIZE_THREAD__)
constexpr bool kFew = true, kFewest = true;
#elif defined(__SANITIZE_ADDRESS__)
constexpr bool kFew = true, kFewest = false;
#else
constexpr bool kFew = false, kFewest = false;
#endif

template <class T>
Choice random_choice(Random& random) {
  const auto all = choices<T>();
  return all[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(all.size())))];
}

// Devices as they were at first when it goes.
struct SmallSharedMemory {
  explicit SmallSharedMemory(int bytes) { cuda_emulator::set_shared_memory(0, bytes); }
  ~SmallSharedMemory() { cuda_emulator::reset_devices(); }
};

}  // namespace

TEST_CASE_TEMPLATE("cuda: every schedule, all sizes", T, GIVENS_TEST_TYPES) {
  Random random(11);
  for (const std::int64_t n : {0, 1, 2, 3, 8, 13, 31, 32, 33}) {
    if (kFewest && n > 13) break;
    for (const Schedule& schedule : schedules(n, random)) {
      check_all<T>(schedule, random_choice<T>(random), 1 + random.below(5), -1 - random.below(2),
                   random.below(2) == 1, {}, random);
    }
  }
}

TEST_CASE_TEMPLATE("cuda: larger sizes", T, GIVENS_TEST_TYPES) {
  Random random(12);
  for (const std::int64_t n : {64, 100, 127, 129}) {
    if (kFew && n > 64) break;
    for (const Schedule& schedule :
         {Schedule::xor_(n), Schedule::circle(n, n - 3), Schedule::team(n, 8),
          Schedule::brickwall(n), Schedule::butterfly(n)}) {
      check_all<T>(schedule, random_choice<T>(random), 1 + random.below(9), -1 - random.below(2),
                   random.below(2) == 1, {}, random);
    }
  }
}

TEST_CASE("cuda: 257 and 1000 coordinates") {
  Random random(13);
  if (kFewest) return;
  check_all<float>(Schedule::xor_(257), {}, 3, -1, false, {}, random);
  check_all<std::complex<float>>(Schedule::circle(257, 5), {true, true, false}, 2, -2, true, {},
                                 random);
  const Schedule schedule = Schedule::xor_(1000, 2);
  check_all<float>(schedule, {}, 2, -1, false, {}, random);
}

TEST_CASE_TEMPLATE("cuda: all numbers of vectors", T, GIVENS_TEST_TYPES) {
  Random random(14);
  for (const std::int64_t vectors : {0, 1, 2, 31, 33, 129, 300}) {
    if (kFewest && vectors > 33) break;
    for (const std::int64_t axis : {-1, -2}) {
      check_all<T>(Schedule::xor_(19), random_choice<T>(random), vectors, axis,
                   random.below(2) == 1, {}, random);
      check_all<T>(Schedule::circle(34), random_choice<T>(random), vectors, axis,
                   random.below(2) == 1, {}, random);
    }
  }
}

TEST_CASE_TEMPLATE("cuda: batches of matrices", T, GIVENS_TEST_TYPES) {
  Random random(15);
  for (const Shape& batch : {Shape{0}, Shape{1}, Shape{3, 4}, Shape{40}}) {
    if (kFewest && batch[0] > 3) break;
    for (const std::int64_t n : {2, 5, 8, 17}) {
      check_all<T>(Schedule::xor_(n), random_choice<T>(random), 3, -1, false, batch, random);
      check_all<T>(Schedule::circle(n), random_choice<T>(random), 2, -2, true, batch, random);
    }
  }
}

TEST_CASE_TEMPLATE("cuda: too little shared memory for one column", T, GIVENS_TEST_TYPES) {
  Random random(16);
  const SmallSharedMemory small(1024);
  const Schedule all[] = {Schedule::butterfly(264), Schedule::circle(264, 2),
                          Schedule::team(260, 8, 3), Schedule::xor_(257), Schedule::brickwall(258)};
  for (const Schedule& schedule : all) {
    const bool once = schedule.num_rotations() > 5000;
    if (kFew && once) break;
    if (kFewest && schedule.columns() == 2) break;
    check_all<T>(schedule, random_choice<T>(random), 1 + random.below(4), -1 - random.below(2),
                 random.below(2) == 1, once ? Shape{} : Shape{2}, random);
  }
}

TEST_CASE_TEMPLATE("cuda: angles near the limits of the two-multiply-add form", T,
                   GIVENS_TEST_TYPES) {
  Random random(17);
  using R = real_t<T>;
  for (const AngleKind kind : kAngleKinds) {
    CAPTURE(static_cast<int>(kind));
    for (const Schedule& schedule : {Schedule::xor_(33), Schedule::circle(40),
                                     Schedule::team(33, 8), Schedule::brickwall(20)}) {
      CAPTURE(schedule.repr());
      const PlansOfTest plans;
      auto parameters = random_parameters<R>(schedule, full_choice<T>(), random, {});
      parameters.angles = angles_of<R>(kind, schedule, random);
      const auto wide = widened(parameters);
      const auto x = random.array<T>({3, schedule.n()});
      const auto y = cuda_rotated(x, parameters, schedule);
      CHECK(vectors_error(y, reference_rotate(widened(x), wide, schedule, {}), schedule, -1) <= 1);
      const auto gy = random.array<T>({3, schedule.n()});
      const auto got = cuda_gradients(y, gy, parameters, schedule);
      const auto right = gradients<Wide<T>>(nullptr, widened(y), widened(gy), wide, schedule, {});
      CHECK(vectors_error(got.gx, right.gx, schedule, -1) <= 1);
      check_gradients(got.of, right.of, y, gy, schedule, {});
    }
  }
}
