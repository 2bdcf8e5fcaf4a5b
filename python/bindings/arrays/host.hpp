// Arrays in the CPU's memory: what a call is given, and what it returns. Types and dtypes are
// checked here, with the name of the argument in every message; shapes and values are checked by
// the core.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "arrays/dlpack.hpp"
#include "arrays/dtypes.hpp"
#include "givens/view.hpp"

namespace givens::python {

namespace py = pybind11;

// An array of one of the four dtypes: aligned and with strides that are multiples of the item size.
// An input that is not, a field of a structured array say, has been copied.
struct Array {
  ArrayView<std::byte> memory;  // strides in items
  Dtype dtype;
  bool writeable;
  py::object owner;  // of the memory: what was given, or a view or a copy of it
};

// The array as the core sees it.
template <class T>
ArrayView<T> view_of(const Array& array) {
  const auto& memory = array.memory;
  return ArrayView<T>(reinterpret_cast<T*>(memory.data()), memory.ndim(), memory.shape(),
                      memory.strides());
}

// The array as NumPy sees it.
py::array numpy_view_of(const Array& array);

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
  Array make(const std::vector<std::int64_t>& shape) const {
    return make(shape, dtype_v<T>);
  }

  // The array of the caller's library that is returned for one that `make` made, with its memory.
  // Throws TypeError if the library can make none.
  py::object result(const Array& made) const;

 private:
  enum class Access { input, real_input, output };

  Array viewed(py::handle object, const char* name, Access access);
  // By the library's functions in C; none if they give no array that can be used as it is.
  std::optional<Array> exchanged(py::handle object, const char* name, Access access) const;
  // Whether PyTorch says of its tensor that the memory holds its values and that no gradient gets
  // lost. Of other libraries' arrays this says false.
  bool holds_values(py::handle tensor, Dtype dtype) const;
  // Throws TypeError if the object is not of the library of the first array.
  void check_library(py::handle object, const char* name) const;
  Array make(const std::vector<std::int64_t>& shape, Dtype dtype) const;
  // That of the first array, which is not NumPy's: see _dispatch/libraries.py
  const py::object& library() const;

  py::handle first_;
  const char* first_name_ = nullptr;
  bool is_numpy_ = true;
  mutable py::object library_;                  // null until it is asked for
  const dlpack::Exchange* exchange_ = nullptr;  // of its library, if that offers it
};

}  // namespace givens::python
