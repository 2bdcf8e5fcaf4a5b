// Arrays in device memory.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <stdexcept>
#include <utility>

#include "array.hpp"

namespace test {

inline void require(cudaError_t status) {
  if (status != cudaSuccess) throw std::runtime_error(cudaGetErrorString(status));
}

// A copy on the current device of an array.
template <class T>
class DeviceCopy {
 public:
  using Element = T;

  explicit DeviceCopy(const Array<T>& from) : shape_(from.shape), count_(from.values.size()) {
    require(cudaMalloc(reinterpret_cast<void**>(&data_), bytes() + 1));
    require(cudaMemcpy(data_, from.values.data(), bytes(), cudaMemcpyHostToDevice));
  }
  ~DeviceCopy() { cudaFree(data_); }
  DeviceCopy(const DeviceCopy&) = delete;
  DeviceCopy& operator=(const DeviceCopy&) = delete;
  DeviceCopy(DeviceCopy&& other)
      : shape_(std::move(other.shape_)),
        count_(other.count_),
        data_(std::exchange(other.data_, nullptr)) {}

  givens::ArrayView<T> view() const {
    return {data_, static_cast<int>(shape_.size()), shape_.data(), nullptr};
  }
  T* data() const { return data_; }

  Array<T> copied_back() const {
    Array<T> out(shape_);
    require(cudaMemcpy(out.values.data(), data_, bytes(), cudaMemcpyDeviceToHost));
    return out;
  }

 private:
  std::size_t bytes() const { return count_ * sizeof(T); }

  Shape shape_;
  std::size_t count_;
  T* data_ = nullptr;
};

}  // namespace test
