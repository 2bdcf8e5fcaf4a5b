// rotate, matrix and their gradients on arrays in a GPU's memory. The package has checked that all
// are on the device, and allocated what is written.
#include "givens/transform.hpp"

#include <pybind11/stl.h>

#include <optional>

#include "arguments.hpp"
#include "arguments/validate.hpp"
#include "arrays/device.hpp"
#include "givens/cuda.hpp"
#include "register.hpp"

namespace givens::python::cuda {

namespace {

using Batch = std::optional<std::vector<std::int64_t>>;
using Given = const DeviceArray*;  // null: absent

// Where and in which order the kernels run.
givens::cuda::LaunchOptions launch_on(int device, std::uintptr_t stream) {
  return {reinterpret_cast<givens::cuda::Stream>(stream), device, {}};
}

// The four parameters, of one real dtype.
struct ParameterArrays {
  const DeviceArray& angles;
  Given phases;
  Given diagonal;
  Given signs;

  ParameterArrays(const DeviceArray& angles_, Given phases_, Given diagonal_, Given signs_)
      : angles(angles_), phases(phases_), diagonal(diagonal_), signs(signs_) {
    for (const Given array : {&angles, phases, diagonal, signs}) {
      if (array && array->dtype != Dtype::float32 && array->dtype != Dtype::float64) {
        throw py::type_error(array->name + " must be float32 or float64, got " +
                             dtype_name(array->dtype));
      }
      if (array && array->dtype != angles.dtype) {
        throw py::type_error(array->name + " must be " + dtype_name(angles.dtype) +
                             " as angles are, got " + dtype_name(array->dtype));
      }
    }
  }

  bool make_complex() const { return phases || diagonal; }

  Dtype dtype_of_matrix() const { return make_complex() ? complex_of(angles.dtype) : angles.dtype; }

  // Vectors must have the precision of the angles, or half of single precision, and be complex if U
  // is.
  void check_vectors(const DeviceArray& x) const {
    const std::string real = dtype_name(angles.dtype);
    const std::string both = dtype_name(complex_of(angles.dtype));
    if (make_complex() && x.dtype != complex_of(angles.dtype)) {
      throw py::type_error(x.name + " must be " + both + " with " + real +
                           " phases or diagonal, got " + dtype_name(x.dtype));
    }
    if (parameters_of(x.dtype) != angles.dtype) {
      const std::string halves = angles.dtype == Dtype::float32 ? "float16, bfloat16, " : "";
      throw py::type_error(x.name + " must be " + halves + real + " or " + both + " with " + real +
                           " angles, got " + dtype_name(x.dtype));
    }
  }

