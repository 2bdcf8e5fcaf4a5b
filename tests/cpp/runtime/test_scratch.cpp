#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <thread>

#include "runtime/scratch.hpp"

using givens::runtime::Scratch;

namespace {

// A new thread keeps no memory yet.
template <class Body>
void on_new_thread(Body&& body) {
  std::thread(body).join();
}

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kKept = false;
#else
constexpr bool kKept = true;
#endif

}  // namespace

TEST_CASE("scratch memory is aligned for every vector, and may be empty") {
  for (const std::int64_t size : {0, 1, 3, 16, 1000, 1 << 20}) {
    const Scratch<float> scratch(size);
    CHECK(reinterpret_cast<std::uintptr_t>(scratch.data()) % 64 == 0);
    for (std::int64_t k = 0; k < size; ++k) scratch.data()[k] = 1.0F;
  }
}

TEST_CASE("scratch memory that is made smaller stays where it is") {
  Scratch<double> scratch(100);
  const double* before = scratch.data();
  scratch.resize(50);
  scratch.resize(100);
  CHECK(scratch.data() == before);
}

TEST_CASE("a thread keeps the scratch memory it gave back, for a call of about its size") {
  on_new_thread([] {
    const void* first = nullptr;
    {
      const Scratch<float> scratch(1000);
      first = scratch.data();
    }
    // These are held, so that the system does not happen to give the same memory again.
    const Scratch<float> far_smaller(10);
    const Scratch<float> larger(2000);
    CHECK(static_cast<const void*>(far_smaller.data()) != first);
    CHECK(static_cast<const void*>(larger.data()) != first);
    if (kKept) {
      const Scratch<double> about_its_size(400);
      CHECK(static_cast<const void*>(about_its_size.data()) == first);
    }
  });
}

TEST_CASE("what a thread keeps of scratch memory has an end") {
  if (!kKept) return;
  on_new_thread([] {
    using givens::runtime::kept_scratch;
    using givens::runtime::kMostKept;
    constexpr auto kHalf = static_cast<std::int64_t>(kMostKept / 2);
    CHECK(kept_scratch() == 0);
    {
      const Scratch<char> small(1000);
    }
    CHECK(kept_scratch() == 1024);
    {
      const Scratch<char> half(kHalf);
      const Scratch<char> other_half(kHalf);
      CHECK(kept_scratch() == 1024);
    }
    CHECK(kept_scratch() == kMostKept);  // the oldest has gone
    {
      const Scratch<char> too_large(kHalf * 2 + 1);
    }
    CHECK(kept_scratch() == kMostKept);
    {
      const Scratch<char> half(kHalf);
      CHECK(kept_scratch() == kMostKept / 2);
    }
    CHECK(kept_scratch() == kMostKept);
  });
}
