// The library used by several threads at once, and its own threads; the thread sanitizer sees to
// what the results do not show.
#include <doctest/doctest.h>

#include <atomic>
#include <cfenv>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include "array.hpp"
#include "calls.hpp"
#include "givens/givens.hpp"
#include "problems.hpp"
#include "random.hpp"
#include "runtime/floating_point.hpp"
#include "runtime/threads.hpp"

namespace {

using givens::Schedule;
using givens::runtime::parallel_for;
using test::Array;
using test::Random;

// Runs body(0) .. body(count - 1), each in a thread of its own.
template <class Body>
void in_threads(std::size_t count, Body&& body) {
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < count; ++t) threads.emplace_back([&body, t] { body(t); });
  for (std::thread& thread : threads) thread.join();
}

// Where threads wait until `count` of them have come. False if they do not come in a minute, which
// only happens if something is broken.
class Meeting {
 public:
  explicit Meeting(int count) : missing_(count) {}

  bool attend() {
    std::unique_lock<std::mutex> lock(mutex_);
    if (--missing_ <= 0) all_here_.notify_all();
    return all_here_.wait_for(lock, std::chrono::minutes(1), [this] { return missing_ <= 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable all_here_;
  int missing_;
};

// What every public function makes of some parameters and vectors.
struct Results {
  std::vector<float> U, y, x, gx, gangles, gangles_of_U;

  bool operator==(const Results& other) const {
    return U == other.U && y == other.y && x == other.x && gx == other.gx &&
           gangles == other.gangles && gangles_of_U == other.gangles_of_U;
  }
};

Results compute(const Schedule& schedule, const test::OwnedParameters<float>& parameters,
                const Array<float>& x, int num_threads) {
  const givens::RotateOptions options{-1, false, num_threads};
  const Array<float> U = test::matrix<float>(parameters, schedule, num_threads);
  const Array<float> y = test::rotated(x, parameters, schedule, options);
  const Array<float> back = test::rotated(y, parameters, schedule, {-1, true, num_threads});
  const auto g = test::gradients(y, back, parameters, schedule, options);
  const auto of_U = test::matrix_gradients(U, U, parameters, schedule, num_threads);
  return {U.values, y.values, back.values, g.gx.values, g.of.all(), of_U.all()};
}

// Several threads compute the same at once, each with `num_threads`, and then one does alone. The
// threads come first, so that they are the first to use the schedule.
void check_callers_at_once(const Schedule& schedule, const test::Shape& batch, std::int64_t vectors,
                           int num_threads, int repeats) {
  CAPTURE(schedule.repr());
  CAPTURE(batch.size());
  Random random(41);
  const auto parameters = test::random_parameters<float>(schedule, {}, random, batch);
  test::Shape shape = batch;
  shape.insert(shape.end(), {vectors, schedule.n()});
  const Array<float> x = random.array<float>(shape);
  std::vector<std::vector<Results>> together(4);
  Meeting start(static_cast<int>(together.size()));
  in_threads(together.size(), [&](std::size_t t) {
    start.attend();
    for (int k = 0; k < repeats; ++k) {
      together[t].push_back(compute(schedule, parameters, x, num_threads));
    }
  });
  const Results alone = compute(schedule, parameters, x, 1);
  for (const auto& results : together) {
    for (const Results& r : results) CHECK(r == alone);
  }
}

}  // namespace

// tests/cpp/CMakeLists.txt has a run of this alone, where nothing of the library has been used
// before.
TEST_CASE("first use of the library by several threads at once") {
  check_callers_at_once(Schedule::xor_(192), {}, 200, 3, 2);
}

TEST_CASE("large calls by several threads at once") {
  check_callers_at_once(Schedule::circle(192), {}, 200, 3, 1);
  check_callers_at_once(Schedule::xor_(64), {12}, 150, 3, 1);
}

TEST_CASE("small calls by several threads at once") {
  Random random(42);
  for (const Schedule& schedule : {Schedule::xor_(16), Schedule::circle(13),
                                   Schedule::from_rounds(6, test::random_rounds(6, random))}) {
    check_callers_at_once(schedule, {}, 5, 0, 20);
  }
}

TEST_CASE("parallel_for runs every task once, for several callers at once") {
  std::vector<int> wrong(4, 0);
  in_threads(wrong.size(), [&](std::size_t t) {
    for (int repeat = 0; repeat < 100; ++repeat) {
      const std::int64_t tasks = repeat % 20;
      std::vector<std::atomic<int>> runs(static_cast<std::size_t>(tasks));
      auto task = [&](std::int64_t k) { ++runs[static_cast<std::size_t>(k)]; };
      parallel_for(tasks, 1 + repeat % 5, task);
      for (const auto& count : runs) wrong[t] += count != 1;
    }
  });
  CHECK(wrong == std::vector<int>(4, 0));
}

TEST_CASE("parallel_for in a task of parallel_for") {
  std::atomic<int> runs{0};
  auto inner = [&](std::int64_t) { ++runs; };
  auto outer = [&](std::int64_t) { parallel_for(5, 3, inner); };
  parallel_for(4, 3, outer);
  CHECK(runs == 20);
}

TEST_CASE("parallel_for passes on an exception when all tasks are done") {
  std::atomic<int> runs{0};
  auto task = [&](std::int64_t k) {
    ++runs;
    if (k == 3) throw std::runtime_error("task 3");
  };
  CHECK_THROWS_WITH_AS(parallel_for(10, 3, task), "task 3", std::runtime_error);
  CHECK(runs == 10);
}

// Each task waits for the others, so that each is on a thread of its own.
TEST_CASE("parallel_for has its threads at once after another call, and when they sleep") {
  for (const int threads : {2, 5}) {
    CAPTURE(threads);
    for (int repeat = 0; repeat < 6; ++repeat) {
      if (repeat % 2 == 1) std::this_thread::sleep_for(std::chrono::milliseconds(2));
      Meeting meeting(threads);
      std::atomic<int> met{0};
      auto task = [&](std::int64_t) { met += meeting.attend() ? 1 : 0; };
      parallel_for(threads, threads, task);
      REQUIRE(met == threads);
    }
  }
}

TEST_CASE("tasks on other threads have the caller's floating-point environment") {
  std::fenv_t before;
  std::fegetenv(&before);
  for (const int mode : {FE_UPWARD, FE_DOWNWARD, FE_TONEAREST}) {
    std::fesetround(mode);
    // Each task waits for the other, so that they are on two threads.
    Meeting meeting(2);
    bool met[2] = {};
    int modes[2] = {};
    auto task = [&](std::int64_t k) {
      met[k] = meeting.attend();
      modes[k] = std::fegetround();
    };
    parallel_for(2, 2, task);
    std::fesetenv(&before);
    REQUIRE(met[0]);
    REQUIRE(met[1]);
    CHECK(modes[0] == mode);
    CHECK(modes[1] == mode);
  }
}

TEST_CASE("tasks on other threads treat subnormal numbers as the caller does") {
  for (const bool flush : {true, false}) {
    CAPTURE(flush);
    const givens::runtime::FlushSubnormals flushed(flush);
    Meeting meeting(2);
    const volatile double subnormal = 1e-310;
    bool met[2] = {};
    double halves[2] = {};
    auto task = [&](std::int64_t k) {
      met[k] = meeting.attend();
      halves[k] = subnormal / 2;
    };
    parallel_for(2, 2, task);
    REQUIRE(met[0]);
    REQUIRE(met[1]);
    CHECK((halves[0] == 0) == (flush && givens::runtime::kFlushSubnormals != 0));
    CHECK(halves[1] == halves[0]);
  }
}

TEST_CASE("each thread has its own default number of threads") {
  const int initial = givens::default_num_threads();
  CHECK(initial >= 1);
  givens::set_default_num_threads(initial + 1);
  int elsewhere = 0;
  int set_elsewhere = 0;
  in_threads(1, [&](std::size_t) {
    elsewhere = givens::default_num_threads();
    givens::set_default_num_threads(initial + 2);
    set_elsewhere = givens::default_num_threads();
  });
  CHECK(elsewhere == initial);
  CHECK(set_elsewhere == initial + 2);
  CHECK(givens::default_num_threads() == initial + 1);
  CHECK_THROWS_WITH_AS(givens::set_default_num_threads(-1),
                       "num_threads must be at least 1, or 0 to unset it, got -1",
                       std::invalid_argument);
  CHECK(givens::default_num_threads() == initial + 1);
  givens::set_default_num_threads(0);
  CHECK(givens::default_num_threads() == initial);
}

TEST_CASE("threads make, copy, compare and hash schedules") {
  const Schedule shared = Schedule::circle(24);
  const std::size_t hash = shared.hash();
  const auto pairs = shared.pairs();
  std::vector<int> wrong(8, 0);
  in_threads(wrong.size(), [&](std::size_t t) {
    std::vector<Schedule> kept;
    for (int repeat = 0; repeat < 30; ++repeat) {
      kept.push_back(shared);
      const Schedule copy = kept.back();
      const Schedule own = Schedule::circle(24);
      Schedule assigned = Schedule::xor_(repeat);
      assigned = copy;
      const bool right = copy == shared && own == shared && assigned.hash() == hash &&
                         own.hash() == hash && copy.pairs() == pairs &&
                         copy != Schedule::xor_(24) && shared.round(3) == own.round(3);
      wrong[t] += right ? 0 : 1;
      if (repeat % 3 == 0) kept.clear();
    }
  });
  CHECK(wrong == std::vector<int>(8, 0));
}
