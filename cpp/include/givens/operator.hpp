// A matrix that is kept: a schedule and parameters with the coefficients that the rotations need.
//
// The functions of transform.hpp find sines and cosines in every call. With few vectors, or few
// rotations for each coordinate, that takes longer than the rotations. An operator finds them once.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "givens/export.hpp"
#include "givens/schedule.hpp"
#include "givens/transform.hpp"
#include "givens/view.hpp"

namespace givens {

// The matrices U of given parameters; see transform.hpp. R, float or double, is their precision.
//
// An operator is an immutable value: copies are cheap and share their data, and any number of
// threads may use one. It copies the parameters. Coefficients are found when a function first needs
// them; what is asked for is the same to the last bit as without an operator.
// Memory: once the parameters, in full for every matrix of the batch, and for each of the
// directions and gradients that are used up to eight numbers a rotation.
//
//   const givens::Operator<float> U({{angles.data(), {K}}, {}, {}, {}}, schedule);
//   U.rotate<float>({x.data(), {3, n}}, {y.data(), {3, n}});
template <class R>
class GIVENS_API Operator {
 public:
  // Throws std::invalid_argument for parameters that `matrix` refuses.
  // Cost: a copy of the parameters.
  Operator(const Parameters<R>& parameters, const Schedule& schedule);

  const Schedule& schedule() const;
  // The batch shape B.
  const std::vector<std::int64_t>& batch() const;
  // Whether U is complex: if there are phases or a diagonal.
  bool is_complex() const;
  // The operator's copies, (*B, K) and (*B, n).
  Parameters<R> parameters() const;

  // The functions of transform.hpp with these parameters: they throw what those throw. T is of the
  // precision R. Gradients of parameters have the shapes of `parameters`.
  template <class T>
  void rotate(const not_deduced_t<ArrayView<const T>>& x, const not_deduced_t<ArrayView<T>>& y,
              const RotateOptions& options = {}) const;

  template <class T>
  void matrix(const not_deduced_t<ArrayView<T>>& U, int num_threads = 0) const;

  template <class T>
  void rotate_vjp(const not_deduced_t<ArrayView<const T>>& y,
                  const not_deduced_t<ArrayView<const T>>& gy,
                  const not_deduced_t<ArrayView<T>>& gx, const ParameterGradients<R>& gradients,
                  const RotateOptions& options = {}) const;

 private:
  struct Data;

  std::shared_ptr<const Data> data_;
};

}  // namespace givens
