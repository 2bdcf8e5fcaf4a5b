// The functions of givens/cuda.hpp on arrays of the host, which are copied there and back.
#pragma once

#include <optional>

#include "device_copy.hpp"
#include "engine_checks.hpp"
#include "givens/cuda.hpp"
#include "host/device_plan.hpp"

namespace test {

// Frees the plans of the schedules that a test has used.
struct PlansOfTest {
  PlansOfTest() = default;
  ~PlansOfTest() { givens::cuda::free_device_plans(); }
  PlansOfTest(const PlansOfTest&) = delete;
  PlansOfTest& operator=(const PlansOfTest&) = delete;
};

template <class R>
class DeviceParameters {
 public:
  explicit DeviceParameters(const OwnedParameters<R>& from) : angles_(from.angles) {
    if (from.phases) phases_.emplace(*from.phases);
    if (from.diagonal) diagonal_.emplace(*from.diagonal);
    if (from.signs) signs_.emplace(*from.signs);
  }

  givens::Parameters<R> views() const {
    givens::Parameters<R> out{angles_.view(), {}, {}, {}};
    if (phases_) out.phases = phases_->view();
    if (diagonal_) out.diagonal = diagonal_->view();
    if (signs_) out.signs = signs_->view();
    return out;
  }

 private:
  DeviceCopy<R> angles_;
  std::optional<DeviceCopy<R>> phases_;
  std::optional<DeviceCopy<R>> diagonal_;
  std::optional<DeviceCopy<R>> signs_;
};

template <class R>
class DeviceGradients {
 public:
  explicit DeviceGradients(const OwnedGradients<R>& from) : angles_(from.angles) {
    if (from.phases) phases_.emplace(*from.phases);
    if (from.diagonal) diagonal_.emplace(*from.diagonal);
  }

  givens::ParameterGradients<R> views() const {
    givens::ParameterGradients<R> out{angles_.view(), {}, {}};
    if (phases_) out.phases = phases_->view();
    if (diagonal_) out.diagonal = diagonal_->view();
    return out;
  }

  void copy_back(OwnedGradients<R>& to) const {
    to.angles = angles_.copied_back();
    if (phases_) to.phases = phases_->copied_back();
    if (diagonal_) to.diagonal = diagonal_->copied_back();
  }

 private:
  DeviceCopy<R> angles_;
  std::optional<DeviceCopy<R>> phases_;
  std::optional<DeviceCopy<R>> diagonal_;
};

template <class T>
Array<T> cuda_rotated(const Array<T>& x, const OwnedParameters<real_t<T>>& parameters,
                      const Schedule& schedule, const RotateOptions& options = {},
                      const givens::cuda::LaunchOptions& launch = {}) {
  const DeviceCopy<T> device_x(x);
  const DeviceParameters<real_t<T>> device_parameters(parameters);
  const DeviceCopy<T> y(Array<T>(
      givens::validate::rotated_shape<T>(x.view(), parameters.views(), schedule, options.axis),
      T{}));
  givens::cuda::rotate<T>(device_x.view(), device_parameters.views(), schedule, y.view(), options,
                          launch);
  return y.copied_back();
}

template <class T>
Array<T> cuda_matrix(const OwnedParameters<real_t<T>>& parameters, const Schedule& schedule,
                     const givens::cuda::LaunchOptions& launch = {}) {
  const DeviceParameters<real_t<T>> device_parameters(parameters);
  const DeviceCopy<T> U(
      Array<T>(givens::validate::matrix_shape(parameters.views(), schedule), T{}));
  givens::cuda::matrix<T>(device_parameters.views(), schedule, U.view(), launch);
  return U.copied_back();
}

template <class T>
Gradients<T> cuda_gradients(const Array<T>& y, const Array<T>& gy,
                            const OwnedParameters<real_t<T>>& parameters, const Schedule& schedule,
                            const RotateOptions& options = {},
                            const givens::cuda::LaunchOptions& launch = {}) {
  Gradients<T> out{Array<T>(y.shape, T{}), OwnedGradients<real_t<T>>(parameters, real_t<T>(77))};
  const DeviceCopy<T> device_y(y);
  const DeviceCopy<T> device_gy(gy);
  const DeviceCopy<T> gx(out.gx);
  const DeviceParameters<real_t<T>> device_parameters(parameters);
  const DeviceGradients<real_t<T>> gradients(out.of);
  givens::cuda::rotate_vjp<T>(device_y.view(), device_gy.view(), device_parameters.views(),
                              schedule, gx.view(), gradients.views(), options, launch);
  out.gx = gx.copied_back();
  gradients.copy_back(out.of);
  return out;
}

template <class T>
Gradients<T> cuda_matrix_gradients(const Array<T>& U, const Array<T>& gU,
                                   const OwnedParameters<real_t<T>>& parameters,
                                   const Schedule& schedule,
                                   const givens::cuda::LaunchOptions& launch = {}) {
  Gradients<T> out{Array<T>({0}, T{}), OwnedGradients<real_t<T>>(parameters, real_t<T>(77))};
  const DeviceCopy<T> device_u(U);
  const DeviceCopy<T> device_gu(gU);
  const DeviceParameters<real_t<T>> device_parameters(parameters);
  const DeviceGradients<real_t<T>> gradients(out.of);
  givens::cuda::matrix_vjp<T>(device_u.view(), device_gu.view(), device_parameters.views(),
                              schedule, gradients.views(), launch);
  gradients.copy_back(out.of);
  return out;
}

}  // namespace test
