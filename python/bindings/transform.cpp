// rotate, matrix, their gradients and tangents on arrays in the CPU's memory.
#include "givens/transform.hpp"

#include <pybind11/stl.h>

#include "givens/jvp.hpp"

#include "arguments.hpp"
#include "arrays/host.hpp"
#include "register.hpp"

namespace givens::python {

namespace {

template <class T>
std::optional<ArrayView<const T>> optional_view(const std::optional<Array>& array) {
  if (!array) return std::nullopt;
  return view_of<const T>(*array);
}

// The four parameters as arrays of one real dtype. Absent ones are empty.
struct ParameterArrays {
  Array angles;
  std::optional<Array> phases;
  std::optional<Array> diagonal;
  std::optional<Array> signs;

  ParameterArrays(CallArrays& arrays, py::handle angles_, py::handle phases_, py::handle diagonal_,
                  py::handle signs_)
      : angles(arrays.real_input(angles_, "angles")) {
    const auto like_angles = [&](py::handle object, const char* name) -> std::optional<Array> {
      if (object.is_none()) return std::nullopt;
      Array array = arrays.real_input(object, name);
      if (array.dtype != angles.dtype) {
        throw py::type_error(std::string(name) + " must be " + dtype_name(angles.dtype) +
                             " as angles are, got " + dtype_name(array.dtype));
      }
      return array;
    };
    phases = like_angles(phases_, "phases");
    diagonal = like_angles(diagonal_, "diagonal");
    signs = like_angles(signs_, "signs");
  }

  bool make_complex() const { return phases.has_value() || diagonal.has_value(); }

  Dtype matrix_dtype() const { return make_complex() ? complex_of(angles.dtype) : angles.dtype; }

  // Vectors must have the precision of the angles, and be complex if U is.
  void check_vectors(const Array& x, const char* name) const {
    if (make_complex() && x.dtype != complex_of(angles.dtype)) {
      throw py::type_error(std::string(name) + " must be " + dtype_name(complex_of(angles.dtype)) +
                           " with " + dtype_name(angles.dtype) + " phases or diagonal, got " +
                           dtype_name(x.dtype));
    }
    if (is_double(x.dtype) != is_double(angles.dtype)) {
      throw py::type_error(std::string(name) + " must be " + dtype_name(angles.dtype) + " or " +
                           dtype_name(complex_of(angles.dtype)) + " with " +
                           dtype_name(angles.dtype) + " angles, got " + dtype_name(x.dtype));
    }
  }

  template <class R>
  Parameters<R> views() const {
    return {view_of<const R>(angles), optional_view<R>(phases), optional_view<R>(diagonal),
            optional_view<R>(signs)};
  }
};

void check_same_dtype(const Array& array, const char* name, const Array& like,
                      const char* like_name) {
  if (array.dtype != like.dtype) {
    throw py::type_error(std::string(name) + " must be " + dtype_name(like.dtype) + " as " +
                         like_name + " is, got " + dtype_name(array.dtype));
  }
}

std::vector<std::int64_t> shape_of(const Array& array) {
  return {array.memory.shape(), array.memory.shape() + array.memory.ndim()};
}

// New arrays for the parameters' gradients.
template <class R>
struct GradientArrays {
  Array angles;
  std::optional<Array> phases;
  std::optional<Array> diagonal;

  GradientArrays(const CallArrays& arrays, const ParameterArrays& parameters)
      : angles(arrays.make<R>(shape_of(parameters.angles))) {
    if (parameters.phases) phases = arrays.make<R>(shape_of(*parameters.phases));
    if (parameters.diagonal) diagonal = arrays.make<R>(shape_of(*parameters.diagonal));
  }

  ParameterGradients<R> views() const {
    const auto optional_view = [](const std::optional<Array>& array) {
      return array ? std::optional<ArrayView<R>>(view_of<R>(*array)) : std::nullopt;
    };
    return {view_of<R>(angles), optional_view(phases), optional_view(diagonal)};
  }

