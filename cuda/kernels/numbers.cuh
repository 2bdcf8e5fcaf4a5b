// The numbers that the kernels of a call share.
#pragma once

#include <cstddef>
#include <cstdint>

namespace givens::cuda {

// The numbers of some matrices in the workspace of a call, matrix after matrix. R is the real type.
template <class R>
struct CallNumbers {
  R* coefficients;
  R* diagonal;  // (cos, sin) of the diagonal's angles by coordinate; null without a diagonal

  // What follows, down to `counters`, is null without gradients.
  R* weights;             // by rotation, the factor of its sum over stored rows
  R* accumulators;        // by rotation, the sum over stored rows: a number of the field
  R* chain_accumulators;  // the same for every chain of a matrix
  // For complex rotations only, by row: the imaginary part of the diagonal of W.
  R* diagonal_accumulators;
  R* chain_diagonal_accumulators;
  double* diagonal_of_w;  // scratch memory for phases_kernel
  // The first counts the thread blocks that have begun. Then there is one for each panel, which
  // counts the stages for which the panel has added. coefficients_kernel sets them to zero.
  std::int32_t* counters;
  std::int64_t counter_count;

  // For panels in global memory; see Staged.
  R* panel_y;
  R* panel_g;
  std::int64_t* offsets;

  std::size_t bytes;  // of all
};

}  // namespace givens::cuda
