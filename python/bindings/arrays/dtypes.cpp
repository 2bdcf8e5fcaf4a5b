#include "arrays/dtypes.hpp"

namespace givens::python {

const char* dtype_name(Dtype dtype) {
  constexpr const char* kNames[] = {"float16", "bfloat16",  "float32",
                                    "float64", "complex64", "complex128"};
  return kNames[static_cast<int>(dtype)];
}

bool is_complex(Dtype dtype) { return dtype == Dtype::complex64 || dtype == Dtype::complex128; }

bool is_double(Dtype dtype) { return dtype == Dtype::float64 || dtype == Dtype::complex128; }

bool is_half(Dtype dtype) { return dtype == Dtype::float16 || dtype == Dtype::bfloat16; }

Dtype complex_of(Dtype dtype) { return is_double(dtype) ? Dtype::complex128 : Dtype::complex64; }

Dtype parameter_dtype(Dtype vectors) {
  return is_double(vectors) ? Dtype::float64 : Dtype::float32;
}

}  // namespace givens::python
