#pragma once

// Sizes and alignments are CUDA's, so that the sanitizers see a misaligned vector access.

struct uint3 {
  unsigned x, y, z;
};

struct dim3 {
  unsigned x, y, z;

  constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
  constexpr dim3(uint3 other) : x(other.x), y(other.y), z(other.z) {}
  constexpr operator uint3() const { return {x, y, z}; }
};

// Clang checks the alignment of references, but not of what a trivial copy reads and writes, so
// copies are functions here.
struct alignas(8) float2 {
  float x, y;

  float2() = default;
  constexpr float2(float x_, float y_) : x(x_), y(y_) {}
  constexpr float2(const float2& other) : x(other.x), y(other.y) {}
  constexpr float2& operator=(const float2& other) {
    x = other.x;
    y = other.y;
    return *this;
  }
};
struct alignas(16) float4 {
  float x, y, z, w;

  float4() = default;
  constexpr float4(float x_, float y_, float z_, float w_) : x(x_), y(y_), z(z_), w(w_) {}
  constexpr float4(const float4& other) : x(other.x), y(other.y), z(other.z), w(other.w) {}
  constexpr float4& operator=(const float4& other) {
    x = other.x;
    y = other.y;
    z = other.z;
    w = other.w;
    return *this;
  }
};

constexpr float2 make_float2(float x, float y) { return {x, y}; }
