// Random numbers that are the same on every machine.
#pragma once

#include <cstdint>
#include <random>

#include "array.hpp"

namespace test {

class Random {
 public:
  explicit Random(std::uint32_t seed) : bits_(seed) {}

  // From -1 to 1.
  double uniform() { return static_cast<double>(bits_()) / 2147483648.0 - 1.0; }

  // From 0 to n - 1.
  std::int64_t below(std::int64_t n) { return static_cast<std::int64_t>(bits_()) % n; }

  // Entries, or their real and imaginary parts, from -scale to scale.
  template <class T>
  Array<T> array(const Shape& shape, double scale = 1.0) {
    using R = givens::real_t<T>;
    Array<T> out(shape);
    for (T& value : out.values) {
      if constexpr (givens::is_complex_v<T>) {
        const R real = static_cast<R>(scale * uniform());
        value = T(real, static_cast<R>(scale * uniform()));
      } else {
        value = static_cast<R>(scale * uniform());
      }
    }
    return out;
  }

 private:
  std::mt19937 bits_;
};

}  // namespace test
