// Arrays in the memory of a GPU.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>
#include <string>
#include <vector>

#include "arrays/dtypes.hpp"
#include "givens/view.hpp"

namespace givens::python::cuda {

namespace py = pybind11;

// An array of the caller's library, whose memory is kept until `exporter` is dropped.
struct DeviceArray {
  std::string name;  // of the argument, for error messages
  void* data = nullptr;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;  // in elements
  Dtype dtype = Dtype::float32;
  int device = -1;  // its number; -1 for an empty array of unknown device
  bool read_only = false;
  bool copied = false;  // by its library when it was exported: the caller would not see a result
  py::object exporter;  // calls the exporter's deleter when it is destroyed

  int ndim() const { return static_cast<int>(shape.size()); }

  template <class T>
  ArrayView<T> view() const {
    return ArrayView<T>(static_cast<T*>(data), ndim(), shape.data(), strides.data());
  }
};

// Both make `stream` wait for the work that computes the array. They throw TypeError for an array
// of another dtype or in other memory, and ValueError if it is not aligned or has too many axes.

// Reads an object with `__dlpack__`.
DeviceArray from_dlpack(py::handle object, const std::string& name, std::uintptr_t stream);

// Reads the dictionary `__cuda_array_interface__`, version 2 or 3. The memory belongs to the object
// that the dictionary came from.
DeviceArray from_interface(const py::dict& interface, const std::string& name,
                           std::uintptr_t stream);

}  // namespace givens::python::cuda
