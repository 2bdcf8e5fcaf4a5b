// Small kernels, each with one mistake that the emulator or a sanitizer must see.
#pragma once

#include "emulator/tests/device_array.hpp"

namespace planted_bugs {

constexpr unsigned full_mask = 0xffffffffu;

// Launches a kernel and says whether its results are right. They may be right where a tool reports
// the mistake.
using ResultsAreRight = bool (*)();

struct Registered {
  Registered(const char* name, ResultsAreRight results_are_right);
};

}  // namespace planted_bugs

using planted_bugs::full_mask;

// The head of the function that shows a bug; see ResultsAreRight.
#define PLANTED_BUG(name)                                        \
  bool name();                                                   \
  const planted_bugs::Registered registered_##name(#name, name); \
  bool name()