  // Appends the gradients of angles, phases and diagonal, with None for an absent parameter.
  void append_to(py::list& out, const CallArrays& arrays) const {
    out.append(arrays.result(angles));
    for (const auto& gradient : {phases, diagonal}) {
      out.append(gradient ? arrays.result(*gradient) : py::object(py::none()));
    }
  }
};

// The default is looked up here, with the GIL, since threads that hold it may change the
// environment.
int threads_of_call(py::handle num_threads) {
  const std::optional<int> threads = to_num_threads(num_threads);
  return threads ? *threads : default_num_threads();
}

py::object rotate(py::handle x_, py::handle angles, py::handle schedule_, py::handle axis_,
                  py::handle inverse, py::handle out, py::handle phases, py::handle diagonal,
                  py::handle signs, py::handle num_threads) {
  CallArrays arrays;
  const Array x = arrays.input(x_, "x");
  const ParameterArrays parameters(arrays, angles, phases, diagonal, signs);
  parameters.check_vectors(x, "x");
  const Schedule& schedule = to_schedule(schedule_);
  const RotateOptions options{to_integer(axis_, "axis"), to_bool(inverse, "inverse"),
                              threads_of_call(num_threads)};
  std::optional<Array> given;
  if (!out.is_none()) {
    given = arrays.output(out, "out");
    check_same_dtype(*given, "out", x, "x");
  }
  return with_type(x.dtype, [&](auto type) -> py::object {
    using T = decltype(type);
    const auto views = parameters.views<real_t<T>>();
    const auto x_view = view_of<const T>(x);
    const Array y =
        given ? *given : arrays.make<T>(rotated_shape<T>(x_view, views, schedule, options.axis));
    const auto y_view = view_of<T>(y);
    {
      const py::gil_scoped_release release;
      givens::rotate<T>(x_view, views, schedule, y_view, options);
    }
    return given ? py::reinterpret_borrow<py::object>(out) : arrays.result(y);
  });
}

py::object matrix(py::handle angles, py::handle schedule_, py::handle phases, py::handle diagonal,
                  py::handle signs, py::handle num_threads) {
  CallArrays arrays;
  const ParameterArrays parameters(arrays, angles, phases, diagonal, signs);
  const Schedule& schedule = to_schedule(schedule_);
  const int threads = threads_of_call(num_threads);
  return with_type(parameters.matrix_dtype(), [&](auto type) -> py::object {
    using T = decltype(type);
    const auto views = parameters.views<real_t<T>>();
    const Array u = arrays.make<T>(matrix_shape(views, schedule));
    const auto u_view = view_of<T>(u);
    {
      const py::gil_scoped_release release;
      givens::matrix<T>(views, schedule, u_view, threads);
    }
    return arrays.result(u);
  });
}

py::tuple rotate_vjp(py::handle y_, py::handle gy_, py::handle angles, py::handle schedule_,
                     py::handle axis, py::handle inverse, py::handle phases, py::handle diagonal,
                     py::handle signs, py::handle num_threads) {
  CallArrays arrays;
  const Array y = arrays.input(y_, "y");
  const Array gy = arrays.input(gy_, "gy");
  check_same_dtype(gy, "gy", y, "y");
  const ParameterArrays parameters(arrays, angles, phases, diagonal, signs);
  parameters.check_vectors(y, "y");
  const Schedule& schedule = to_schedule(schedule_);
  const RotateOptions options{to_integer(axis, "axis"), to_bool(inverse, "inverse"),
                              threads_of_call(num_threads)};
  return with_type(y.dtype, [&](auto type) -> py::tuple {
    using T = decltype(type);
    const auto views = parameters.views<real_t<T>>();
    const auto y_view = view_of<const T>(y);
    const auto gy_view = view_of<const T>(gy);
    const Array gx = arrays.make<T>(shape_of(y));
    const auto gx_view = view_of<T>(gx);
    const GradientArrays<real_t<T>> gradients(arrays, parameters);
    const auto gradient_views = gradients.views();
    {
      const py::gil_scoped_release release;
      givens::rotate_vjp<T>(y_view, gy_view, views, schedule, gx_view, gradient_views, options);
    }
    py::list out;
    out.append(arrays.result(gx));
    gradients.append_to(out, arrays);
    return py::tuple(out);
  });
}

py::tuple matrix_vjp(py::handle u_, py::handle gu_, py::handle angles, py::handle schedule_,
                     py::handle phases, py::handle diagonal, py::handle signs,
                     py::handle num_threads) {
  CallArrays arrays;
  const ParameterArrays parameters(arrays, angles, phases, diagonal, signs);
  const Dtype dtype = parameters.matrix_dtype();
  const Array u = arrays.input(u_, "U");
  if (u.dtype != dtype) {
    throw py::type_error(std::string("U must be ") + dtype_name(dtype) +
                         ", as matrix returned it, got " + dtype_name(u.dtype));
  }
  const Array gu = arrays.input(gu_, "gU");
  check_same_dtype(gu, "gU", u, "U");
  const Schedule& schedule = to_schedule(schedule_);
  const int threads = threads_of_call(num_threads);
  return with_type(dtype, [&](auto type) -> py::tuple {
    using T = decltype(type);
    const auto views = parameters.views<real_t<T>>();
    const auto u_view = view_of<const T>(u);
    const auto gu_view = view_of<const T>(gu);
    const GradientArrays<real_t<T>> gradients(arrays, parameters);
    const auto gradient_views = gradients.views();
    {
      const py::gil_scoped_release release;
      givens::matrix_vjp<T>(u_view, gu_view, views, schedule, gradient_views, threads);
    }
    py::list out;
    gradients.append_to(out, arrays);
    return py::tuple(out);
  });
}

// The tangents of the parameters. Absent ones are zero.
struct TangentArrays {
  std::optional<Array> angles;
  std::optional<Array> phases;
  std::optional<Array> diagonal;

