#include "arguments.hpp"

#include <algorithm>

namespace givens::python {

std::string type_name(py::handle object) {
  return py::str(py::type::handle_of(object).attr("__name__"));
}

std::int64_t to_integer(py::handle object, const char* name) {
  if (!PyIndex_Check(object.ptr())) {
    throw py::type_error(std::string(name) + " must be an integer, got " + type_name(object));
  }
  const auto index = py::reinterpret_steal<py::object>(PyNumber_Index(object.ptr()));
  if (!index) {
    // An array has __index__ but most are no integers.
    PyErr_Clear();
    throw py::type_error(std::string(name) + " must be an integer, got " + type_name(object));
  }
  int overflow = 0;
  const long long value = PyLong_AsLongLongAndOverflow(index.ptr(), &overflow);
  if (overflow != 0) {
    throw py::value_error(std::string(name) + " must fit into 64 bits, got " +
                          std::string(py::str(index)));
  }
  return value;
}

std::optional<std::int64_t> to_optional_integer(py::handle object, const char* name) {
  if (object.is_none()) return std::nullopt;
  return to_integer(object, name);
}

std::optional<int> to_num_threads(py::handle object) {
  const std::optional<std::int64_t> threads = to_optional_integer(object, "num_threads");
  if (!threads) return std::nullopt;
  if (*threads < 1) {
    throw py::value_error("num_threads must be at least 1, got " + std::to_string(*threads));
  }
  return static_cast<int>(std::min<std::int64_t>(*threads, 1 << 16));
}

bool to_bool(py::handle object, const char* name) {
  py::detail::make_caster<bool> caster;
  if (!caster.load(object, false)) {
    throw py::type_error(std::string(name) + " must be a bool, got " + type_name(object));
  }
  return py::detail::cast_op<bool>(caster);
}

const Schedule& to_schedule(py::handle object) {
  py::detail::make_caster<Schedule> caster;
  if (object.is_none() || !caster.load(object, false)) {
    throw py::type_error("schedule must be a givens.Schedule, got " + type_name(object));
  }
  return py::detail::cast_op<const Schedule&>(caster);
}

namespace {

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

Array known_array(py::handle object, const char* name, const char* allowed, bool complex_too) {
  if (!py::isinstance<py::array>(object)) {
    throw py::type_error(std::string(name) + " must be a NumPy array, got " + type_name(object));
  }
  auto array = py::reinterpret_borrow<py::array>(object);
  const std::optional<Dtype> dtype = known_dtype(array.dtype());
  if (!dtype || (is_complex(*dtype) && !complex_too)) {
    throw py::type_error(std::string(name) + " must be " + allowed + ", got " +
                         std::string(py::str(array.dtype())));
  }
  if (array.ndim() > kMaxDimensions) {
    throw py::value_error(std::string(name) + " must have at most " +
                          std::to_string(kMaxDimensions) + " axes, got " +
                          std::to_string(array.ndim()));
  }
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

constexpr const char* kAllDtypes = "float32, float64, complex64 or complex128";

}  // namespace

Array to_array(py::handle object, const char* name) {
  return made_regular(known_array(object, name, kAllDtypes, true));
}

Array to_real_array(py::handle object, const char* name) {
  return made_regular(known_array(object, name, "float32 or float64", false));
}

Array to_output(py::handle object, const char* name) {
  Array output = known_array(object, name, kAllDtypes, true);
  if (!output.array.writeable()) {
    throw py::value_error(std::string(name) + " must be writeable, got a read-only array");
  }
  if (!is_regular(output.array)) {
    throw py::value_error(std::string(name) +
                          " must be aligned, with strides that are multiples of its item size");
  }
  return output;
}

}  // namespace givens::python
