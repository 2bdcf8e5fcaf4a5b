// Arrays in the memory of a GPU.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>
#include <string>
#include <vector>

#include "arrays/dtypes.hpp"
#include "givens/half.hpp"
#include "givens/view.hpp"

namespace givens::python::cuda {

namespace py = pybind11;

// The dtype of the parameters that go with vectors of a dtype.
Dtype parameters_of(Dtype dtype);

// Calls run(T{}) with the C++ type of a dtype.
template <class Run>
auto with_device_type(Dtype dtype, Run&& run) {
  if (dtype == Dtype::float16) return run(Half{});
  if (dtype == Dtype::bfloat16) return run(BFloat16{});
  return with_type(dtype, run);
}

// An array of the caller's and what keeps its memory. `name` is that of the argument, which is in
// every message about it.
struct DeviceArray {
  std::string name;
  void* data = nullptr;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;  // in elements
  Dtype dtype = Dtype::float32;
  int device = -1;  // -1: an empty array, whose device nothing tells
  bool read_only = false;
  bool copied = false;  // by its library, so that nobody would see what is written
  py::object exporter;  // whose end calls the exporter's deleter

  int ndim() const { return static_cast<int>(shape.size()); }

  template <class T>
  ArrayView<T> view() const {
    return ArrayView<T>(static_cast<T*>(data), ndim(), shape.data(), strides.data());
  }

  // The same with its leading axes repeated to the batch shape. It must have a last axis, and its
  // leading axes must broadcast to that shape.
  template <class T>
  ArrayView<T> view(const std::vector<std::int64_t>& batch) const {
    std::vector<std::int64_t> full_shape = batch;
    std::vector<std::int64_t> full_strides(batch.size(), 0);
    const std::size_t own = shape.size() - 1;
    const std::size_t missing = batch.size() - own;
    for (std::size_t d = 0; d < own; ++d) {
      if (shape[d] != 1) full_strides[missing + d] = strides[d];
    }
    full_shape.push_back(shape[own]);
    full_strides.push_back(strides[own]);
    return ArrayView<T>(static_cast<T*>(data), static_cast<int>(full_shape.size()),
                        full_shape.data(), full_strides.data());
  }
};

// From an object with `__dlpack__`. `stream` then waits for what computes it.
DeviceArray from_dlpack(py::handle object, const std::string& name, std::uintptr_t stream);

// From the dictionary `__cuda_array_interface__`, version 2 or 3. The memory belongs to the object
// that it came from. Where another stream is at work on the array, `stream` waits for it.
DeviceArray from_interface(const py::dict& interface, const std::string& name,
                           std::uintptr_t stream);

}  // namespace givens::python::cuda