  TangentArrays(CallArrays& arrays, py::handle angles_, py::handle phases_, py::handle diagonal_,
                const ParameterArrays& parameters) {
    const auto like_angles = [&](py::handle object, const char* name) -> std::optional<Array> {
      if (object.is_none()) return std::nullopt;
      Array array = arrays.real_input(object, name);
      check_same_dtype(array, name, parameters.angles, "angles");
      return array;
    };
    angles = like_angles(angles_, "dangles");
    phases = like_angles(phases_, "dphases");
    diagonal = like_angles(diagonal_, "ddiagonal");
  }

  template <class R>
  ParameterTangents<R> views() const {
    return {optional_view<R>(angles), optional_view<R>(phases), optional_view<R>(diagonal)};
  }
};

std::optional<Array> to_tangent(CallArrays& arrays, py::handle object, const char* name,
                                const Array& like, const char* like_name) {
  if (object.is_none()) return std::nullopt;
  Array array = arrays.input(object, name);
  check_same_dtype(array, name, like, like_name);
  return array;
}

py::tuple rotate_jvp(py::handle x_, py::handle dx_, py::handle angles, py::handle dangles,
                     py::handle schedule_, py::handle axis, py::handle inverse, py::handle phases,
                     py::handle dphases, py::handle diagonal, py::handle ddiagonal,
                     py::handle signs, py::handle num_threads) {
  CallArrays arrays;
  const Array x = arrays.input(x_, "x");
  const std::optional<Array> dx = to_tangent(arrays, dx_, "dx", x, "x");
  const ParameterArrays parameters(arrays, angles, phases, diagonal, signs);
  parameters.check_vectors(x, "x");
  const TangentArrays tangents(arrays, dangles, dphases, ddiagonal, parameters);
  const Schedule& schedule = to_schedule(schedule_);
  const RotateOptions options{to_integer(axis, "axis"), to_bool(inverse, "inverse"),
                              threads_of_call(num_threads)};
  return with_type(x.dtype, [&](auto type) -> py::tuple {
    using T = decltype(type);
    const auto views = parameters.views<real_t<T>>();
    const auto tangent_views = tangents.views<real_t<T>>();
    const auto x_view = view_of<const T>(x);
    const auto dx_view = optional_view<T>(dx);
    const auto shape = rotated_shape<T>(x_view, views, schedule, options.axis);
    const Array y = arrays.make<T>(shape);
    const Array dy = arrays.make<T>(shape);
    const auto y_view = view_of<T>(y);
    const auto dy_view = view_of<T>(dy);
    {
      const py::gil_scoped_release release;
      givens::rotate_jvp<T>(x_view, dx_view, views, tangent_views, schedule, y_view, dy_view,
                            options);
    }
    return py::make_tuple(arrays.result(y), arrays.result(dy));
  });
}

py::tuple matrix_jvp(py::handle angles, py::handle dangles, py::handle schedule_, py::handle phases,
                     py::handle dphases, py::handle diagonal, py::handle ddiagonal,
                     py::handle signs, py::handle num_threads) {
  CallArrays arrays;
  const ParameterArrays parameters(arrays, angles, phases, diagonal, signs);
  const TangentArrays tangents(arrays, dangles, dphases, ddiagonal, parameters);
  const Schedule& schedule = to_schedule(schedule_);
  const int threads = threads_of_call(num_threads);
  return with_type(parameters.matrix_dtype(), [&](auto type) -> py::tuple {
    using T = decltype(type);
    const auto views = parameters.views<real_t<T>>();
    const auto tangent_views = tangents.views<real_t<T>>();
    const auto shape = matrix_shape(views, schedule);
    const Array u = arrays.make<T>(shape);
    const Array du = arrays.make<T>(shape);
    const auto u_view = view_of<T>(u);
    const auto du_view = view_of<T>(du);
    {
      const py::gil_scoped_release release;
      givens::matrix_jvp<T>(views, tangent_views, schedule, u_view, du_view, threads);
    }
    return py::make_tuple(arrays.result(u), arrays.result(du));
  });
}

py::tuple rotate_vjp_jvp(py::handle y_, py::handle dy_, py::handle gy_, py::handle dgy_,
                         py::handle angles, py::handle dangles, py::handle schedule_,
                         py::handle axis, py::handle inverse, py::handle phases, py::handle dphases,
                         py::handle diagonal, py::handle ddiagonal, py::handle signs,
                         py::handle num_threads) {
  CallArrays arrays;
  const Array y = arrays.input(y_, "y");
  const std::optional<Array> dy = to_tangent(arrays, dy_, "dy", y, "y");
  const Array gy = arrays.input(gy_, "gy");
  check_same_dtype(gy, "gy", y, "y");
  const std::optional<Array> dgy = to_tangent(arrays, dgy_, "dgy", y, "y");
  const ParameterArrays parameters(arrays, angles, phases, diagonal, signs);
  parameters.check_vectors(y, "y");
  const TangentArrays tangents(arrays, dangles, dphases, ddiagonal, parameters);
  const Schedule& schedule = to_schedule(schedule_);
  const RotateOptions options{to_integer(axis, "axis"), to_bool(inverse, "inverse"),
                              threads_of_call(num_threads)};
  return with_type(y.dtype, [&](auto type) -> py::tuple {
    using T = decltype(type);
    const auto views = parameters.views<real_t<T>>();
    const auto tangent_views = tangents.views<real_t<T>>();
    const auto y_view = view_of<const T>(y);
    const auto dy_view = optional_view<T>(dy);
    const auto gy_view = view_of<const T>(gy);
    const auto dgy_view = optional_view<T>(dgy);
    const Array gx = arrays.make<T>(shape_of(y));
    const Array dgx = arrays.make<T>(shape_of(y));
    const auto gx_view = view_of<T>(gx);
    const auto dgx_view = view_of<T>(dgx);
    const GradientArrays<real_t<T>> gradients(arrays, parameters);
    const GradientArrays<real_t<T>> gradient_tangents(arrays, parameters);
    const auto gradient_views = gradients.views();
    const auto gradient_tangent_views = gradient_tangents.views();
    {
      const py::gil_scoped_release release;
      givens::rotate_vjp_jvp<T>(y_view, dy_view, gy_view, dgy_view, views, tangent_views, schedule,
                                gx_view, gradient_views, dgx_view, gradient_tangent_views, options);
    }
    py::list values;
    values.append(arrays.result(gx));
    gradients.append_to(values, arrays);
    py::list derivatives;
    derivatives.append(arrays.result(dgx));
    gradient_tangents.append_to(derivatives, arrays);
    return py::make_tuple(py::tuple(values), py::tuple(derivatives));
  });
}

// The arguments of a call are checked without making it, and the memory of its arrays is not read:
// for functions that are traced with arrays that have none.
py::tuple rotated_shape_of(py::handle x_, py::handle angles, py::handle schedule_, py::handle axis,
                           py::handle inverse, py::handle phases, py::handle diagonal,
                           py::handle signs, py::handle num_threads) {
  CallArrays arrays;
  const Array x = arrays.input(x_, "x");
  const ParameterArrays parameters(arrays, angles, phases, diagonal, signs);
  parameters.check_vectors(x, "x");
  const Schedule& schedule = to_schedule(schedule_);
  to_bool(inverse, "inverse");
  to_num_threads(num_threads);
  return with_type(x.dtype, [&](auto type) {
    using T = decltype(type);
    return py::tuple(py::cast(rotated_shape<T>(view_of<const T>(x), parameters.views<real_t<T>>(),
                                               schedule, to_integer(axis, "axis"))));
  });
}

py::tuple matrix_shape_of(py::handle angles, py::handle schedule_, py::handle phases,
                          py::handle diagonal, py::handle signs, py::handle num_threads) {
  CallArrays arrays;
  const ParameterArrays parameters(arrays, angles, phases, diagonal, signs);
  const Schedule& schedule = to_schedule(schedule_);
  to_num_threads(num_threads);
  return with_type(parameters.angles.dtype, [&](auto type) {
    using R = real_t<decltype(type)>;
    return py::tuple(py::cast(matrix_shape(parameters.views<R>(), schedule)));
  });
}

}  // namespace

void register_transform(py::module_& module) {
  module.def("rotate", &rotate);
  module.def("matrix", &matrix);
  module.def("rotate_vjp", &rotate_vjp);
  module.def("matrix_vjp", &matrix_vjp);
  module.def("rotate_jvp", &rotate_jvp);
  module.def("matrix_jvp", &matrix_jvp);
  module.def("rotate_vjp_jvp", &rotate_vjp_jvp);
  module.def("rotated_shape", &rotated_shape_of);
  module.def("matrix_shape", &matrix_shape_of);
}

}  // namespace givens::python
