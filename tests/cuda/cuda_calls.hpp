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

// Copies of parameters, or of arrays for gradients, on the current device.
template <class Stored>
auto on_device(const Stored& stored) {
  return stored.each([](const auto& array) { return DeviceCopy(array); });
}

template <class R>
StoredGradients<Array<R>> copied_back(const StoredGradients<DeviceCopy<R>>& gradients) {
  return gradients.each([](const DeviceCopy<R>& array) { return array.copied_back(); });
}

template <class T>
Array<T> cuda_rotated(const Array<T>& x, const OwnedParameters<real_t<T>>& parameters,
                      const Schedule& schedule, const RotateOptions& options = {},
                      const givens::cuda::LaunchOptions& launch = {}) {
  const DeviceCopy<T> device_x(x);
  const auto device_parameters = on_device(parameters);
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
  const auto device_parameters = on_device(parameters);
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
  const auto device_parameters = on_device(parameters);
  auto gradients = on_device(out.of);
  givens::cuda::rotate_vjp<T>(device_y.view(), device_gy.view(), device_parameters.views(),
                              schedule, gx.view(), gradients.views(), options, launch);
  out.gx = gx.copied_back();
  out.of = copied_back(gradients);
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
  const auto device_parameters = on_device(parameters);
  auto gradients = on_device(out.of);
  givens::cuda::matrix_vjp<T>(device_u.view(), device_gu.view(), device_parameters.views(),
                              schedule, gradients.views(), launch);
  out.of = copied_back(gradients);
  return out;
}

}  // namespace test
