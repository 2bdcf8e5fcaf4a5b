// Arrays in the CPU's memory: what a call is given, and what it returns. Types and dtypes are
// checked here, with the name of the argument in every message; shapes and values are checked by
// the core.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "arrays/dlpack.hpp"
#include "arrays/dtypes.hpp"
#include "givens/view.hpp"

namespace givens::python {

namespace py = pybind11;

// An array of one of the dtypes that is aligned and whose strides are multiples of the item size.
// Other inputs, a field of a structured array say, have been copied.
struct HostArray {
  const char* name;             // of the argument; of an array for a result, "the result"
  ArrayView<std::byte> memory;  // strides in items
  Dtype dtype;
  bool writeable;
  py::object owner;  // keeps the memory: what was given, or a view or a copy of it

  // The array as the core sees it.
  template <class T>
  ArrayView<T> view() const {
    return ArrayView<T>(reinterpret_cast<T*>(memory.data()), memory.ndim(), memory.shape(),
                        memory.strides());
  }

  // The array as NumPy sees it.
  py::array numpy_view() const;

  std::vector<std::int64_t> shape() const {
    return {memory.shape(), memory.shape() + memory.ndim()};
  }
};

// The arrays of one call, all of one library: NumPy's, or arrays of another library that export
// their memory by DLPack. Results are arrays of that library too.
//
// What is given is not copied: a `HostArray` keeps it alive.
class CallArrays {
 public:
  // Throws TypeError if the object is no array, is of another library than the first array, is not
  // in the CPU's memory, or has none of the dtypes; `wide_input` takes none of 16 bits, and
  // `real_input` float32 and float64 only. An exception that the array's library raises when it
  // exports the array is passed on.
  HostArray input(py::handle object, const char* name);
  HostArray wide_input(py::handle object, const char* name);
  HostArray real_input(py::handle object, const char* name);
  // Return none if the object is None.
  std::optional<HostArray> optional_wide_input(py::handle object, const char* name);
  std::optional<HostArray> optional_real_input(py::handle object, const char* name);
  // An array to be written: throws ValueError also if it is read-only or not aligned.
  HostArray output(py::handle object, const char* name);

  // A new array for a result. An input comes first.
  template <class T>
  HostArray make(const std::vector<std::int64_t>& shape) const {
    return make(shape, dtype_v<T>);
  }

  // A new array of the caller's library, with the numbers of a vector in C order.
  template <class R>
  py::object filled(const std::vector<R>& numbers, const std::vector<std::int64_t>& shape) const {
    const HostArray made = make<R>(shape);
    std::copy(numbers.begin(), numbers.end(), made.view<R>().data());
    return result(made);
  }

  // The array of the caller's library, with the memory of one that `make` made; None if there is
  // none. Throws TypeError if the library can make no arrays.
  py::object result(const HostArray& made) const;
  py::object result(const std::optional<HostArray>& made) const;

 private:
  enum class Access { input, wide_input, real_input, output };

  static bool allows(Access access, Dtype dtype);
  HostArray viewed(py::handle object, const char* name, Access access);
  // Reads an array by its library's functions in C; none if the array cannot be used as it is.
  std::optional<HostArray> exchanged(py::handle object, const char* name, Access access) const;
  // Whether PyTorch says of its tensor that the memory holds its values and that no gradient gets
  // lost. False for arrays of other libraries.
  bool holds_values(py::handle tensor, Dtype dtype) const;
  // Throws TypeError if the object is not of the library of the first array.
  void check_library(py::handle object, const char* name) const;
  HostArray make(const std::vector<std::int64_t>& shape, Dtype dtype) const;
  // The `Library` of the first array, which is not NumPy's: see givens/_dispatch/libraries.py.
  const py::object& library() const;

  py::handle first_;
  const char* first_name_ = nullptr;
  bool is_numpy_ = true;
  mutable py::object library_;                  // null until it is asked for
  const dlpack::Exchange* exchange_ = nullptr;  // of the library, if it offers one
};

}  // namespace givens::python
