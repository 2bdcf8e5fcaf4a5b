// Arrays of other libraries, by DLPack: its structures, written from its specification (version 1),
// and how an array is read from them.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "arrays/dtypes.hpp"

namespace givens::python::dlpack {

namespace py = pybind11;

// Pinned memory is memory of the host.
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

// In a capsule named "dltensor_versioned". The members up to the flags are the same in every major
// version.
struct VersionedTensor {
  Version version;
  void* context;
  void (*deleter)(VersionedTensor* self);  // may be null
  std::uint64_t flags;
  Tensor tensor;
};

// Functions of a library, which its classes of arrays offer as `__dlpack_c_exchange_api__`. They do
// not synchronise, and cost a tenth of a call of `__dlpack__`.
struct Exchange {
  Version version;
  const Exchange* previous;  // of an older major version, or null
  // A function that returns an int returns 0, or something else after a failure: `allocate` has
  // then called set_error, the others have set a Python exception.
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
  bool copied = false;   // by its library: the caller would not see what is written
  py::capsule exporter;  // calls the exporter's deleter when it is destroyed
};

// Whether arrays of a class can come by DLPack.
bool exports(py::handle object);

// Where the object's memory is. Raises what the object raises, with a note that names the argument.
Device device_of(py::handle object, const char* name);

// What an object exports. If a stream is given, it waits for the work that computes the array. What
// the object raises comes with a note that names the argument. Throws TypeError if the object
// returns no unused capsule, and BufferError if the capsule has another major version than 1, after
// calling its deleter.
Array import(py::handle object, const char* name, std::optional<std::uintptr_t> stream);

// The functions of the library of a class of arrays, `view` among them; null if it offers none.
const Exchange* exchange_of(PyTypeObject* type);

// A new array in the CPU's memory, of the library with these functions. Throws std::runtime_error
// with the library's message if the library cannot make the array.
py::object allocate(const Exchange& exchange, const std::vector<std::int64_t>& shape, Dtype dtype);

// The dtype of a type of DLPack; none if the package does not know it.
std::optional<Dtype> dtype_of(const DataType& type);

// For error messages.
std::string dtype_text(const DataType& type);
std::string device_text(const Device& device);

}  // namespace givens::python::dlpack
