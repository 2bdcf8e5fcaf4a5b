#include "arrays.hpp"

#include <iterator>
#include <optional>
#include <utility>

#include "../dlpack.hpp"
#include "streams.hpp"

namespace givens::python::cuda {

Dtype parameters_of(Dtype dtype) { return is_double(dtype) ? Dtype::float64 : Dtype::float32; }

namespace {

[[noreturn]] void refuse_dtype(const std::string& name, const std::string& got) {
  throw py::type_error(
      name + " must be float16, bfloat16, float32, float64, complex64 or complex128, got " + got);
}

std::size_t item_size(Dtype dtype) {
  return with_device_type(dtype, [](auto type) { return sizeof(type); });
}

// What holds for every array, however it came. `byte_strides` are used if they are given.
void finish(DeviceArray& array, const std::vector<std::int64_t>* byte_strides) {
  if (array.shape.size() > static_cast<std::size_t>(kMaxDimensions)) {
    throw py::value_error(array.name + " must have at most " + std::to_string(kMaxDimensions) +
                          " axes, got " + std::to_string(array.shape.size()));
  }
  const auto size = static_cast<std::int64_t>(item_size(array.dtype));
  bool aligned = reinterpret_cast<std::uintptr_t>(array.data) % item_size(array.dtype) == 0;
  if (byte_strides) {
    for (const std::int64_t stride : *byte_strides) {
      aligned = aligned && stride % size == 0;
      array.strides.push_back(stride / size);
    }
  }
  if (!aligned) {
    throw py::value_error(array.name +
                          " must be aligned, with strides that are multiples of its item size");
  }
  if (array.strides.size() != array.shape.size()) {
    const ArrayView<char> contiguous(nullptr, array.ndim(), array.shape.data(), nullptr);
    array.strides.assign(contiguous.strides(), contiguous.strides() + array.ndim());
  }
}

// --- DLPack ---

std::optional<Dtype> dtype_of(const dlpack::DataType& type) {
  if (type.lanes != 1) return std::nullopt;
  if (type.code == dlpack::kFloat && type.bits == 16) return Dtype::float16;
  if (type.code == dlpack::kBfloat && type.bits == 16) return Dtype::bfloat16;
  if (type.code == dlpack::kFloat && type.bits == 32) return Dtype::float32;
  if (type.code == dlpack::kFloat && type.bits == 64) return Dtype::float64;
  if (type.code == dlpack::kComplex && type.bits == 64) return Dtype::complex64;
  if (type.code == dlpack::kComplex && type.bits == 128) return Dtype::complex128;
  return std::nullopt;
}

std::string text(const dlpack::DataType& type) {
  static constexpr const char* kNames[] = {"int",    "uint",    "float", "opaque",
                                           "bfloat", "complex", "bool"};
  const std::string kind = type.code < std::size(kNames)
                               ? kNames[type.code] + std::to_string(type.bits)
                               : "type " + std::to_string(type.code);
  return type.lanes == 1 ? kind : kind + " in vectors of " + std::to_string(type.lanes);
}

// Takes the structure out of a capsule of that name, which then no longer owns it; null if it has
// another.
template <class Managed>
std::shared_ptr<Managed> take(const py::object& capsule, const char* name, const char* used_name) {
  if (!PyCapsule_IsValid(capsule.ptr(), name)) return nullptr;
  auto* managed = static_cast<Managed*>(PyCapsule_GetPointer(capsule.ptr(), name));
  if (PyCapsule_SetName(capsule.ptr(), used_name) != 0) throw py::error_already_set();
  return std::shared_ptr<Managed>(managed, [](Managed* self) {
    if (self->deleter) self->deleter(self);
  });
}

void read(DeviceArray& array, const dlpack::Tensor& tensor) {
  if (tensor.device.type != dlpack::kCuda && tensor.device.type != dlpack::kCudaManaged) {
    throw py::type_error(array.name + " must be on a CUDA device, got device type " +
                         std::to_string(tensor.device.type) + " of DLPack");
  }
  array.device = tensor.device.ordinal;
  const std::optional<Dtype> dtype = dtype_of(tensor.dtype);
  if (!dtype) refuse_dtype(array.name, text(tensor.dtype));
  array.dtype = *dtype;
  if (tensor.data) array.data = static_cast<char*>(tensor.data) + tensor.byte_offset;
  array.shape.assign(tensor.shape, tensor.shape + tensor.ndim);
  if (tensor.strides) array.strides.assign(tensor.strides, tensor.strides + tensor.ndim);
  finish(array, nullptr);
}

}  // namespace

DeviceArray from_dlpack(const py::object& capsule, const std::string& name) {
  DeviceArray array;
  array.name = name;
  if (const auto versioned =
          take<dlpack::VersionedTensor>(capsule, "dltensor_versioned", "used_dltensor_versioned")) {
    array.exporter = versioned;
    if (versioned->version.major != 1) {
      throw py::buffer_error(name + " must come as version 1 of DLPack, got version " +
                             std::to_string(versioned->version.major));
    }
    array.read_only = (versioned->flags & dlpack::kReadOnly) != 0;
    array.copied = (versioned->flags & dlpack::kCopied) != 0;
    read(array, versioned->tensor);
  } else if (const auto managed =
                 take<dlpack::ManagedTensor>(capsule, "dltensor", "used_dltensor")) {
    array.exporter = managed;
    read(array, managed->tensor);
  } else {
    throw py::type_error(name + " must come from __dlpack__ in a capsule that is not used yet");
  }
  return array;
}

// --- __cuda_array_interface__ ---

namespace {

std::optional<Dtype> dtype_of(const std::string& typestr) {
  // The byte order of every machine with CUDA.
  if (typestr == "<f2") return Dtype::float16;
  if (typestr == "<f4") return Dtype::float32;
  if (typestr == "<f8") return Dtype::float64;
  if (typestr == "<c8") return Dtype::complex64;
  if (typestr == "<c16") return Dtype::complex128;
  return std::nullopt;
}

std::vector<std::int64_t> integers(const py::handle& sequence) {
  std::vector<std::int64_t> out;
  for (const py::handle item : sequence) out.push_back(item.cast<std::int64_t>());
  return out;
}

bool has(const py::dict& interface, const char* key) {
  return interface.contains(key) && !interface[key].is_none();
}

}  // namespace

DeviceArray from_interface(const py::dict& interface, const std::string& name,
                           std::uintptr_t stream) {
  DeviceArray array;
  array.name = name;
  if (has(interface, "mask")) {
    throw py::type_error(name + " must not have a mask");
  }
  const auto typestr = interface["typestr"].cast<std::string>();
  const std::optional<Dtype> dtype = dtype_of(typestr);
  if (!dtype) refuse_dtype(name, typestr);
  array.dtype = *dtype;
  const auto data = interface["data"].cast<std::pair<std::uintptr_t, bool>>();
  array.data = reinterpret_cast<void*>(data.first);
  array.read_only = data.second;
  array.shape = integers(interface["shape"]);
  if (has(interface, "strides")) {
    const std::vector<std::int64_t> strides = integers(interface["strides"]);
    finish(array, &strides);
  } else {
    finish(array, nullptr);
  }
  if (array.data) {
    array.device = device_of(array.data);
    if (array.device < 0) throw py::type_error(name + " must be in the memory of a CUDA device");
  }
  if (has(interface, "stream")) {
    const auto other = interface["stream"].cast<std::uintptr_t>();
    if (other == 0) {
      throw py::value_error(name + " must not have stream 0 in its __cuda_array_interface__: " +
                            "1 and 2 are the default streams");
    }
    wait_for(other, stream, array.device);
  }
  return array;
}

}  // namespace givens::python::cuda
