// Loops over what a test should hold for. A failure shows the case.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include "givens/givens.hpp"
#include "problems.hpp"
#include "random.hpp"

namespace test {

// Calls body(schedule) for every kind of schedule of every size.
template <class Sizes, class Body>
void for_each_schedule(const Sizes& sizes, Random& random, Body&& body) {
  for (const std::int64_t n : sizes) {
    for (const givens::Schedule& schedule : schedules(n, random)) {
      CAPTURE(schedule.repr());
      body(schedule);
    }
  }
}

// Calls body(inverse) for U and for its adjoint.
template <class Body>
void for_each_direction(Body&& body) {
  for (const bool inverse : {false, true}) {
    CAPTURE(inverse);
    body(inverse);
  }
}

// Calls body(schedule, choice) for every choice of parameters for T, too.
template <class T, class Sizes, class Body>
void for_each_choice(const Sizes& sizes, Random& random, Body&& body) {
  for_each_schedule(sizes, random, [&](const givens::Schedule& schedule) {
    for (const Choice& choice : choices<T>()) {
      CAPTURE(choice.phases);
      CAPTURE(choice.diagonal);
      CAPTURE(choice.signs);
      body(schedule, choice);
    }
  });
}

}  // namespace test
