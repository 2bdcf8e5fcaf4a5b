// Arrays in the CPU's memory: what a call is given, and what it returns. Types and dtypes are
// checked here, with the name of the argument in every message; shapes and values are checked by
// the core.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <array>
#include <cstdint>
#include <vector>

#include "dtypes.hpp"
#include "givens/view.hpp"

namespace givens::python {

namespace py = pybind11;

// An array of one of the four dtypes, or a NumPy view of another library's: aligned and with
// strides that are multiples of the item size. An input that is not, a field of a structured array
// say, has been copied.
struct Array {
  py::array array;
  Dtype dtype;
};

// The array as the core sees it. Its number of axes has been checked.
template <class T>
ArrayView<T> view_of(const py::array& array) {
  std::array<std::int64_t, kMaxDimensions> strides{};
  for (py::ssize_t d = 0; d < array.ndim(); ++d) {
    strides[static_cast<std::size_t>(d)] = array.strides(d) / array.itemsize();
  }
  // Writability was checked where it matters; numpy's own accessor would check again.
  auto* data = static_cast<T*>(const_cast<void*>(array.data()));
  return ArrayView<T>(data, static_cast<int>(array.ndim()), array.shape(), strides.data());
}

// The arrays of one call. They are NumPy arrays or those of another library that export their
// memory by DLPack, which must be the CPU's. All are of the library of the first one, and results
// are too.
//
// What is given is not copied: an `Array` holds on to it.
class CallArrays {
 public:
  // Throw TypeError if the object is no such array, of another library than the first or in other
  // memory, or if its dtype is none of the four (none of the two real ones for `real_input`). What
  // its library raises when it exports the array is raised.
  Array input(py::handle object, const char* name);
  Array real_input(py::handle object, const char* name);
  // An array to be written: throws ValueError also if it is read-only or not aligned.
  Array output(py::handle object, const char* name);

  // A new array for a result. An input comes first.
  template <class T>
  py::array make(const std::vector<std::int64_t>& shape) const {
    if (library_) return make_aligned(shape, py::dtype::of<T>());
    return py::array_t<T>(std::vector<py::ssize_t>(shape.begin(), shape.end()));
  }

  // The array of the caller's library that is returned for one that `make` made, with its memory.
  // Throws TypeError if the library can make none.
  py::object result(const py::array& made) const;

 private:
  py::array viewed(py::handle object, const char* name, const char* allowed);
  // Throws TypeError if the object is not of the library of the first array.
  void check_library(py::handle object, const char* name) const;
  py::array make_aligned(const std::vector<std::int64_t>& shape, const py::dtype& dtype) const;

  py::handle first_;
  const char* first_name_ = nullptr;
  py::object library_;      // null: NumPy. See _array_libraries.py
  bool has_numpy_ = false;  // whether its arrays have a method that views them as NumPy's
};

}  // namespace givens::python
