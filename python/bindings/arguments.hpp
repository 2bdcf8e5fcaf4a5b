// From Python objects to checked C++ arguments. Types and dtypes are checked here, with the name of
// the argument in every message; shapes and values are checked by the core.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <optional>
#include <string>

#include "dtypes.hpp"
#include "givens/givens.hpp"

namespace givens::python {

namespace py = pybind11;

// The name of an object's type, as error messages show it.
std::string type_name(py::handle object);

// Each throws TypeError naming the argument if the object is not what it must be.
std::int64_t to_integer(py::handle object, const char* name);
std::optional<std::int64_t> to_optional_integer(py::handle object, const char* name);
bool to_bool(py::handle object, const char* name);
// At least 1, else ValueError; none if the object is None.
std::optional<int> to_num_threads(py::handle object);
const Schedule& to_schedule(py::handle object);

// A NumPy array of one of the four dtypes, aligned and with strides that are multiples of the item
// size: an input that is not, a field of a structured array say, has been copied.
struct Array {
  py::array array;
  Dtype dtype;
};

// Throws TypeError if the object is no NumPy array or its dtype none of the four (none of the two
// real ones for `to_real_array`).
Array to_array(py::handle object, const char* name);
Array to_real_array(py::handle object, const char* name);
// An array to be written: throws ValueError if it is read-only or not aligned.
Array to_output(py::handle object, const char* name);

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

}  // namespace givens::python
