#pragma once

namespace cuda_emulator {

// The place in a kernel's source where a thread waits. A function that takes a CallSite as its
// last, defaulted argument gets the line that it was called from.
struct CallSite {
  const char* file;
  int line;

  static constexpr CallSite here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    return {file, line};
  }
};

}  // namespace cuda_emulator