  // With a batch shape, all but the signs are repeated to it.
  template <class R>
  Parameters<R> views(const Batch& batch = std::nullopt) const {
    const auto view = [&](const DeviceArray& array) {
      return batch ? array.view<const R>(*batch) : array.view<const R>();
    };
    const auto optional_view = [&](Given array) {
      return array ? std::optional<ArrayView<const R>>(view(*array)) : std::nullopt;
    };
    return {view(angles), optional_view(phases), optional_view(diagonal),
            signs ? std::optional<ArrayView<const R>>(signs->view<const R>()) : std::nullopt};
  }
};

void check_same_dtype(const DeviceArray& array, const DeviceArray& like) {
  if (array.dtype != like.dtype) {
    throw py::type_error(array.name + " must be " + dtype_name(like.dtype) + " as " + like.name +
                         " is, got " + dtype_name(array.dtype));
  }
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
  const auto optional_view = [](Given array) {
    return array ? std::optional<ArrayView<R>>(writeable(*array).view<R>()) : std::nullopt;
  };
  return {writeable(angles).view<R>(), optional_view(phases), optional_view(diagonal)};
}

std::vector<std::int64_t> matrix_shape(const DeviceArray& angles, py::handle schedule_,
                                       Given phases, Given diagonal, Given signs) {
  const ParameterArrays parameters(angles, phases, diagonal, signs);
  const Schedule& schedule = to_schedule(schedule_);
  if (angles.dtype == Dtype::float32) {
    return validate::matrix_shape<float>(parameters.views<float>(), schedule);
  }
  return validate::matrix_shape<double>(parameters.views<double>(), schedule);
}

std::vector<std::int64_t> rotated_shape(const DeviceArray& x, const DeviceArray& angles,
                                        py::handle schedule_, py::handle axis, Given phases,
                                        Given diagonal, Given signs) {
  const ParameterArrays parameters(angles, phases, diagonal, signs);
  parameters.check_vectors(x);
  const Schedule& schedule = to_schedule(schedule_);
  return with_device_type(x.dtype, [&](auto type) {
    using T = decltype(type);
    return validate::rotated_shape<T>(x.view<const T>(), parameters.views<real_t<T>>(), schedule,
                                      to_integer(axis, "axis"));
  });
}

void matrix(const DeviceArray& angles, py::handle schedule_, Given phases, Given diagonal,
            Given signs, const DeviceArray& u, int device, std::uintptr_t stream) {
  const ParameterArrays parameters(angles, phases, diagonal, signs);
  const Schedule& schedule = to_schedule(schedule_);
  with_type(parameters.dtype_of_matrix(), [&](auto type) {
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
  const ParameterArrays parameters(angles, phases, diagonal, signs);
  parameters.check_vectors(x);
  const Schedule& schedule = to_schedule(schedule_);
  const RotateOptions options{to_integer(axis, "axis"), to_bool(inverse, "inverse")};
  check_same_dtype(y, x);
  with_device_type(x.dtype, [&](auto type) {
    using T = decltype(type);
    const auto views = parameters.views<real_t<T>>();
    const auto x_view = x.view<const T>();
    const auto y_view = writeable(y).view<T>();
    const py::gil_scoped_release release;
    givens::cuda::rotate<T>(x_view, views, schedule, y_view, options, launch_on(device, stream));
  });
}

void rotate_vjp(const DeviceArray& y, const DeviceArray& gy, const DeviceArray& angles,
                py::handle schedule_, py::handle axis, py::handle inverse, Given phases,
                Given diagonal, Given signs, const Batch& batch, const DeviceArray& gx,
                const DeviceArray& gangles, Given gphases, Given gdiagonal, int device,
                std::uintptr_t stream) {
  check_same_dtype(gy, y);
  const ParameterArrays parameters(angles, phases, diagonal, signs);
  parameters.check_vectors(y);
  const Schedule& schedule = to_schedule(schedule_);
  const RotateOptions options{to_integer(axis, "axis"), to_bool(inverse, "inverse")};
  with_device_type(y.dtype, [&](auto type) {
    using T = decltype(type);
    const auto views = parameters.views<real_t<T>>(batch);
    const auto y_view = y.view<const T>();
    const auto gy_view = gy.view<const T>();
    const auto gx_view = writeable(gx).view<T>();
    const auto gradients = gradient_views<real_t<T>>(gangles, gphases, gdiagonal);
    const py::gil_scoped_release release;
    givens::cuda::rotate_vjp<T>(y_view, gy_view, views, schedule, gx_view, gradients, options,
                                launch_on(device, stream));
  });
}

void matrix_vjp(const DeviceArray& u, const DeviceArray& gu, const DeviceArray& angles,
                py::handle schedule_, Given phases, Given diagonal, Given signs, const Batch& batch,
                const DeviceArray& gangles, Given gphases, Given gdiagonal, int device,
                std::uintptr_t stream) {
  const ParameterArrays parameters(angles, phases, diagonal, signs);
  const Dtype dtype = parameters.dtype_of_matrix();
  if (u.dtype != dtype) {
    throw py::type_error(u.name + " must be " + dtype_name(dtype) +
                         ", as matrix returned it, got " + dtype_name(u.dtype));
  }
  check_same_dtype(gu, u);
  const Schedule& schedule = to_schedule(schedule_);
  with_type(dtype, [&](auto type) {
    using T = decltype(type);
    const auto views = parameters.views<real_t<T>>(batch);
    const auto u_view = u.view<const T>();
    const auto gu_view = gu.view<const T>();
    const auto gradients = gradient_views<real_t<T>>(gangles, gphases, gdiagonal);
    const py::gil_scoped_release release;
    givens::cuda::matrix_vjp<T>(u_view, gu_view, views, schedule, gradients,
                                launch_on(device, stream));
  });
}

}  // namespace

void register_transform(py::module_& module) {
  module.def("matrix_shape", [](const DeviceArray& angles, py::handle schedule, Given phases,
                                Given diagonal, Given signs) {
    return py::tuple(py::cast(matrix_shape(angles, schedule, phases, diagonal, signs)));
  });
  module.def("rotated_shape", [](const DeviceArray& x, const DeviceArray& angles,
                                 py::handle schedule, py::handle axis, Given phases, Given diagonal,
                                 Given signs) {
    return py::tuple(py::cast(rotated_shape(x, angles, schedule, axis, phases, diagonal, signs)));
  });
  module.def("matrix", &matrix);
  module.def("rotate", &rotate);
  module.def("rotate_vjp", &rotate_vjp);
  module.def("matrix_vjp", &matrix_vjp);
}

}  // namespace givens::python::cuda
