#include "arrays/dtypes.hpp"

namespace givens::python {

const char* dtype_name(Dtype dtype) {
  switch (dtype) {
    case Dtype::float16:
      return "float16";
    case Dtype::bfloat16:
      return "bfloat16";
    case Dtype::float32:
      return "float32";
    case Dtype::float64:
      return "float64";
    case Dtype::complex64:
      return "complex64";
    case Dtype::complex128:
      break;
  }
  return "complex128";
}

bool is_complex(Dtype dtype) { return dtype == Dtype::complex64 || dtype == Dtype::complex128; }

bool is_double(Dtype dtype) { return dtype == Dtype::float64 || dtype == Dtype::complex128; }

bool is_half(Dtype dtype) { return dtype == Dtype::float16 || dtype == Dtype::bfloat16; }

Dtype complex_of(Dtype dtype) { return is_double(dtype) ? Dtype::complex128 : Dtype::complex64; }

}  // namespace givens::python
