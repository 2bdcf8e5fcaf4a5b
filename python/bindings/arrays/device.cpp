#include "arrays/device.hpp"

#include <iterator>
#include <optional>
#include <utility>

#include "arrays/dlpack.hpp"
#include "arrays/streams.hpp"

namespace givens::python::cuda {

namespace {

[[noreturn]] void refuse_dtype(const std::string& name, const std::string& got) {
  throw py::type_error(name + " must be " + kAllDtypes + ", got " + got);
}

std::size_t item_size(Dtype dtype) {
  return with_any_type(dtype, [](auto type) { return sizeof(type); });
}

// Checks the number of axes and the alignment, and sets the strides, from `byte_strides` if they
// are given. An array without strides is contiguous.
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

}  // namespace

DeviceArray from_dlpack(py::handle object, const std::string& name, std::uintptr_t stream) {
  dlpack::Array source = dlpack::import(object, name.c_str(), stream);
  if (source.device.type != dlpack::kCuda && source.device.type != dlpack::kCudaManaged) {
    throw py::type_error(name + " must be on a CUDA device, got " +
                         dlpack::device_text(source.device));
  }
  const std::optional<Dtype> dtype = dlpack::dtype_of(source.dtype);
  if (!dtype) refuse_dtype(name, dlpack::dtype_text(source.dtype));
  DeviceArray array;
  array.name = name;
  array.data = source.data;
  array.shape = std::move(source.shape);
  array.strides = std::move(source.strides);
  array.dtype = *dtype;
  array.device = source.device.ordinal;
  array.read_only = source.read_only;
  array.copied = source.copied;
  array.exporter = std::move(source.exporter);
  finish(array, nullptr);
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
