// rotate, matrix, their gradients and tangents on NumPy arrays.
#include "givens/transform.hpp"

#include "givens/jvp.hpp"

#include "arguments.hpp"
#include "register.hpp"

namespace givens::python {

namespace {

template <class T>
std::optional<ArrayView<const T>> optional_view(const std::optional<Array>& array) {
  if (!array) return std::nullopt;
  return view_of<const T>(array->array);
}

// The four parameters as arrays of one real dtype. Absent ones are empty.
struct ParameterArrays {
  Array angles;
  std::optional<Array> phases;
  std::optional<Array> diagonal;
  std::optional<Array> signs;

  ParameterArrays(py::handle angles_, py::handle phases_, py::handle diagonal_, py::handle signs_)
      : angles(to_real_array(angles_, "angles")) {
    const auto like_angles = [&](py::handle object, const char* name) -> std::optional<Array> {
      if (object.is_none()) return std::nullopt;
      Array array = to_real_array(object, name);
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
    return {view_of<const R>(angles.array), optional_view<R>(phases), optional_view<R>(diagonal),
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

template <class T>
py::array empty(const std::vector<std::int64_t>& shape) {
  return py::array_t<T>(std::vector<py::ssize_t>(shape.begin(), shape.end()));
}

template <class T>
py::array empty_like(const py::array& array) {
  return py::array_t<T>(std::vector<py::ssize_t>(array.shape(), array.shape() + array.ndim()));
}

// New arrays for the parameters' gradients.
template <class R>
struct GradientArrays {
  py::array angles;
  std::optional<py::array> phases;
  std::optional<py::array> diagonal;

  explicit GradientArrays(const ParameterArrays& parameters)
      : angles(empty_like<R>(parameters.angles.array)) {
    if (parameters.phases) phases = empty_like<R>(parameters.phases->array);
    if (parameters.diagonal) diagonal = empty_like<R>(parameters.diagonal->array);
  }

  ParameterGradients<R> views() const {
    const auto optional_view = [](const std::optional<py::array>& array) {
      return array ? std::optional<ArrayView<R>>(view_of<R>(*array)) : std::nullopt;
    };
    return {view_of<R>(angles), optional_view(phases), optional_view(diagonal)};
  }

  void append_to(py::list& out) const {
    out.append(angles);
    if (phases) out.append(*phases);
    if (diagonal) out.append(*diagonal);
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
  const Array x = to_array(x_, "x");
  const ParameterArrays parameters(angles, phases, diagonal, signs);
  parameters.check_vectors(x, "x");
  const Schedule& schedule = to_schedule(schedule_);
  const RotateOptions options{to_integer(axis_, "axis"), to_bool(inverse, "inverse"),
                              threads_of_call(num_threads)};
  std::optional<Array> given;
  if (!out.is_none()) {
    given = to_output(out, "out");
    check_same_dtype(*given, "out", x, "x");
  }
  return with_type(x.dtype, [&](auto type) -> py::object {
    using T = decltype(type);
    const auto views = parameters.views<real_t<T>>();
    const auto x_view = view_of<const T>(x.array);
    const py::array y =
        given ? given->array : empty<T>(rotated_shape<T>(x_view, views, schedule, options.axis));
    const auto y_view = view_of<T>(y);
    {
      const py::gil_scoped_release release;
      givens::rotate<T>(x_view, views, schedule, y_view, options);
    }
    return y;
  });
}

py::object matrix(py::handle angles, py::handle schedule_, py::handle phases, py::handle diagonal,
                  py::handle signs, py::handle num_threads) {
  const ParameterArrays parameters(angles, phases, diagonal, signs);
  const Schedule& schedule = to_schedule(schedule_);
  const int threads = threads_of_call(num_threads);
  const Dtype dtype =
      parameters.make_complex() ? complex_of(parameters.angles.dtype) : parameters.angles.dtype;
  return with_type(dtype, [&](auto type) -> py::object {
    using T = decltype(type);
    const auto views = parameters.views<real_t<T>>();
    py::array u = empty<T>(matrix_shape(views, schedule));
    const auto u_view = view_of<T>(u);
    {
      const py::gil_scoped_release release;
      givens::matrix<T>(views, schedule, u_view, threads);
    }
    return u;
  });
}

py::tuple rotate_vjp(py::handle y_, py::handle gy_, py::handle angles, py::handle schedule_,
                     py::handle axis, py::handle inverse, py::handle phases, py::handle diagonal,
                     py::handle signs, py::handle num_threads) {
  const Array y = to_array(y_, "y");
  const Array gy = to_array(gy_, "gy");
  check_same_dtype(gy, "gy", y, "y");
  const ParameterArrays parameters(angles, phases, diagonal, signs);
  parameters.check_vectors(y, "y");
  const Schedule& schedule = to_schedule(schedule_);
  const RotateOptions options{to_integer(axis, "axis"), to_bool(inverse, "inverse"),
                              threads_of_call(num_threads)};
  return with_type(y.dtype, [&](auto type) -> py::tuple {
    using T = decltype(type);
    const auto views = parameters.views<real_t<T>>();
    const auto y_view = view_of<const T>(y.array);
    const auto gy_view = view_of<const T>(gy.array);
    const py::array gx = empty_like<T>(y.array);
    const auto gx_view = view_of<T>(gx);
    const GradientArrays<real_t<T>> gradients(parameters);
    const auto gradient_views = gradients.views();
    {
      const py::gil_scoped_release release;
      givens::rotate_vjp<T>(y_view, gy_view, views, schedule, gx_view, gradient_views, options);
    }
    py::list out;
    out.append(gx);
    gradients.append_to(out);
    return py::tuple(out);
  });
}

py::object matrix_vjp(py::handle u_, py::handle gu_, py::handle angles, py::handle schedule_,
                      py::handle phases, py::handle diagonal, py::handle signs,
                      py::handle num_threads) {
  const ParameterArrays parameters(angles, phases, diagonal, signs);
  const Dtype dtype =
      parameters.make_complex() ? complex_of(parameters.angles.dtype) : parameters.angles.dtype;
  const Array u = to_array(u_, "U");
  if (u.dtype != dtype) {
    throw py::type_error(std::string("U must be ") + dtype_name(dtype) +
                         ", as matrix returned it, got " + dtype_name(u.dtype));
  }
  const Array gu = to_array(gu_, "gU");
  check_same_dtype(gu, "gU", u, "U");
  const Schedule& schedule = to_schedule(schedule_);
  const int threads = threads_of_call(num_threads);
  return with_type(dtype, [&](auto type) -> py::object {
    using T = decltype(type);
    const auto views = parameters.views<real_t<T>>();
    const auto u_view = view_of<const T>(u.array);
    const auto gu_view = view_of<const T>(gu.array);
    const GradientArrays<real_t<T>> gradients(parameters);
    const auto gradient_views = gradients.views();
    {
      const py::gil_scoped_release release;
      givens::matrix_vjp<T>(u_view, gu_view, views, schedule, gradient_views, threads);
    }
    py::list out;
    gradients.append_to(out);
    return out.size() == 1 ? py::object(out[0]) : py::object(py::tuple(out));
  });
}

// The tangents of the parameters. Absent ones are zero.
struct TangentArrays {
  std::optional<Array> angles;
  std::optional<Array> phases;
  std::optional<Array> diagonal;

  TangentArrays(py::handle angles_, py::handle phases_, py::handle diagonal_,
                const ParameterArrays& parameters) {
    const auto like_angles = [&](py::handle object, const char* name) -> std::optional<Array> {
      if (object.is_none()) return std::nullopt;
      Array array = to_real_array(object, name);
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

std::optional<Array> to_tangent(py::handle object, const char* name, const Array& like,
                                const char* like_name) {
  if (object.is_none()) return std::nullopt;
  Array array = to_array(object, name);
  check_same_dtype(array, name, like, like_name);
  return array;
}

py::tuple rotate_jvp(py::handle x_, py::handle dx_, py::handle angles, py::handle dangles,
                     py::handle schedule_, py::handle axis, py::handle inverse, py::handle phases,
                     py::handle dphases, py::handle diagonal, py::handle ddiagonal,
                     py::handle signs, py::handle num_threads) {
  const Array x = to_array(x_, "x");
  const std::optional<Array> dx = to_tangent(dx_, "dx", x, "x");
  const ParameterArrays parameters(angles, phases, diagonal, signs);
  parameters.check_vectors(x, "x");
  const TangentArrays tangents(dangles, dphases, ddiagonal, parameters);
  const Schedule& schedule = to_schedule(schedule_);
  const RotateOptions options{to_integer(axis, "axis"), to_bool(inverse, "inverse"),
                              threads_of_call(num_threads)};
  return with_type(x.dtype, [&](auto type) -> py::tuple {
    using T = decltype(type);
    const auto views = parameters.views<real_t<T>>();
    const auto tangent_views = tangents.views<real_t<T>>();
    const auto x_view = view_of<const T>(x.array);
    const auto dx_view = optional_view<T>(dx);
    const auto shape = rotated_shape<T>(x_view, views, schedule, options.axis);
    const py::array y = empty<T>(shape);
    const py::array dy = empty<T>(shape);
    const auto y_view = view_of<T>(y);
    const auto dy_view = view_of<T>(dy);
    {
      const py::gil_scoped_release release;
      givens::rotate_jvp<T>(x_view, dx_view, views, tangent_views, schedule, y_view, dy_view,
                            options);
    }
    return py::make_tuple(y, dy);
  });
}

py::tuple matrix_jvp(py::handle angles, py::handle dangles, py::handle schedule_, py::handle phases,
                     py::handle dphases, py::handle diagonal, py::handle ddiagonal,
                     py::handle signs, py::handle num_threads) {
  const ParameterArrays parameters(angles, phases, diagonal, signs);
  const TangentArrays tangents(dangles, dphases, ddiagonal, parameters);
  const Schedule& schedule = to_schedule(schedule_);
  const int threads = threads_of_call(num_threads);
  const Dtype dtype =
      parameters.make_complex() ? complex_of(parameters.angles.dtype) : parameters.angles.dtype;
  return with_type(dtype, [&](auto type) -> py::tuple {
    using T = decltype(type);
    const auto views = parameters.views<real_t<T>>();
    const auto tangent_views = tangents.views<real_t<T>>();
    const auto shape = matrix_shape(views, schedule);
    const py::array u = empty<T>(shape);
    const py::array du = empty<T>(shape);
    const auto u_view = view_of<T>(u);
    const auto du_view = view_of<T>(du);
    {
      const py::gil_scoped_release release;
      givens::matrix_jvp<T>(views, tangent_views, schedule, u_view, du_view, threads);
    }
    return py::make_tuple(u, du);
  });
}

py::tuple rotate_vjp_jvp(py::handle y_, py::handle dy_, py::handle gy_, py::handle dgy_,
                         py::handle angles, py::handle dangles, py::handle schedule_,
                         py::handle axis, py::handle inverse, py::handle phases, py::handle dphases,
                         py::handle diagonal, py::handle ddiagonal, py::handle signs,
                         py::handle num_threads) {
  const Array y = to_array(y_, "y");
  const std::optional<Array> dy = to_tangent(dy_, "dy", y, "y");
  const Array gy = to_array(gy_, "gy");
  check_same_dtype(gy, "gy", y, "y");
  const std::optional<Array> dgy = to_tangent(dgy_, "dgy", y, "y");
  const ParameterArrays parameters(angles, phases, diagonal, signs);
  parameters.check_vectors(y, "y");
  const TangentArrays tangents(dangles, dphases, ddiagonal, parameters);
  const Schedule& schedule = to_schedule(schedule_);
  const RotateOptions options{to_integer(axis, "axis"), to_bool(inverse, "inverse"),
                              threads_of_call(num_threads)};
  return with_type(y.dtype, [&](auto type) -> py::tuple {
    using T = decltype(type);
    const auto views = parameters.views<real_t<T>>();
    const auto tangent_views = tangents.views<real_t<T>>();
    const auto y_view = view_of<const T>(y.array);
    const auto dy_view = optional_view<T>(dy);
    const auto gy_view = view_of<const T>(gy.array);
    const auto dgy_view = optional_view<T>(dgy);
    const py::array gx = empty_like<T>(y.array);
    const py::array dgx = empty_like<T>(y.array);
    const auto gx_view = view_of<T>(gx);
    const auto dgx_view = view_of<T>(dgx);
    const GradientArrays<real_t<T>> gradients(parameters);
    const GradientArrays<real_t<T>> gradient_tangents(parameters);
    const auto gradient_views = gradients.views();
    const auto gradient_tangent_views = gradient_tangents.views();
    {
      const py::gil_scoped_release release;
      givens::rotate_vjp_jvp<T>(y_view, dy_view, gy_view, dgy_view, views, tangent_views, schedule,
                                gx_view, gradient_views, dgx_view, gradient_tangent_views, options);
    }
    py::list values;
    values.append(gx);
    gradients.append_to(values);
    py::list derivatives;
    derivatives.append(dgx);
    gradient_tangents.append_to(derivatives);
    return py::make_tuple(py::tuple(values), py::tuple(derivatives));
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
}

}  // namespace givens::python
