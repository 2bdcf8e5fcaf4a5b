// Gradients that are to be added to.
#pragma once

#include "givens/transform.hpp"
#include "strided_loop.hpp"

namespace givens {

template <class R>
void fill_with_zero(const ArrayView<R>& view) {
  StridedLoop<1> loop;
  for (int d = 0; d < view.ndim(); ++d) loop.add(view.shape(d), {view.stride(d)});
  loop.for_each([&](const auto& at) { view.data()[at[0]] = R(0); });
}

template <class R>
void fill_with_zero(const ParameterGradients<R>& gradients) {
  fill_with_zero(gradients.angles);
  if (gradients.phases) fill_with_zero(*gradients.phases);
  if (gradients.diagonal) fill_with_zero(*gradients.diagonal);
}

}  // namespace givens
