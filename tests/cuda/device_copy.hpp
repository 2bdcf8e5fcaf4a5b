// Arrays in device memory.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <optional>
#include <stdexcept>

#include "array.hpp"

namespace test {

inline void require(cudaError_t status) {
  if (status != cudaSuccess) throw std::runtime_error(cudaGetErrorString(status));
}

// A copy on the current device of an array, or of none.
template <class T>
class DeviceCopy {
 public:
  explicit DeviceCopy(const std::optional<Array<T>>& from) {
    if (from) copy(*from);
  }
  explicit DeviceCopy(const Array<T>& from) { copy(from); }
  ~DeviceCopy() { cudaFree(data_); }
  DeviceCopy(const DeviceCopy&) = delete;
  DeviceCopy& operator=(const DeviceCopy&) = delete;

  givens::ArrayView<T> view() const {
    return {data_, static_cast<int>(shape_.size()), shape_.data(), nullptr};
  }
  std::optional<givens::ArrayView<T>> view_if_any() const {
    if (!data_) return std::nullopt;
    return view();
  }
  T* data() const { return data_; }

  Array<T> copied_back() const {
    Array<T> out(shape_);
    require(cudaMemcpy(out.values.data(), data_, bytes(), cudaMemcpyDeviceToHost));
    return out;
  }

 private:
  void copy(const Array<T>& from) {
    shape_ = from.shape;
    count_ = from.values.size();
    require(cudaMalloc(reinterpret_cast<void**>(&data_), bytes() + 1));
    require(cudaMemcpy(data_, from.values.data(), bytes(), cudaMemcpyHostToDevice));
  }

  std::size_t bytes() const { return count_ * sizeof(T); }

  Shape shape_;
  std::size_t count_ = 0;
  T* data_ = nullptr;
};

}  // namespace test
