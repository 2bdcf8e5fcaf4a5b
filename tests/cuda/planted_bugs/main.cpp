// Runs the planted bug whose name is the argument.
#include <cstdio>
#include <map>
#include <string>

#include "planted_bugs.hpp"

namespace planted_bugs {

namespace {

std::map<std::string, ResultsAreRight>& bugs() {
  static std::map<std::string, ResultsAreRight> all;
  return all;
}

}  // namespace

Registered::Registered(const char* name, ResultsAreRight results_are_right) {
  bugs()[name] = results_are_right;
}

}  // namespace planted_bugs

int main(int argc, char** argv) {
  const auto bug = planted_bugs::bugs().find(argc == 2 ? argv[1] : "");
  if (bug == planted_bugs::bugs().end()) {
    std::fprintf(stderr, "usage: %s NAME, the name of a planted bug\n", argv[0]);
    return 2;
  }
  const bool right = bug->second();
  std::printf("%s: %s\n", argv[1], right ? "results are right" : "results are wrong");
  return right ? 0 : 1;
}
