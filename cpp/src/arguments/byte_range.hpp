// The memory that views span.
#pragma once

#include <cstdint>

#include "givens/view.hpp"

namespace givens {

// Addresses first .. last - 1.
struct ByteRange {
  std::uintptr_t first = 0;
  std::uintptr_t last = 0;

  friend bool overlap(const ByteRange& a, const ByteRange& b) {
    return a.first < b.last && b.first < a.last;
  }
};

// The range from a view's lowest byte to its highest, gaps included; empty for an empty view.
template <class T>
ByteRange bytes_of(const ArrayView<T>& view) {
  std::int64_t low = 0;
  std::int64_t high = 0;
  for (int d = 0; d < view.ndim(); ++d) {
    if (view.shape(d) == 0) return {};
    const std::int64_t span = (view.shape(d) - 1) * view.stride(d);
    (span < 0 ? low : high) += span;
  }
  const auto address = reinterpret_cast<std::uintptr_t>(view.data());
  const auto bytes = [](std::int64_t elements) {
    return static_cast<std::uintptr_t>(elements * static_cast<std::int64_t>(sizeof(T)));
  };
  return {address + bytes(low), address + bytes(high + 1)};
}

template <class A, class B>
bool overlap(const ArrayView<A>& a, const ArrayView<B>& b) {
  return overlap(bytes_of(a), bytes_of(b));
}

}  // namespace givens
