#include "runtime/processor.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#elif defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#if !defined(NOMINMAX)
#define NOMINMAX
#endif
#include <windows.h>
#endif
#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace givens::runtime {

namespace {

// `quota` microseconds in each `period`, in processors; 0 if one of them is no limit.
int processors_of(double quota, double period) {
  if (!(quota > 0) || !(period > 0)) return 0;
  return static_cast<int>(std::min(std::max(std::ceil(quota / period), 1.0), 1e6));
}

double number_in(const std::string& file) {
  double value = 0;
  std::ifstream(file) >> value;
  return value;
}

int limit_of_group(const std::string& folder, bool is_version_2) {
  if (!is_version_2) {
    return processors_of(number_in(folder + "/cpu.cfs_quota_us"),
                         number_in(folder + "/cpu.cfs_period_us"));
  }
  // "max 100000" or "150000 100000".
  double quota = 0, period = 0;
  std::ifstream(folder + "/cpu.max") >> quota >> period;
  return processors_of(quota, period);
}

}  // namespace

int quota_of_cgroups(const std::string& proc, const std::string& cgroup) {
  int least = 0;
  const auto count = [&](int limit) {
    if (limit > 0 && (least == 0 || limit < least)) least = limit;
  };
  std::ifstream groups(proc + "/cgroup");
  // A line is "id:controllers:path"; version 2 has no controllers.
  for (std::string line; std::getline(groups, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool is_version_2 = controllers.empty();
    const bool has_cpu = ("," + controllers + ",").find(",cpu,") != std::string::npos;
    if (!is_version_2 && !has_cpu) continue;
    const std::string root = is_version_2 ? cgroup : cgroup + "/" + controllers;
    for (std::string path = line.substr(second + 1); !path.empty();
         path.resize(path.find_last_of('/'))) {
      if (path != "/") count(limit_of_group(root + path, is_version_2));
    }
    count(limit_of_group(root, is_version_2));
  }
  return least;
}

int available_processors() {
  int processors = 0;
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) processors = CPU_COUNT(&set);
#elif defined(_WIN32)
  // Both masks are 0 for a process that may use more than one group of 64 processors.
  DWORD_PTR process = 0;
  DWORD_PTR system = 0;
  if (GetProcessAffinityMask(GetCurrentProcess(), &process, &system) != 0) {
    for (; process != 0; process &= process - 1) ++processors;
  }
#endif
  if (processors == 0) processors = static_cast<int>(std::thread::hardware_concurrency());
#if defined(__linux__)
  const int quota = quota_of_cgroups("/proc/self", "/sys/fs/cgroup");
  if (quota > 0) processors = std::min(processors, quota);
#endif
  return std::max(processors, 1);
}

#if defined(__x86_64__)
// The instruction CPUID is asked, since __builtin_cpu_supports needs a compiler's runtime library
// that Clang does not link on Windows.

namespace {

struct Features {
  bool avx2 = false;
  bool avx512 = false;
};

// The register XCR0: which registers the system saves when it switches threads.
std::uint32_t saved_registers() {
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

Features features() {
  constexpr std::uint32_t kAvxRegisters = 0x6;      // XMM, YMM
  constexpr std::uint32_t kAvx512Registers = 0xe0;  // masks, ZMM0-15, ZMM16-31
  constexpr std::uint32_t kAvx512 = bit_AVX512F | bit_AVX512VL | bit_AVX512DQ | bit_AVX512BW;
  std::uint32_t a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & bit_OSXSAVE) == 0) return {};
  const std::uint32_t saved = saved_registers();
  const bool fma = (c & bit_FMA) != 0;
  if ((saved & kAvxRegisters) != kAvxRegisters) return {};
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return {};
  Features result;
  result.avx2 = fma && (b & bit_AVX2) != 0;
#if defined(__APPLE__)
  // macOS turns these registers on when a thread first uses them.
  result.avx512 = (b & kAvx512) == kAvx512;
#else
  result.avx512 = (b & kAvx512) == kAvx512 && (saved & kAvx512Registers) == kAvx512Registers;
#endif
  return result;
}

}  // namespace

bool has_avx2() { return features().avx2; }
bool has_avx512() { return features().avx512; }

#else

bool has_avx2() { return false; }
bool has_avx512() { return false; }

#endif

}  // namespace givens::runtime
