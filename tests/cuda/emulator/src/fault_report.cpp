#include "fault_report.hpp"

#include <unistd.h>
#include <csignal>
#include <cstdio>

#include "cuda_emulator/index.hpp"
#include "memory.hpp"
#include "sanitizers.hpp"
#include "scheduler.hpp"

namespace cuda_emulator {

namespace {

// A signal's handler must not allocate memory.
void on_fault(int, siginfo_t* info, void*) {
  char place[160];
  char who[80] = "host code";
  describe_address(info->si_addr, place, sizeof place);
  if (current_thread) {
    std::snprintf(who, sizeof who, "block (%u,%u,%u), thread (%u,%u,%u)", blockIdx.x, blockIdx.y,
                  blockIdx.z, threadIdx.x, threadIdx.y, threadIdx.z);
  }
  char message[300];
  const int length =
      std::snprintf(message, sizeof message, "cuda_emulator: %s touches %s\n", who, place);
  [[maybe_unused]] const auto written =
      write(STDERR_FILENO, message, static_cast<std::size_t>(length));
  _exit(1);
}

bool install() {
  struct sigaction action = {};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO;
  return sigaction(SIGSEGV, &action, nullptr) == 0;
}

}  // namespace

void report_faults() {
  if (address_sanitizer) return;
  [[maybe_unused]] static const bool installed = install();
}

}  // namespace cuda_emulator
