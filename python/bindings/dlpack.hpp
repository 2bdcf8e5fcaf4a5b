// The structures in which arrays are passed by DLPack, written from its specification (version 1).
#pragma once

#include <cstdint>

namespace givens::python::dlpack {

enum DeviceType : std::int32_t { kCuda = 2, kCudaManaged = 13 };

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

constexpr std::uint64_t kReadOnly = 1;
constexpr std::uint64_t kCopied = 2;

// In a capsule named "dltensor_versioned". Up to the flags it is the same in every major version.
struct VersionedTensor {
  Version version;
  void* context;
  void (*deleter)(VersionedTensor* self);  // may be null
  std::uint64_t flags;
  Tensor tensor;
};

}  // namespace givens::python::dlpack
