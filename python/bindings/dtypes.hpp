// The dtypes of arrays.
#pragma once

#include <complex>

namespace givens::python {

// The 16-bit ones are those of arrays in the memory of a GPU only.
enum class Dtype { float16, bfloat16, float32, float64, complex64, complex128 };

const char* dtype_name(Dtype dtype);
bool is_complex(Dtype dtype);
bool is_double(Dtype dtype);
bool is_half(Dtype dtype);  // one of the 16-bit ones
// The complex dtype of the same precision.
Dtype complex_of(Dtype dtype);

// Calls run(T{}) with the C++ type of a dtype that has more than 16 bits.
template <class Run>
auto with_type(Dtype dtype, Run&& run) {
  switch (dtype) {
    case Dtype::float32:
      return run(float{});
    case Dtype::float64:
      return run(double{});
    case Dtype::complex64:
      return run(std::complex<float>{});
    default:
      return run(std::complex<double>{});
  }
}

}  // namespace givens::python
