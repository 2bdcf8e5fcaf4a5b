// Schedules and the public functions used by several threads at once; the thread sanitizer sees to
// what the results do not show.
#include <doctest/doctest.h>

#include <cstddef>
#include <thread>
#include <vector>

#include "array.hpp"
#include "givens/givens.hpp"
#include "problems.hpp"
#include "random.hpp"

namespace {

using givens::Schedule;
using test::Array;
using test::Random;

// Runs body(0) .. body(count - 1), each in a thread of its own.
template <class Body>
void in_threads(std::size_t count, Body&& body) {
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < count; ++t) threads.emplace_back([&body, t] { body(t); });
  for (std::thread& thread : threads) thread.join();
}

}  // namespace

TEST_CASE("threads share a schedule, parameters and inputs, and write their own outputs") {
  Random random(41);
  const Schedule schedules[] = {Schedule::xor_(16), Schedule::circle(13),
                                Schedule::from_rounds(6, test::random_rounds(6, random))};
  for (const Schedule& schedule : schedules) {
    CAPTURE(schedule.repr());
    const std::int64_t n = schedule.n();
    const auto parameters = test::random_parameters<double>(schedule, {}, random);
    const Array<double> x = random.array<double>({5, n});

    struct Results {
      Array<double> y;
      Array<double> U;
      Array<double> gx;
      Array<double> gangles;
      Array<double> gangles_of_U;
    };
    const auto compute = [&](Results& r) {
      const auto views = parameters.views();
      givens::rotate<double>(x.view(), views, schedule, r.y.view());
      givens::matrix<double>(views, schedule, r.U.view());
      givens::rotate_vjp<double>(r.y.view(), x.view(), views, schedule, r.gx.view(),
                                 {r.gangles.view(), {}, {}});
      givens::matrix_vjp<double>(r.U.view(), r.U.view(), views, schedule,
                                 {r.gangles_of_U.view(), {}, {}});
    };
    const Array<double> of_angles({schedule.num_rotations()});
    const Results empty{Array<double>({5, n}), Array<double>({n, n}), Array<double>({5, n}),
                        of_angles, of_angles};
    // The threads come first, so that they are the first to use the schedule.
    std::vector<Results> together(4, empty);
    in_threads(together.size(), [&](std::size_t t) {
      for (int repeat = 0; repeat < 20; ++repeat) compute(together[t]);
    });
    Results alone = empty;
    compute(alone);
    for (const Results& r : together) {
      CHECK(r.y.values == alone.y.values);
      CHECK(r.U.values == alone.U.values);
      CHECK(r.gx.values == alone.gx.values);
      CHECK(r.gangles.values == alone.gangles.values);
      CHECK(r.gangles_of_U.values == alone.gangles_of_U.values);
    }
  }
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
