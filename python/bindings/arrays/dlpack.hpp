// Arrays of other libraries, by DLPack: its structures, written from its specification (version 1),
// and how an array comes out of them.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "arrays/dtypes.hpp"

namespace givens::python::dlpack {

namespace py = pybind11;

// Pinned memory is the host's.
enum DeviceType : std::int32_t {
  kCpu = 1,
  kCuda = 2,
  kCudaPinned = 3,
  kRocmPinned = 11,
  kCudaManaged = 13
};

struct Device {
  std::int32_t type;
  std::int32_t ordinal;
};

enum TypeCode : std::uint8_t { kFloat = 2, kBfloat = 4, kComplex = 5 };

struct DataType {
  std::uint8_t code;
  std::uint8_t bits;  // of both parts of a complex number
  std::uint16_t lanes;
};

struct Tensor {
  void* data;
  Device device;
  std::int32_t ndim;
  DataType dtype;
  std::int64_t* shape;
  std::int64_t* strides;  // in elements; null: contiguous
  std::uint64_t byte_offset;
};

// In a capsule named "dltensor".
struct ManagedTensor {
  Tensor tensor;
  void* context;
  void (*deleter)(ManagedTensor* self);  // may be null
};

struct Version {
  std::uint32_t major;
  std::uint32_t minor;
};

inline constexpr std::uint64_t kReadOnly = 1;
inline constexpr std::uint64_t kCopied = 2;

// In a capsule named "dltensor_versioned". Up to the flags it is the same in every major version.
struct VersionedTensor {
  Version version;
  void* context;
  void (*deleter)(VersionedTensor* self);  // may be null
  std::uint64_t flags;
  Tensor tensor;
};

// Functions of a library, which its classes of arrays offer as `__dlpack_c_exchange_api__`. They
// take and return without synchronising, and cost a tenth of what `__dlpack__` does.
struct Exchange {
  Version version;
  const Exchange* previous;  // of an older major version, or null
  // Those that return an int return 0, or something else after a failure: the first then has called
  // set_error, the others have set a Python exception.
  int (*allocate)(Tensor* prototype, VersionedTensor** out, void* context,
                  void (*set_error)(void* context, const char* kind, const char* message));
  int (*export_object)(void* object, VersionedTensor** out);
  int (*import_object)(VersionedTensor* tensor, void** object);
  int (*view)(void* object, Tensor* out);  // may be null
  int (*current_stream)(std::int32_t device_type, std::int32_t ordinal, void** stream);
};

// What an object exports.
struct Array {
  void* data = nullptr;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;  // in elements; empty: contiguous
  DataType dtype{};
  Device device{};
  bool read_only = false;
  bool copied = false;   // by its library, so that nobody would see what is written
  py::capsule exporter;  // at its end, the exporter's deleter is called
};

// Whether arrays of a class can come by DLPack.
bool exports(py::handle object);

// Where the object's memory is. Raises what the object raises, with a note that names the argument.
Device device_of(py::handle object, const char* name);

// What an object exports; with a stream, which then waits for what computes it, if it is on a
// device that has streams. What the object raises comes with a note that names the argument. Throws
// TypeError if there comes no capsule that is still to be used, BufferError if it is of another
// major version than 1; the deleter is then called all the same.
Array import(py::handle object, const char* name, std::optional<std::uintptr_t> stream);

// The functions of the library of a class of arrays, `view` among them; null if it offers none.
const Exchange* exchange_of(PyTypeObject* type);

// A new array in the CPU's memory, of the library whose functions these are. Throws
// std::runtime_error with what the library says if it cannot make it.
py::object allocate(const Exchange& exchange, const std::vector<std::int64_t>& shape, Dtype dtype);

// One of our dtypes, if it is one.
std::optional<Dtype> dtype_of(const DataType& type);

// As error messages show it.
std::string dtype_text(const DataType& type);
std::string device_text(const Device& device);

}  // namespace givens::python::dlpack
