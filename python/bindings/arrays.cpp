#include "arrays.hpp"

#include <pybind11/stl.h>

#include <algorithm>
#include <complex>
#include <new>
#include <optional>
#include <string>
#include <utility>

#include "arguments.hpp"
#include "dlpack.hpp"

namespace givens::python {

namespace {

// On a GPU 16-bit ones too.
constexpr const char* kAllDtypes = "float32, float64, complex64 or complex128 on the CPU";
constexpr const char* kRealDtypes = "float32 or float64";

// The dtype, if it is one of the four in native byte order.
std::optional<Dtype> known_dtype(const py::dtype& dtype) {
  switch (dtype.byteorder()) {
    case '=':
      break;
    default:
      return std::nullopt;
  }
  switch (dtype.num()) {
    case py::dtype::num_of<float>():
      return Dtype::float32;
    case py::dtype::num_of<double>():
      return Dtype::float64;
    case py::dtype::num_of<std::complex<float>>():
      return Dtype::complex64;
    case py::dtype::num_of<std::complex<double>>():
      return Dtype::complex128;
    default:
      return std::nullopt;
  }
}

[[noreturn]] void refuse_dtype(const char* name, const char* allowed, const std::string& got) {
  throw py::type_error(std::string(name) + " must be " + allowed + ", got " + got);
}

[[noreturn]] void refuse_axes(const char* name, std::size_t ndim) {
  throw py::value_error(std::string(name) + " must have at most " + std::to_string(kMaxDimensions) +
                        " axes, got " + std::to_string(ndim));
}

Array checked(py::array array, const char* name, const char* allowed, bool complex_too) {
  const std::optional<Dtype> dtype = known_dtype(array.dtype());
  if (!dtype || (is_complex(*dtype) && !complex_too)) {
    refuse_dtype(name, allowed, py::str(array.dtype()));
  }
  if (array.ndim() > kMaxDimensions) refuse_axes(name, static_cast<std::size_t>(array.ndim()));
  return {std::move(array), *dtype};
}

bool is_regular(const py::array& array) {
  if ((array.flags() & py::detail::npy_api::NPY_ARRAY_ALIGNED_) == 0) return false;
  for (py::ssize_t d = 0; d < array.ndim(); ++d) {
    if (array.strides(d) % array.itemsize() != 0) return false;
  }
  return true;
}

Array made_regular(Array input) {
  if (!is_regular(input.array)) input.array = input.array.attr("copy")();
  return input;
}

// --- Other libraries ---

// `library_of` of the package, which knows what other libraries are asked.
py::object library_of(py::handle object) {
  PYBIND11_CONSTINIT static py::gil_safe_call_once_and_store<py::object> storage;
  const py::object& find =
      storage
          .call_once_and_store_result([] {
            return py::object(py::module_::import("givens._array_libraries").attr("library_of"));
          })
          .get_stored();
  return find(object);
}

std::string kind_of(const py::object& library) {
  return library ? "an array of " + std::string(py::str(library.attr("name"))) : "a NumPy array";
}

void check_exports(py::handle object, const char* name) {
  if (dlpack::exports(object)) return;
  throw py::type_error(std::string(name) + " must be a NumPy array or one with __dlpack__, got " +
                       type_name(object));
}

// A NumPy view of another library's array in the CPU's memory.
py::array view_by_dlpack(py::handle object, const char* name, const char* allowed,
                         const py::object& library) {
  const auto check = [&](const dlpack::Device& device) {
    if (device.type != dlpack::kCpu && device.type != dlpack::kCudaPinned &&
        device.type != dlpack::kRocmPinned) {
      throw py::type_error(std::string(name) + " must be in the memory of the CPU, got " +
                           type_name(object) + " on " + dlpack::device_text(device));
    }
  };
  check(dlpack::device_of(object, name));
  library.attr("check")(object, name);
  const dlpack::Array source = dlpack::import(object, name, std::nullopt);
  check(source.device);
  const std::optional<Dtype> known = dlpack::dtype_of(source.dtype);
  if (!known || is_half(*known)) refuse_dtype(name, allowed, dlpack::dtype_text(source.dtype));
  if (source.shape.size() > static_cast<std::size_t>(kMaxDimensions)) {
    refuse_axes(name, source.shape.size());
  }
  const py::dtype dtype =
      with_type(*known, [](auto type) { return py::dtype::of<decltype(type)>(); });
  std::vector<py::ssize_t> strides;
  for (const std::int64_t stride : source.strides) strides.push_back(stride * dtype.itemsize());
  py::array view(dtype, std::vector<py::ssize_t>(source.shape.begin(), source.shape.end()),
                 std::move(strides), source.data, source.exporter);
  if (source.read_only || source.copied) {
    py::detail::array_proxy(view.ptr())->flags &= ~py::detail::npy_api::NPY_ARRAY_WRITEABLE_;
  }
  return view;
}

}  // namespace

py::array CallArrays::viewed(py::handle object, const char* name, const char* allowed) {
  const bool is_numpy = py::isinstance<py::array>(object);
  if (!first_) {
    if (!is_numpy) {
      check_exports(object, name);
      library_ = library_of(object);
      has_numpy_ = library_.attr("has_numpy").cast<bool>();
    }
    first_ = object;
    first_name_ = name;
  } else if (!(is_numpy && !library_) && Py_TYPE(object.ptr()) != Py_TYPE(first_.ptr())) {
    check_library(object, name);
  }
  if (is_numpy) return py::reinterpret_borrow<py::array>(object);
  if (has_numpy_) {
    static PyObject* const numpy = PyUnicode_InternFromString("numpy");
    const auto view =
        py::reinterpret_steal<py::object>(PyObject_CallMethodNoArgs(object.ptr(), numpy));
    if (view) return py::array(view);
    // What is wrong with it is said below.
    PyErr_Clear();
  }
  return view_by_dlpack(object, name, allowed, library_);
}

void CallArrays::check_library(py::handle object, const char* name) const {
  const bool is_numpy = py::isinstance<py::array>(object);
  if (!is_numpy) check_exports(object, name);
  const py::object library = is_numpy ? py::object() : library_of(object);
  if (library && library_ && library.attr("name").equal(library_.attr("name"))) return;
  throw py::type_error(std::string(name) + " must be " + kind_of(library_) + " as " + first_name_ +
                       " is, got " + kind_of(library));
}

Array CallArrays::input(py::handle object, const char* name) {
  return made_regular(checked(viewed(object, name, kAllDtypes), name, kAllDtypes, true));
}

Array CallArrays::real_input(py::handle object, const char* name) {
  return made_regular(checked(viewed(object, name, kRealDtypes), name, kRealDtypes, false));
}

Array CallArrays::output(py::handle object, const char* name) {
  Array output = checked(viewed(object, name, kAllDtypes), name, kAllDtypes, true);
  if (library_ && !library_.attr("writeable").cast<bool>()) {
    throw py::value_error(std::string(name) + " must be writeable, got " + kind_of(library_));
  }
  if (!output.array.writeable()) {
    throw py::value_error(std::string(name) + " must be writeable, got a read-only array");
  }
  if (!is_regular(output.array)) {
    throw py::value_error(std::string(name) +
                          " must be aligned, with strides that are multiples of its item size");
  }
  return output;
}

py::array CallArrays::make_aligned(const std::vector<std::int64_t>& shape,
                                   const py::dtype& dtype) const {
  // As PyTorch's own are; JAX copies what is aligned to less.
  constexpr std::uintptr_t kAlignment = 64;
  const bool empty = std::find(shape.begin(), shape.end(), 0) != shape.end();
  py::ssize_t size = empty ? 0 : dtype.itemsize();
  for (const std::int64_t extent : shape) {
    if (size > PY_SSIZE_T_MAX / 2 / std::max<std::int64_t>(extent, 1)) throw std::bad_alloc();
    size *= extent;
  }
  const py::array_t<std::uint8_t> memory(size + static_cast<py::ssize_t>(kAlignment));
  const auto start = reinterpret_cast<std::uintptr_t>(memory.data());
  const std::uintptr_t aligned = (start + kAlignment - 1) / kAlignment * kAlignment;
  return py::array(dtype, std::vector<py::ssize_t>(shape.begin(), shape.end()), {},
                   reinterpret_cast<void*>(aligned), memory);
}

py::object CallArrays::result(const py::array& made) const {
  if (!library_) return made;
  return library_.attr("from_numpy")(made, first_);
}

}  // namespace givens::python
