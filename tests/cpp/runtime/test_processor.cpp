#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "runtime/environment.hpp"
#include "runtime/processor.hpp"

TEST_CASE("a process may use at least one processor, and no more than there are") {
  const int available = givens::runtime::available_processors();
  CHECK(available >= 1);
  const auto all = static_cast<int>(std::thread::hardware_concurrency());
  if (all > 0) CHECK(available <= all);
}

TEST_CASE("the time that control groups allow") {
  namespace fs = std::filesystem;
  const fs::path root = fs::temp_directory_path() / "givens_test_cgroups";
  const auto write = [&](const std::string& file, const std::string& text) {
    fs::create_directories((root / file).parent_path());
    std::ofstream(root / file) << text;
  };
  const auto quota = [&] {
    const int found =
        givens::runtime::quota_of_cgroups((root / "proc").string(), (root / "sys").string());
    fs::remove_all(root);
    return found;
  };
  fs::remove_all(root);
  SUBCASE("none") { CHECK(quota() == 0); }
  SUBCASE("version 2, in a container, where the group is mounted") {
    write("proc/cgroup", "0::/\n");
    write("sys/cpu.max", "150000 100000\n");
    CHECK(quota() == 2);
  }
  SUBCASE("version 2, without a limit") {
    write("proc/cgroup", "0::/user.slice/a\n");
    write("sys/user.slice/a/cpu.max", "max 100000\n");
    CHECK(quota() == 0);
  }
  SUBCASE("version 2, the least of a group and those that contain it") {
    write("proc/cgroup", "0::/user.slice/a\n");
    write("sys/user.slice/a/cpu.max", "800000 100000\n");
    write("sys/user.slice/cpu.max", "300000 100000\n");
    CHECK(quota() == 3);
  }
  SUBCASE("version 1") {
    write("proc/cgroup", "12:memory:/m\n4:cpu,cpuacct:/docker/x\n1:name=systemd:/\n");
    write("sys/cpu,cpuacct/docker/x/cpu.cfs_quota_us", "50000\n");
    write("sys/cpu,cpuacct/docker/x/cpu.cfs_period_us", "100000\n");
    CHECK(quota() == 1);
  }
  SUBCASE("version 1, in a container, without a limit of its own") {
    write("proc/cgroup", "4:cpu,cpuacct:/docker/x\n");
    write("sys/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
    write("sys/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
    CHECK(quota() == 0);
  }
}

// The compiler's own detection is the oracle.
TEST_CASE("the instruction sets of the processor") {
#if defined(__x86_64__)
  __builtin_cpu_init();
  CHECK(givens::runtime::has_avx2() ==
        (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")));
  CHECK(givens::runtime::has_avx512() ==
        (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw")));
#else
  CHECK_FALSE(givens::runtime::has_avx2());
  CHECK_FALSE(givens::runtime::has_avx512());
#endif
}

TEST_CASE("a variable that is not set is empty") {
  CHECK(givens::runtime::environment_variable("GIVENS_NO_SUCH_VARIABLE").empty());
  CHECK_FALSE(givens::runtime::environment_variable("PATH").empty());
}
