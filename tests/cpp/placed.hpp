// Arrays in memory of any layout.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "array.hpp"

namespace test {

// The axes from the outermost in `order`; elements are `gap` apart, and rows that and 3 more where
// `padded`. Axes of which `reversed` has the bit run backwards.
struct Layout {
  std::vector<std::size_t> order;
  std::int64_t gap = 1;
  unsigned reversed = 0;
  bool padded = true;
};

// An array with memory around it and between its elements, which must stay as it is.
template <class T>
class Placed {
 public:
  using Element = T;

  // No element has been written yet.
  Placed(const Shape& shape, const Layout& layout) {
    Shape strides(shape.size());
    std::int64_t next = layout.gap;
    for (std::size_t k = shape.size(); k-- > 0;) {
      const std::size_t axis = layout.order[k];
      strides[axis] = next;
      next = next * shape[axis] + (layout.padded ? 3 : 0);
    }
    storage_.assign(static_cast<std::size_t>(next + 2 * kMargin), T(kUntouched));
    std::int64_t first = kMargin;
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
      if ((layout.reversed >> axis & 1U) == 0) continue;
      first += (shape[axis] - 1) * strides[axis];
      strides[axis] = -strides[axis];
    }
    view_ = givens::ArrayView<T>(storage_.data() + first, static_cast<int>(shape.size()),
                                 shape.data(), strides.data());
  }
  Placed(const Array<T>& array, const Layout& layout) : Placed(array.shape, layout) {
    auto from = array.values.begin();
    for_each_element(view_, [&](T& element) { element = *from++; });
  }
  Placed(const Placed&) = delete;
  Placed& operator=(const Placed&) = delete;
  Placed(Placed&&) = default;  // the view stays right, as the memory stays where it is

  const givens::ArrayView<T>& view() const { return view_; }
  Array<T> values() const {
    Array<T> out(shape_of(view_));
    out.values = elements(view_);
    return out;
  }

  // Whether all elements have been written, and nothing else.
  bool only_elements_written() const {
    const auto untouched = std::count(storage_.begin(), storage_.end(), T(kUntouched));
    return static_cast<std::int64_t>(storage_.size()) - untouched == size_of(shape_of(view_));
  }

 private:
  static constexpr std::int64_t kMargin = 40;
  static constexpr int kUntouched = 77;
  std::vector<T> storage_;
  givens::ArrayView<T> view_;
};

}  // namespace test
