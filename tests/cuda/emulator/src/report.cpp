#include "report.hpp"

#include <cstdio>
#include <utility>

#include "api.hpp"
#include "cuda_emulator/control.hpp"

namespace cuda_emulator {

namespace {

// It is never destroyed: leaks are reported after the destructors of static objects.
std::string& reports() {
  static auto& text = *new std::string;
  return text;
}

}  // namespace

void report(const std::string& message) {
  std::fprintf(stderr, "cuda_emulator: %s\n", message.c_str());
  reports() += message + "\n";
}

std::string take_reports() {
  const ApiCall call;
  return std::exchange(reports(), {});
}

}  // namespace cuda_emulator
