#include <doctest/doctest.h>

#include <thread>

#include "runtime/environment.hpp"
#include "runtime/processor.hpp"

TEST_CASE("a process may use at least one processor, and no more than there are") {
  const int available = givens::runtime::available_processors();
  CHECK(available >= 1);
  const auto all = static_cast<int>(std::thread::hardware_concurrency());
  if (all > 0) CHECK(available <= all);
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
