// rotate, matrix and their gradients on arrays in a GPU's memory. The package has checked that all
// arrays are on the device, and has made the arrays for the results.
#include "givens/transform.hpp"

#include <pybind11/stl.h>

#include <optional>
#include <vector>

#include "arguments.hpp"
#include "arguments/validate.hpp"
#include "arrays/device.hpp"
#include "givens/cuda.hpp"
#include "parameters.hpp"
#include "register.hpp"

namespace givens::python::cuda {

namespace {

using Batch = std::optional<std::vector<std::int64_t>>;
using Given = const DeviceArray*;  // null: absent
using DeviceParameters = ParameterArrays<const DeviceArray&, Given>;

// Where and in which order the kernels run.
givens::cuda::LaunchOptions launch_on(int device, std::uintptr_t stream) {
  return {reinterpret_cast<givens::cuda::Stream>(stream), device, {}};
}

DeviceParameters to_parameters(const DeviceArray& angles, Given phases, Given diagonal,
                               Given signs) {
  for (const Given array : {&angles, phases, diagonal, signs}) {
    if (array && array->dtype != Dtype::float32 && array->dtype != Dtype::float64) {
      refuse_dtype(*array, "float32 or float64");
    }
  }
  const DeviceParameters parameters{angles, phases, diagonal, signs};
  parameters.check();
  return parameters;
}

// The view with its leading axes repeated to the batch shape, by strides of 0. It must have a last
// axis, and its leading axes must broadcast to that shape.
template <class T>
ArrayView<T> repeated(const ArrayView<T>& view, const std::vector<std::int64_t>& batch) {
  std::vector<std::int64_t> shape = batch;
  std::vector<std::int64_t> strides(batch.size(), 0);
  const int last = view.ndim() - 1;
  const std::size_t missing = batch.size() - static_cast<std::size_t>(last);
  for (int d = 0; d < last; ++d) {
    if (view.shape(d) != 1) strides[missing + static_cast<std::size_t>(d)] = view.stride(d);
  }
  shape.push_back(view.shape(last));
  strides.push_back(view.stride(last));
  return ArrayView<T>(view.data(), static_cast<int>(shape.size()), shape.data(), strides.data());
}

// The parameters that have gradients are repeated to the batch shape, if there is one.
template <class R>
Parameters<R> repeated(Parameters<R> parameters, const Batch& batch) {
  if (!batch) return parameters;
  parameters.angles = repeated(parameters.angles, *batch);
  for (auto* view : {&parameters.phases, &parameters.diagonal}) {
    if (*view) *view = repeated(**view, *batch);
  }
  return parameters;
}

const DeviceArray& writeable(const DeviceArray& array) {
  if (array.read_only) {
    throw py::value_error(array.name + " must be writeable, got a read-only array");
  }
  if (array.copied) {
    throw py::value_error(array.name + " must be exported by its library without a copy");
  }
  return array;
}

template <class R>
ParameterGradients<R> gradient_views(const DeviceArray& angles, Given phases, Given diagonal) {
  for (const Given array : {&angles, phases, diagonal}) {
    if (array) writeable(*array);
  }
  return {angles.view<R>(), optional_view<R>(phases), optional_view<R>(diagonal)};
}

py::tuple matrix_shape(const DeviceArray& angles, py::handle schedule_, Given phases,
                       Given diagonal, Given signs) {
  const DeviceParameters parameters = to_parameters(angles, phases, diagonal, signs);
  const Schedule& schedule = to_schedule(schedule_);
  return with_type(angles.dtype, [&](auto type) {
    using R = real_t<decltype(type)>;
    return py::tuple(py::cast(validate::matrix_shape<R>(parameters.views<R>(), schedule)));
  });
}

py::tuple rotated_shape(const DeviceArray& x, const DeviceArray& angles, py::handle schedule_,
                        py::handle axis, Given phases, Given diagonal, Given signs) {
  const DeviceParameters parameters = to_parameters(angles, phases, diagonal, signs);
  parameters.check_vectors(x);
  const Schedule& schedule = to_schedule(schedule_);
  return with_any_type(x.dtype, [&](auto type) {
    using T = decltype(type);
    return py::tuple(py::cast(validate::rotated_shape<T>(
        x.view<const T>(), parameters.views<real_t<T>>(), schedule, to_integer(axis, "axis"))));
  });
}

void matrix(const DeviceArray& angles, py::handle schedule_, Given phases, Given diagonal,
            Given signs, const DeviceArray& u, int device, std::uintptr_t stream) {
  const DeviceParameters parameters = to_parameters(angles, phases, diagonal, signs);
  const Schedule& schedule = to_schedule(schedule_);
  with_type(parameters.matrix_dtype(), [&](auto type) {
    using T = decltype(type);
    const auto views = parameters.views<real_t<T>>();
    const auto u_view = writeable(u).view<T>();
    const py::gil_scoped_release release;
    givens::cuda::matrix<T>(views, schedule, u_view, launch_on(device, stream));
  });
}

void rotate(const DeviceArray& x, const DeviceArray& angles, py::handle schedule_, py::handle axis,
            py::handle inverse, Given phases, Given diagonal, Given signs, const DeviceArray& y,
            int device, std::uintptr_t stream) {
  const DeviceParameters parameters = to_parameters(angles, phases, diagonal, signs);
  parameters.check_vectors(x);
  const Schedule& schedule = to_schedule(schedule_);
  const RotateOptions options{to_integer(axis, "axis"), to_bool(inverse, "inverse")};
  check_same_dtype(y, x);
  with_any_type(x.dtype, [&](auto type) {
    using T = decltype(type);
    const auto views = parameters.views<real_t<T>>();
    const auto y_view = writeable(y).view<T>();
    const py::gil_scoped_release release;
    givens::cuda::rotate<T>(x.view<const T>(), views, schedule, y_view, options,
                            launch_on(device, stream));
  });
}

// In both functions with gradients, gphases and gdiagonal are absent if phases and diagonal are.
// The leading axes of angles, phases and diagonal are repeated to the batch shape first.

void rotate_vjp(const DeviceArray& y, const DeviceArray& gy, const DeviceArray& angles,
                py::handle schedule_, py::handle axis, py::handle inverse, Given phases,
                Given diagonal, Given signs, const Batch& batch, const DeviceArray& gx,
                const DeviceArray& gangles, Given gphases, Given gdiagonal, int device,
                std::uintptr_t stream) {
  check_same_dtype(gy, y);
  const DeviceParameters parameters = to_parameters(angles, phases, diagonal, signs);
  parameters.check_vectors(y);
  const Schedule& schedule = to_schedule(schedule_);
  const RotateOptions options{to_integer(axis, "axis"), to_bool(inverse, "inverse")};
  with_any_type(y.dtype, [&](auto type) {
    using T = decltype(type);
    const auto views = repeated(parameters.views<real_t<T>>(), batch);
    const auto gx_view = writeable(gx).view<T>();
    const auto gradients = gradient_views<real_t<T>>(gangles, gphases, gdiagonal);
    const py::gil_scoped_release release;
    givens::cuda::rotate_vjp<T>(y.view<const T>(), gy.view<const T>(), views, schedule, gx_view,
                                gradients, options, launch_on(device, stream));
  });
}

void matrix_vjp(const DeviceArray& u, const DeviceArray& gu, const DeviceArray& angles,
                py::handle schedule_, Given phases, Given diagonal, Given signs, const Batch& batch,
                const DeviceArray& gangles, Given gphases, Given gdiagonal, int device,
                std::uintptr_t stream) {
  const DeviceParameters parameters = to_parameters(angles, phases, diagonal, signs);
  parameters.check_matrices(u, gu);
  const Schedule& schedule = to_schedule(schedule_);
  with_type(u.dtype, [&](auto type) {
    using T = decltype(type);
    const auto views = repeated(parameters.views<real_t<T>>(), batch);
    const auto gradients = gradient_views<real_t<T>>(gangles, gphases, gdiagonal);
    const py::gil_scoped_release release;
    givens::cuda::matrix_vjp<T>(u.view<const T>(), gu.view<const T>(), views, schedule, gradients,
                                launch_on(device, stream));
  });
}

}  // namespace

void register_transform(py::module_& module) {
  module.def("matrix_shape", &matrix_shape);
  module.def("rotated_shape", &rotated_shape);
  module.def("matrix", &matrix);
  module.def("rotate", &rotate);
  module.def("rotate_vjp", &rotate_vjp);
  module.def("matrix_vjp", &matrix_vjp);
}

}  // namespace givens::python::cuda
