// Numbers in the caller's memory: float, double, or 16-bit floats, which kernels compute with as
// float. The format is chosen at run time, because kernels only read and write panels once and are
// otherwise the same.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>
#include <type_traits>

#include "kernels/portable.cuh"

namespace givens::cuda {

// `full` stands for R itself.
enum class Storage : std::uint8_t { full, float16, bfloat16 };

template <class R>
struct ConstNumbers {
  const void* data;
  Storage storage;

  GIVENS_DEVICE explicit operator bool() const { return data != nullptr; }

  __device__ R read(std::int64_t k) const {
    if constexpr (std::is_same_v<R, float>) {
      if (storage == Storage::float16) return __half2float(static_cast<const __half*>(data)[k]);
      if (storage == Storage::bfloat16) {
        return __bfloat162float(static_cast<const __nv_bfloat16*>(data)[k]);
      }
    }
    return static_cast<const R*>(data)[k];
  }
};

template <class R>
struct Numbers {
  void* data;
  Storage storage;

  GIVENS_DEVICE explicit operator bool() const { return data != nullptr; }

  // Rounds to nearest.
  __device__ void write(std::int64_t k, R value) const {
    if constexpr (std::is_same_v<R, float>) {
      if (storage == Storage::float16) {
        static_cast<__half*>(data)[k] = __float2half_rn(value);
        return;
      }
      if (storage == Storage::bfloat16) {
        static_cast<__nv_bfloat16*>(data)[k] = __float2bfloat16_rn(value);
        return;
      }
    }
    static_cast<R*>(data)[k] = value;
  }
};

}  // namespace givens::cuda
