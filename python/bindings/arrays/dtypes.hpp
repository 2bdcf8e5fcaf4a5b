// The dtypes of arrays.
#pragma once

#include <complex>
#include <type_traits>

#include "givens/half.hpp"

namespace givens::python {

// Only vectors have the 16-bit dtypes.
enum class Dtype { float16, bfloat16, float32, float64, complex64, complex128 };

// For error messages.
inline constexpr const char* kAllDtypes =
    "float16, bfloat16, float32, float64, complex64 or complex128";

const char* dtype_name(Dtype dtype);
bool is_complex(Dtype dtype);
bool is_double(Dtype dtype);
bool is_half(Dtype dtype);  // float16 or bfloat16
// The complex dtype of the same precision.
Dtype complex_of(Dtype dtype);
// The dtype of the parameters that go with vectors of a dtype: float64, or float32 for all others.
Dtype parameter_dtype(Dtype vectors);

// The dtype of a C++ type.
template <class T>
inline constexpr Dtype dtype_v = std::is_same_v<T, Half>                  ? Dtype::float16
                                 : std::is_same_v<T, BFloat16>            ? Dtype::bfloat16
                                 : std::is_same_v<T, float>               ? Dtype::float32
                                 : std::is_same_v<T, double>              ? Dtype::float64
                                 : std::is_same_v<T, std::complex<float>> ? Dtype::complex64
                                                                          : Dtype::complex128;

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

// Calls run(T{}) with the C++ type of any dtype.
template <class Run>
auto with_any_type(Dtype dtype, Run&& run) {
  if (dtype == Dtype::float16) return run(Half{});
  if (dtype == Dtype::bfloat16) return run(BFloat16{});
  return with_type(dtype, run);
}

}  // namespace givens::python
