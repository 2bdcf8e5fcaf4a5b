// The functions of givens/cuda.hpp on arrays of the host, which they copy to the device and back.
#pragma once

#include "cuda_emulator/control.hpp"
#include "device_copy.hpp"
#include "engine_checks.hpp"
#include "givens/cuda.hpp"
#include "host/device_plan.hpp"

namespace test {

// Frees the plans of a test's schedules at its end.
struct PlansOfTest {
  PlansOfTest() = default;
  ~PlansOfTest() { givens::cuda::free_device_plans(); }
  PlansOfTest(const PlansOfTest&) = delete;
  PlansOfTest& operator=(const PlansOfTest&) = delete;
};

// Sets the emulator's devices back to what they were at first, at the end of a test.
struct DevicesOfTest {
  DevicesOfTest() = default;
  ~DevicesOfTest() { cuda_emulator::reset_devices(); }
  DevicesOfTest(const DevicesOfTest&) = delete;
  DevicesOfTest& operator=(const DevicesOfTest&) = delete;
};

template <class R>
struct DeviceParameters {
  explicit DeviceParameters(const OwnedParameters<R>& from)
      : angles(from.angles), phases(from.phases), diagonal(from.diagonal), signs(from.signs) {}

  givens::Parameters<R> views() const {
    return {angles.view(), phases.view_if_any(), diagonal.view_if_any(), signs.view_if_any()};
  }

  DeviceCopy<R> angles, phases, diagonal, signs;
};

template <class R>
struct DeviceGradients {
  explicit DeviceGradients(const OwnedGradients<R>& from)
      : angles(from.angles), phases(from.phases), diagonal(from.diagonal) {}

  givens::ParameterGradients<R> views() const {
    return {angles.view(), phases.view_if_any(), diagonal.view_if_any()};
  }

  void copy_back(OwnedGradients<R>& to) const {
    to.angles = angles.copied_back();
    if (to.phases) to.phases = phases.copied_back();
    if (to.diagonal) to.diagonal = diagonal.copied_back();
  }

  DeviceCopy<R> angles, phases, diagonal;
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
