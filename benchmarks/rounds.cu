// A round of rotations in one launch, the obvious way to write it. x, y and gy are C-ordered, with
// `columns` columns; pairs has the two rows of each of the round's `count` rotations. Tested by
// tests/cuda/test_benchmark_rounds.cpp.

// Each rotation and column has a thread.
extern "C" __global__ void rotate_round(float* x, const int* pairs, const float* cosines,
                                        const float* sines, int count, int columns) {
  const long long k = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (k >= static_cast<long long>(count) * columns) return;
  const int m = static_cast<int>(k / columns);
  float* const xi = x + static_cast<long long>(pairs[2 * m]) * columns + k % columns;
  float* const xj = x + static_cast<long long>(pairs[2 * m + 1]) * columns + k % columns;
  const float a = *xi, b = *xj;
  *xi = cosines[m] * a - sines[m] * b;
  *xj = sines[m] * a + cosines[m] * b;
}

// Applies the adjoint of the round and leaves the sums that its gradients are made of. `parts` warps, of 32 threads
// each, share the columns of a rotation: warp `part` writes sums[part * stride + m].
extern "C" __global__ void vjp_round(float* y, float* gy, const int* pairs, const float* cosines,
                                     const float* sines, float* sums, int count, int columns,
                                     int parts, int stride) {
  const int warp = static_cast<int>((blockIdx.x * blockDim.x + threadIdx.x) / 32);
  const int lane = static_cast<int>(threadIdx.x % 32);
  const int m = warp / parts, part = warp % parts;
  if (m >= count) return;
  const long long i = static_cast<long long>(pairs[2 * m]) * columns;
  const long long j = static_cast<long long>(pairs[2 * m + 1]) * columns;
  const float c = cosines[m], s = sines[m];
  float sum = 0;
  for (int column = 32 * part + lane; column < columns; column += 32 * parts) {
    const float yi = y[i + column], yj = y[j + column];
    const float gi = gy[i + column], gj = gy[j + column];
    sum += gj * yi - gi * yj;
    y[i + column] = c * yi + s * yj;
    y[j + column] = c * yj - s * yi;
    gy[i + column] = c * gi + s * gj;
    gy[j + column] = c * gj - s * gi;
  }
  for (int distance = 16; distance > 0; distance /= 2) {
    sum += __shfl_xor_sync(0xFFFFFFFFu, sum, distance);
  }
  if (lane == 0) sums[part * stride + m] = sum;
}
