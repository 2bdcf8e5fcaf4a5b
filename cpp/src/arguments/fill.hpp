// Gradients start at zero, since engines add to them.
#pragma once

#include <algorithm>

#include "arguments/strided_loop.hpp"
#include "givens/transform.hpp"

namespace givens {

template <class R>
void fill_with_zero(const ArrayView<R>& view) {
  StridedLoop<1> loop;
  for (int d = 0; d + 1 < view.ndim(); ++d) loop.add(view.shape(d), {view.stride(d)});
  const std::int64_t row = view.ndim() > 0 ? view.shape(view.ndim() - 1) : 1;
  const std::int64_t stride = view.ndim() > 0 ? view.stride(view.ndim() - 1) : 1;
  if (row == 0) return;  // the data may be null
  loop.for_each([&](const auto& at) {
    R* const first = view.data() + at[0];
    if (stride == 1) {
      std::fill_n(first, row, R(0));
    } else {
      for (std::int64_t k = 0; k < row; ++k) first[k * stride] = R(0);
    }
  });
}

template <class R>
void fill_with_zero(const ParameterGradients<R>& gradients) {
  fill_with_zero(gradients.angles);
  if (gradients.phases) fill_with_zero(*gradients.phases);
  if (gradients.diagonal) fill_with_zero(*gradients.diagonal);
}

}  // namespace givens
