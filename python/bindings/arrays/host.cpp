#include "arrays/host.hpp"

#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <complex>
#include <new>
#include <optional>
#include <string>
#include <utility>

#include "arguments.hpp"

namespace givens::python {

namespace {

constexpr const char* kWideDtypes = "float32, float64, complex64 or complex128";
constexpr const char* kRealDtypes = "float32 or float64";
constexpr const char* kResult = "the result";

// The dtype, if it is a known one in native byte order. NumPy has bfloat16 from ml_dtypes, or from
// another package.
std::optional<Dtype> known_dtype(const py::dtype& dtype) {
  if (dtype.byteorder() != '=') return std::nullopt;
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
      if (dtype.itemsize() != 2) return std::nullopt;
      if (dtype.kind() == 'f') return Dtype::float16;
      if (py::str(dtype.attr("name")).equal(py::str("bfloat16"))) return Dtype::bfloat16;
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

bool is_regular(const py::array& array) {
  if ((array.flags() & py::detail::npy_api::NPY_ARRAY_ALIGNED_) == 0) return false;
  for (py::ssize_t d = 0; d < array.ndim(); ++d) {
    if (array.strides(d) % array.itemsize() != 0) return false;
  }
  return true;
}

// An array that is regular.
HostArray from_numpy(const char* name, py::array array, Dtype dtype) {
  std::array<std::int64_t, kMaxDimensions> strides{};
  for (py::ssize_t d = 0; d < array.ndim(); ++d) {
    strides[static_cast<std::size_t>(d)] = array.strides(d) / array.itemsize();
  }
  // Writability is checked where it matters; numpy's own accessor would check again.
  auto* data = static_cast<std::byte*>(const_cast<void*>(array.data()));
  const ArrayView<std::byte> memory(data, static_cast<int>(array.ndim()), array.shape(),
                                    strides.data());
  return {name, memory, dtype, array.writeable(), std::move(array)};
}

py::dtype numpy_dtype(Dtype dtype) {
  PYBIND11_CONSTINIT static PackageObject bfloat16{"ml_dtypes", "bfloat16"};
  if (dtype == Dtype::float16) return py::dtype("float16");
  if (dtype == Dtype::bfloat16) return py::dtype::from_args(bfloat16.get());
  return with_type(dtype, [](auto type) { return py::dtype::of<decltype(type)>(); });
}

// --- Other libraries ---

// The `Library` of an array, by `library_of_class` of the package.
py::object library_of(py::handle object) {
  PYBIND11_CONSTINIT static PackageObject library_of_class{"givens._dispatch.libraries",
                                                           "library_of_class"};
  return library_of_class.get()(py::type::handle_of(object));
}

std::string kind_of(const py::object& library) {
  return library ? "an array of " + std::string(py::str(library.attr("name"))) : "a NumPy array";
}

// Whether np.asarray makes an array of numbers of an object: lists, data frames, buffers.
bool converts(py::handle object) {
  return py::isinstance<py::list>(object) || py::isinstance<py::tuple>(object) ||
         PyObject_CheckBuffer(object.ptr()) != 0 || py::hasattr(object, "__array__") ||
         py::hasattr(object, "__array_interface__");
}

void check_exports(py::handle object, const char* name) {
  if (dlpack::exports(object)) return;
  std::string message =
      std::string(name) + " must be a NumPy array or one with __dlpack__, got " + type_name(object);
  const std::string hint = py::str(library_of(object).attr("hint"));
  if (!hint.empty()) {
    message += hint;
  } else if (converts(object)) {
    message += ": np.asarray(" + std::string(name) + ", dtype=...) makes one";
  }
  throw py::type_error(message);
}

// Whether an object is of NumPy's own class and of none that is derived from it.
bool is_plain_numpy(py::handle object) {
  return Py_TYPE(object.ptr()) == py::detail::npy_api::get().PyArray_Type_;
}

// What a mask hides would count.
void check_unmasked(py::handle object, const char* name) {
  PYBIND11_CONSTINIT static PackageObject masked_array{"numpy.ma", "MaskedArray"};
  if (!py::isinstance(object, masked_array.get())) return;
  throw py::type_error(std::string(name) +
                       " must be an array without a mask, got MaskedArray: its filled() puts "
                       "numbers in the place of what is masked, and its data has what was there");
}

bool is_host(const dlpack::Device& device) {
  return device.type == dlpack::kCpu || device.type == dlpack::kCudaPinned ||
         device.type == dlpack::kRocmPinned;
}

bool is_false(PyObject* object) {
  const auto owned = py::reinterpret_steal<py::object>(object);
  if (!owned) PyErr_Clear();
  return owned.ptr() == Py_False;
}

// Whether an array has numbers but no memory for them, as fake tensors of PyTorch.
bool lacks_memory(const void* data, const std::int64_t* shape, std::size_t ndim) {
  return !data && std::find(shape, shape + ndim, 0) == shape + ndim;
}

// A NumPy view of another library's array in the CPU's memory.
py::array view_by_dlpack(py::handle object, const char* name, const char* allowed,
                         const py::object& library) {
  const auto check = [&](const dlpack::Device& device) {
    if (!is_host(device)) {
      throw py::type_error(std::string(name) + " must be in the memory of the CPU, got " +
                           type_name(object) + " on " + dlpack::device_text(device));
    }
  };
  check(dlpack::device_of(object, name));
  library.attr("check")(object, name);
  const dlpack::Array source = dlpack::import(object, name, std::nullopt);
  check(source.device);
  if (lacks_memory(source.data, source.shape.data(), source.shape.size())) {
    throw py::type_error(std::string(name) + " must have its numbers in memory, got " +
                         type_name(object) + " without any");
  }
  const std::optional<Dtype> known = dlpack::dtype_of(source.dtype);
  if (!known) refuse_dtype(name, allowed, dlpack::dtype_text(source.dtype));
  if (source.shape.size() > static_cast<std::size_t>(kMaxDimensions)) {
    refuse_axes(name, source.shape.size());
  }
  const py::dtype dtype = numpy_dtype(*known);
  std::vector<py::ssize_t> strides;
  for (const std::int64_t stride : source.strides) strides.push_back(stride * dtype.itemsize());
  py::array view(dtype, std::vector<py::ssize_t>(source.shape.begin(), source.shape.end()),
                 std::move(strides), source.data, source.exporter);
  if (source.read_only || source.copied) {
    py::detail::array_proxy(view.ptr())->flags &= ~py::detail::npy_api::NPY_ARRAY_WRITEABLE_;
  }
  return view;
}

// An array aligned to 64 bytes; JAX would copy one aligned to less.
py::array make_aligned(const std::vector<std::int64_t>& shape, const py::dtype& dtype) {
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

}  // namespace

py::array HostArray::numpy_view() const {
  const py::dtype type = numpy_dtype(dtype);
  std::vector<py::ssize_t> strides(memory.strides(), memory.strides() + memory.ndim());
  for (py::ssize_t& stride : strides) stride *= type.itemsize();
  return py::array(type, shape(), std::move(strides), memory.data(), owner);
}

bool CallArrays::allows(Access access, Dtype dtype) {
  if (access == Access::real_input) return !is_complex(dtype) && !is_half(dtype);
  return access != Access::wide_input || !is_half(dtype);
}

HostArray CallArrays::viewed(py::handle object, const char* name, Access access) {
  const bool is_numpy = py::isinstance<py::array>(object);
  if (is_numpy && !is_plain_numpy(object)) check_unmasked(object, name);
  if (!first_) {
    if (!is_numpy) {
      check_exports(object, name);
      exchange_ = dlpack::exchange_of(Py_TYPE(object.ptr()));
    }
    first_ = object;
    first_name_ = name;
    is_numpy_ = is_numpy;
  } else if (!(is_numpy && is_numpy_) && Py_TYPE(object.ptr()) != Py_TYPE(first_.ptr())) {
    const bool known = exchange_ && exchange_ == dlpack::exchange_of(Py_TYPE(object.ptr()));
    if (!known) check_library(object, name);
  }
  if (exchange_) {
    if (std::optional<HostArray> array = exchanged(object, name, access)) return *std::move(array);
    // The code below says what is wrong with it.
  }
  const char* allowed = access == Access::real_input   ? kRealDtypes
                        : access == Access::wide_input ? kWideDtypes
                                                       : kAllDtypes;
  py::array array = is_numpy ? py::reinterpret_borrow<py::array>(object)
                             : view_by_dlpack(object, name, allowed, library());
  const std::optional<Dtype> dtype = known_dtype(array.dtype());
  if (!dtype || !allows(access, *dtype)) {
    refuse_dtype(name, allowed, py::str(array.dtype()));
  }
  if (array.ndim() > kMaxDimensions) refuse_axes(name, static_cast<std::size_t>(array.ndim()));
  if (!is_regular(array)) {
    if (access == Access::output) {
      throw py::value_error(std::string(name) +
                            " must be aligned, with strides that are multiples of its item size");
    }
    array = array.attr("copy")();
  }
  return from_numpy(name, std::move(array), *dtype);
}

std::optional<HostArray> CallArrays::exchanged(py::handle object, const char* name,
                                               Access access) const {
  dlpack::Tensor tensor{};
  if (exchange_->view(object.ptr(), &tensor) != 0) {
    PyErr_Clear();
    return std::nullopt;
  }
  const std::optional<Dtype> dtype = dlpack::dtype_of(tensor.dtype);
  if (!is_host(tensor.device) || !dtype || !allows(access, *dtype)) return std::nullopt;
  if (tensor.ndim > kMaxDimensions) return std::nullopt;
  if (lacks_memory(tensor.data, tensor.shape, static_cast<std::size_t>(tensor.ndim))) {
    return std::nullopt;
  }
  auto* data = static_cast<std::byte*>(tensor.data);
  if (data) data += tensor.byte_offset;
  const auto alignment = with_any_type(*dtype, [](auto type) { return alignof(decltype(type)); });
  if (reinterpret_cast<std::uintptr_t>(data) % alignment != 0) return std::nullopt;
  if (!holds_values(object, *dtype)) library().attr("check")(object, name);
  return HostArray{name,
                   {data, tensor.ndim, tensor.shape, tensor.strides},
                   *dtype,
                   true,
                   py::reinterpret_borrow<py::object>(object)};
}

bool CallArrays::holds_values(py::handle tensor, Dtype dtype) const {
  static PyObject* const is_neg = PyUnicode_InternFromString("is_neg");
  static PyObject* const is_conj = PyUnicode_InternFromString("is_conj");
  static PyObject* const requires_grad = PyUnicode_InternFromString("requires_grad");
  if (!is_false(PyObject_CallMethodNoArgs(tensor.ptr(), is_neg))) return false;
  if (is_complex(dtype) && !is_false(PyObject_CallMethodNoArgs(tensor.ptr(), is_conj))) {
    return false;
  }
  return is_false(PyObject_GetAttr(tensor.ptr(), requires_grad)) ||
         library().attr("records_gradients")().is(py::bool_(false));
}

const py::object& CallArrays::library() const {
  if (!library_) library_ = library_of(first_);
  return library_;
}

void CallArrays::check_library(py::handle object, const char* name) const {
  const bool is_numpy = py::isinstance<py::array>(object);
  if (!is_numpy) check_exports(object, name);
  const py::object own = is_numpy ? py::object() : library_of(object);
  const py::object first = is_numpy_ ? py::object() : library();
  if (own && first && own.attr("name").equal(first.attr("name"))) return;
  throw py::type_error(std::string(name) + " must be " + kind_of(first) + " as " + first_name_ +
                       " is, got " + kind_of(own));
}

HostArray CallArrays::input(py::handle object, const char* name) {
  return viewed(object, name, Access::input);
}

HostArray CallArrays::wide_input(py::handle object, const char* name) {
  return viewed(object, name, Access::wide_input);
}

HostArray CallArrays::real_input(py::handle object, const char* name) {
  return viewed(object, name, Access::real_input);
}

std::optional<HostArray> CallArrays::optional_wide_input(py::handle object, const char* name) {
  if (object.is_none()) return std::nullopt;
  return wide_input(object, name);
}

std::optional<HostArray> CallArrays::optional_real_input(py::handle object, const char* name) {
  if (object.is_none()) return std::nullopt;
  return real_input(object, name);
}

HostArray CallArrays::output(py::handle object, const char* name) {
  HostArray output = viewed(object, name, Access::output);
  if (!is_numpy_ && !library().attr("writeable").cast<bool>()) {
    throw py::value_error(std::string(name) + " must be writeable, got " + kind_of(library()));
  }
  if (!output.writeable) {
    throw py::value_error(std::string(name) + " must be writeable, got a read-only array");
  }
  return output;
}

HostArray CallArrays::make(const std::vector<std::int64_t>& shape, Dtype dtype) const {
  if (exchange_) {
    const py::object made = dlpack::allocate(*exchange_, shape, dtype);
    dlpack::Tensor tensor{};
    if (exchange_->view(made.ptr(), &tensor) != 0) throw py::error_already_set();
    return {kResult,
            {static_cast<std::byte*>(tensor.data), tensor.ndim, tensor.shape, tensor.strides},
            dtype,
            true,
            made};
  }
  const py::dtype type = numpy_dtype(dtype);
  const std::vector<py::ssize_t> extents(shape.begin(), shape.end());
  return from_numpy(kResult, is_numpy_ ? py::array(type, extents) : make_aligned(shape, type),
                    dtype);
}

py::object CallArrays::result(const HostArray& made) const {
  if (is_numpy_ || exchange_) return made.owner;
  return library().attr("from_numpy")(made.owner, first_);
}

py::object CallArrays::result(const std::optional<HostArray>& made) const {
  return made ? result(*made) : py::none();
}

}  // namespace givens::python
