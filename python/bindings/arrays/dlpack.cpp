#include "arrays/dlpack.hpp"

#include <iterator>
#include <stdexcept>

namespace givens::python::dlpack {

namespace {

// Runs `call`, and adds a note that names the argument to what it raises.
template <class Call>
auto noting(const char* name, Call&& call) {
  try {
    return call();
  } catch (py::error_already_set& error) {
    error.value().attr("add_note")("This was raised by the array that was given as " +
                                   std::string(name) + ".");
    throw;
  }
}

py::object capsule_of(py::handle object, std::optional<std::uintptr_t> stream) {
  const py::object method = object.attr("__dlpack__");
  py::dict keywords;
  // DLPack forbids to name a stream for an array on the CPU.
  if (stream) keywords["stream"] = *stream;
  try {
    return method(py::arg("max_version") = py::make_tuple(1, 0), **keywords);
  } catch (py::error_already_set& error) {
    if (!error.matches(PyExc_TypeError)) throw;
  }
  // The library was made before version 1 of DLPack.
  return method(**keywords);
}

// Takes the structure out of a capsule with this name, which then no longer owns it; null if the
// capsule has another name.
template <class Managed>
Managed* take(const py::object& capsule, const char* name, const char* used_name, Array& array) {
  if (!PyCapsule_IsValid(capsule.ptr(), name)) return nullptr;
  auto* managed = static_cast<Managed*>(PyCapsule_GetPointer(capsule.ptr(), name));
  array.exporter = py::capsule(managed, [](void* pointer) {
    auto* self = static_cast<Managed*>(pointer);
    if (self->deleter) self->deleter(self);
  });
  if (PyCapsule_SetName(capsule.ptr(), used_name) != 0) throw py::error_already_set();
  return managed;
}

DataType type_of(Dtype dtype) {
  const std::uint8_t code = dtype == Dtype::bfloat16 ? kBfloat
                            : is_complex(dtype)      ? kComplex
                                                     : kFloat;
  return with_any_type(dtype, [=](auto type) { return DataType{code, 8 * sizeof(type), 1}; });
}

void read(Array& array, const Tensor& tensor) {
  array.device = tensor.device;
  array.dtype = tensor.dtype;
  if (tensor.data) array.data = static_cast<char*>(tensor.data) + tensor.byte_offset;
  array.shape.assign(tensor.shape, tensor.shape + tensor.ndim);
  if (tensor.strides) array.strides.assign(tensor.strides, tensor.strides + tensor.ndim);
}

}  // namespace

bool exports(py::handle object) {
  // Python finds interned names in its cache.
  static PyObject* const name = PyUnicode_InternFromString("__dlpack_device__");
  return py::hasattr(py::type::handle_of(object), name);
}

Device device_of(py::handle object, const char* name) {
  return noting(name, [&] {
    const py::tuple device = object.attr("__dlpack_device__")();
    return Device{device[0].cast<std::int32_t>(), device[1].cast<std::int32_t>()};
  });
}

Array import(py::handle object, const char* name, std::optional<std::uintptr_t> stream) {
  const py::object capsule = noting(name, [&] { return capsule_of(object, stream); });
  Array array;
  if (const auto* versioned =
          take<VersionedTensor>(capsule, "dltensor_versioned", "used_dltensor_versioned", array)) {
    if (versioned->version.major != 1) {
      throw py::buffer_error(std::string(name) + " must come as version 1 of DLPack, got version " +
                             std::to_string(versioned->version.major));
    }
    array.read_only = (versioned->flags & kReadOnly) != 0;
    array.copied = (versioned->flags & kCopied) != 0;
    read(array, versioned->tensor);
  } else if (const auto* managed =
                 take<ManagedTensor>(capsule, "dltensor", "used_dltensor", array)) {
    read(array, managed->tensor);
  } else {
    throw py::type_error(std::string(name) +
                         " must come from __dlpack__ in a capsule that is not used yet");
  }
  return array;
}

const Exchange* exchange_of(PyTypeObject* type) {
  static PyObject* const name = PyUnicode_InternFromString("__dlpack_c_exchange_api__");
  const py::object capsule =
      py::getattr(reinterpret_cast<PyObject*>(type), py::handle(name), py::object());
  constexpr const char* kName = "dlpack_exchange_api";
  if (!capsule || !PyCapsule_IsValid(capsule.ptr(), kName)) return nullptr;
  const auto* found = static_cast<const Exchange*>(PyCapsule_GetPointer(capsule.ptr(), kName));
  while (found && found->version.major != 1) found = found->previous;
  return found && found->view ? found : nullptr;
}

py::object allocate(const Exchange& exchange, const std::vector<std::int64_t>& shape, Dtype dtype) {
  std::vector<std::int64_t> extents = shape;
  Tensor prototype{
      nullptr, {kCpu, 0}, static_cast<std::int32_t>(extents.size()), type_of(dtype), extents.data(),
      nullptr, 0};
  VersionedTensor* made = nullptr;
  std::string error = "no memory";
  const auto set_error = [](void* context, const char* kind, const char* message) {
    *static_cast<std::string*>(context) = std::string(kind) + ": " + message;
  };
  if (exchange.allocate(&prototype, &made, &error, set_error) != 0) throw std::runtime_error(error);
  void* object = nullptr;
  if (exchange.import_object(made, &object) != 0) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(static_cast<PyObject*>(object));
}

std::optional<Dtype> dtype_of(const DataType& type) {
  if (type.lanes != 1) return std::nullopt;
  if (type.code == kFloat && type.bits == 16) return Dtype::float16;
  if (type.code == kBfloat && type.bits == 16) return Dtype::bfloat16;
  if (type.code == kFloat && type.bits == 32) return Dtype::float32;
  if (type.code == kFloat && type.bits == 64) return Dtype::float64;
  if (type.code == kComplex && type.bits == 64) return Dtype::complex64;
  if (type.code == kComplex && type.bits == 128) return Dtype::complex128;
  return std::nullopt;
}

std::string dtype_text(const DataType& type) {
  static constexpr const char* kKinds[] = {"int",    "uint",    "float", "opaque",
                                           "bfloat", "complex", "bool"};
  // The codes that follow are of one size each.
  static constexpr const char* kNames[] = {
      "float8_e3m4",     "float8_e4m3",   "float8_e4m3b11fnuz", "float8_e4m3fn",
      "float8_e4m3fnuz", "float8_e5m2",   "float8_e5m2fnuz",    "float8_e8m0fnu",
      "float6_e2m3fn",   "float6_e3m2fn", "float4_e2m1fn"};
  const std::size_t code = type.code;
  std::string kind = "type " + std::to_string(code);
  if (code < std::size(kKinds)) {
    kind = kKinds[code] + std::to_string(type.bits);
  } else if (code - std::size(kKinds) < std::size(kNames)) {
    kind = kNames[code - std::size(kKinds)];
  }
  return type.lanes == 1 ? kind : kind + " in vectors of " + std::to_string(type.lanes);
}

std::string device_text(const Device& device) {
  if (device.type == kCuda || device.type == kCudaManaged) {
    return "CUDA device " + std::to_string(device.ordinal);
  }
  return "device type " + std::to_string(device.type) + " of DLPack";
}

}  // namespace givens::python::dlpack
