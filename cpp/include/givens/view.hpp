// Views of arrays that belong to the caller.
#pragma once

#include <array>
#include <complex>
#include <cstdint>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <type_traits>

namespace givens {

inline constexpr int kMaxDimensions = 32;

// A strided array that belongs to the caller. It has at most 32 axes. Strides are counted in
// elements and may be negative or zero.
//
//   std::vector<float> storage(3 * 64);
//   givens::ArrayView<float> rows(storage.data(), {3, 64});
template <class T>
class ArrayView {
 public:
  ArrayView() = default;

  // A contiguous array, the last axis fastest. All constructors throw std::invalid_argument for
  // more than 32 axes or a negative extent.
  ArrayView(T* data, std::initializer_list<std::int64_t> shape)
      : ArrayView(data, static_cast<int>(shape.size()), shape.begin(), nullptr) {}

  ArrayView(T* data, std::initializer_list<std::int64_t> shape,
            std::initializer_list<std::int64_t> strides)
      : ArrayView(data, static_cast<int>(shape.size()), shape.begin(),
                  strides.size() == shape.size()
                      ? strides.begin()
                      : throw std::invalid_argument("strides must be as many as axes, " +
                                                    std::to_string(shape.size()) + ", got " +
                                                    std::to_string(strides.size()))) {}

  // If `strides` is null, the array is contiguous.
  ArrayView(T* data, int ndim, const std::int64_t* shape, const std::int64_t* strides)
      : data_(data), ndim_(ndim) {
    if (ndim < 0 || ndim > kMaxDimensions) {
      throw std::invalid_argument("an array must have at most " + std::to_string(kMaxDimensions) +
                                  " axes, got " + std::to_string(ndim));
    }
    bool empty = false;
    for (int d = 0; d < ndim; ++d) {
      if (shape[d] < 0) {
        throw std::invalid_argument("an extent must not be negative, got " +
                                    std::to_string(shape[d]));
      }
      empty = empty || shape[d] == 0;
    }
    std::int64_t contiguous = 1;
    for (int d = ndim - 1; d >= 0; --d) {
      const auto k = static_cast<std::size_t>(d);
      shape_[k] = shape[d];
      strides_[k] = strides ? strides[d] : contiguous;
      // The extents of an empty array may be any numbers, and their product may overflow.
      if (!empty) contiguous *= shape[d];
    }
  }

  // A view of mutable data is a view of constant data.
  template <class U, class = std::enable_if_t<std::is_same_v<const U, T> && !std::is_same_v<U, T>>>
  ArrayView(const ArrayView<U>& other)
      : ArrayView(other.data(), other.ndim(), other.shape(), other.strides()) {}

  T* data() const { return data_; }
  int ndim() const { return ndim_; }
  const std::int64_t* shape() const { return shape_.data(); }
  const std::int64_t* strides() const { return strides_.data(); }
  std::int64_t shape(int axis) const { return shape_[static_cast<std::size_t>(axis)]; }
  std::int64_t stride(int axis) const { return strides_[static_cast<std::size_t>(axis)]; }

 private:
  T* data_ = nullptr;
  int ndim_ = 0;
  std::array<std::int64_t, kMaxDimensions> shape_{};
  std::array<std::int64_t, kMaxDimensions> strides_{};
};

// real_t<T> is the real type of a real or complex type T: real_t<std::complex<float>> is float.
template <class T>
struct RealOf {
  using type = T;
};
template <class R>
struct RealOf<std::complex<R>> {
  using type = R;
};
template <class T>
using real_t = typename RealOf<T>::type;

template <class T>
inline constexpr bool is_complex_v = false;
template <class R>
inline constexpr bool is_complex_v<std::complex<R>> = true;

}  // namespace givens
