// Runs the planted bug whose name is the argument.
#include <cstdio>
#include <string>

#include "planted_bugs.hpp"

namespace {

struct Bug {
  const char* name;
  bool (*results_are_right)();
};

using namespace planted_bugs;

constexpr Bug bugs[] = {
    {"none", none},
    {"missing_barrier", missing_barrier},
    {"divergent_barrier", divergent_barrier},
    {"barrier_after_exit", barrier_after_exit},
    {"missing_syncwarp", missing_syncwarp},
    {"absent_lane", absent_lane},
    {"uninitialised_shared", uninitialised_shared},
    {"shared_out_of_bounds", shared_out_of_bounds},
    {"global_out_of_bounds", global_out_of_bounds},
    {"misaligned_vector", misaligned_vector},
    {"race_between_blocks", race_between_blocks},
    {"plain_sum", plain_sum},
    {"relaxed_message", relaxed_message},
    {"missing_fence", missing_fence},
    {"endless_wait", endless_wait},
    {"null_pointer", null_pointer},
    {"host_pointer", host_pointer},
    {"host_touches_device", host_touches_device},
    {"leak", leak},
};

}  // namespace

int main(int argc, char** argv) {
  for (const Bug& bug : bugs) {
    if (argc != 2 || std::string(argv[1]) != bug.name) continue;
    const bool right = bug.results_are_right();
    std::printf("%s: %s\n", bug.name, right ? "results are right" : "results are wrong");
    return right ? 0 : 1;
  }
  std::fprintf(stderr, "usage: %s NAME, the name of a planted bug\n", argv[0]);
  return 2;
}
