// rotate, matrix, their gradients and tangents on arrays in the CPU's memory.
#include "givens/transform.hpp"

#include <pybind11/stl.h>

#include "calls.hpp"
#include "givens/jvp.hpp"
#include "register.hpp"

namespace givens::python {

namespace {

// The tangents of the parameters. Absent ones are zero.
struct TangentArrays {
  std::optional<HostArray> angles;
  std::optional<HostArray> phases;
  std::optional<HostArray> diagonal;

  TangentArrays(CallArrays& arrays, py::handle dangles, py::handle dphases, py::handle ddiagonal,
                const HostParameters& parameters)
      : angles(arrays.optional_real_input(dangles, "dangles")),
        phases(arrays.optional_real_input(dphases, "dphases")),
        diagonal(arrays.optional_real_input(ddiagonal, "ddiagonal")) {
    for (const auto* tangent : {&angles, &phases, &diagonal}) {
      if (*tangent) check_same_dtype(**tangent, parameters.angles);
    }
  }

  template <class R>
  ParameterTangents<R> views() const {
    return {optional_view<const R>(angles), optional_view<const R>(phases),
            optional_view<const R>(diagonal)};
  }
};

// The tangent of `primal`, if there is one.
std::optional<HostArray> to_tangent(CallArrays& arrays, py::handle object, const char* name,
                                    const HostArray& primal) {
  std::optional<HostArray> tangent = arrays.optional_wide_input(object, name);
  if (tangent) check_same_dtype(*tangent, primal);
  return tangent;
}

py::object rotate(py::handle x_, py::handle angles, py::handle schedule_, py::handle axis,
                  py::handle inverse, py::handle out, py::handle phases, py::handle diagonal,
                  py::handle signs, py::handle num_threads) {
  CallArrays arrays;
  const HostArray x = arrays.input(x_, "x");
  const HostParameters parameters = to_parameters(arrays, angles, phases, diagonal, signs);
  parameters.check_vectors(x);
  const Schedule& schedule = to_schedule(schedule_);
  const RotateOptions options = to_options(axis, inverse, num_threads);
  const std::optional<HostArray> given = to_output(arrays, out);
  if (given) check_same_dtype(*given, x);
  return with_any_type(x.dtype, [&](auto type) -> py::object {
    using T = decltype(type);
    const auto views = parameters.views<real_t<T>>();
    const auto x_view = x.view<const T>();
    const HostArray y =
        given ? *given : arrays.make<T>(rotated_shape<T>(x_view, views, schedule, options.axis));
    without_gil([&] { givens::rotate<T>(x_view, views, schedule, y.view<T>(), options); });
    return given ? py::reinterpret_borrow<py::object>(out) : arrays.result(y);
  });
}

py::object matrix(py::handle angles, py::handle schedule_, py::handle phases, py::handle diagonal,
                  py::handle signs, py::handle num_threads, py::handle out) {
  CallArrays arrays;
  const HostParameters parameters = to_parameters(arrays, angles, phases, diagonal, signs);
  const Schedule& schedule = to_schedule(schedule_);
  const int threads = threads_of_call(num_threads);
  const std::optional<HostArray> given = to_output(arrays, out);
  if (given && given->dtype != parameters.matrix_dtype()) {
    refuse_dtype(*given, dtype_name(parameters.matrix_dtype()) + std::string(" as U is"));
  }
  return with_type(parameters.matrix_dtype(), [&](auto type) -> py::object {
    using T = decltype(type);
    const auto views = parameters.views<real_t<T>>();
    const HostArray u = given_or_new<T>(given, arrays, matrix_shape(views, schedule));
    without_gil([&] { givens::matrix<T>(views, schedule, u.view<T>(), threads); });
    return given ? py::reinterpret_borrow<py::object>(out) : arrays.result(u);
  });
}

py::tuple rotate_vjp(py::handle y_, py::handle gy_, py::handle angles, py::handle schedule_,
                     py::handle axis, py::handle inverse, py::handle phases, py::handle diagonal,
                     py::handle signs, py::handle num_threads, py::handle out) {
  CallArrays arrays;
  const HostArray y = arrays.input(y_, "y");
  const HostArray gy = arrays.input(gy_, "gy");
  check_same_dtype(gy, y);
  const HostParameters parameters = to_parameters(arrays, angles, phases, diagonal, signs);
  parameters.check_vectors(y);
  const Schedule& schedule = to_schedule(schedule_);
  const RotateOptions options = to_options(axis, inverse, num_threads);
  const std::optional<HostArray> given = to_output(arrays, out);
  if (given) check_same_dtype(*given, y);
  return with_any_type(y.dtype, [&](auto type) -> py::tuple {
    using T = decltype(type);
    using R = real_t<T>;
    const HostArray gx = given_or_new<T>(given, arrays, y.shape());
    const GradientArrays<R> gradients(arrays, parameters);
    without_gil([&] {
      givens::rotate_vjp<T>(y.view<const T>(), gy.view<const T>(), parameters.views<R>(), schedule,
                            gx.view<T>(), gradients.views(), options);
    });
    return gradients.results(rotate_gradients, arrays,
                             given ? py::reinterpret_borrow<py::object>(out) : arrays.result(gx));
  });
}

py::tuple matrix_vjp(py::handle u_, py::handle gu_, py::handle angles, py::handle schedule_,
                     py::handle phases, py::handle diagonal, py::handle signs,
                     py::handle num_threads) {
  CallArrays arrays;
  const HostParameters parameters = to_parameters(arrays, angles, phases, diagonal, signs);
  const HostArray u = arrays.wide_input(u_, "U");
  const HostArray gu = arrays.wide_input(gu_, "gU");
  parameters.check_matrices(u, gu);
  const Schedule& schedule = to_schedule(schedule_);
  const int threads = threads_of_call(num_threads);
  return with_type(u.dtype, [&](auto type) -> py::tuple {
    using T = decltype(type);
    using R = real_t<T>;
    const GradientArrays<R> gradients(arrays, parameters);
    without_gil([&] {
      givens::matrix_vjp<T>(u.view<const T>(), gu.view<const T>(), parameters.views<R>(), schedule,
                            gradients.views(), threads);
    });
    return gradients.results(matrix_gradients, arrays);
  });
}

py::tuple rotate_jvp(py::handle x_, py::handle dx_, py::handle angles, py::handle dangles,
                     py::handle schedule_, py::handle axis, py::handle inverse, py::handle phases,
                     py::handle dphases, py::handle diagonal, py::handle ddiagonal,
                     py::handle signs, py::handle num_threads) {
  CallArrays arrays;
  const HostArray x = arrays.wide_input(x_, "x");
  const std::optional<HostArray> dx = to_tangent(arrays, dx_, "dx", x);
  const HostParameters parameters = to_parameters(arrays, angles, phases, diagonal, signs);
  parameters.check_vectors(x);
  const TangentArrays tangents(arrays, dangles, dphases, ddiagonal, parameters);
  const Schedule& schedule = to_schedule(schedule_);
  const RotateOptions options = to_options(axis, inverse, num_threads);
  return with_type(x.dtype, [&](auto type) -> py::tuple {
    using T = decltype(type);
    using R = real_t<T>;
    const auto views = parameters.views<R>();
    const auto x_view = x.view<const T>();
    const auto shape = rotated_shape<T>(x_view, views, schedule, options.axis);
    const HostArray y = arrays.make<T>(shape);
    const HostArray dy = arrays.make<T>(shape);
    without_gil([&] {
      givens::rotate_jvp<T>(x_view, optional_view<const T>(dx), views, tangents.views<R>(),
                            schedule, y.view<T>(), dy.view<T>(), options);
    });
    return py::make_tuple(arrays.result(y), arrays.result(dy));
  });
}

py::tuple matrix_jvp(py::handle angles, py::handle dangles, py::handle schedule_, py::handle phases,
                     py::handle dphases, py::handle diagonal, py::handle ddiagonal,
                     py::handle signs, py::handle num_threads) {
  CallArrays arrays;
  const HostParameters parameters = to_parameters(arrays, angles, phases, diagonal, signs);
  const TangentArrays tangents(arrays, dangles, dphases, ddiagonal, parameters);
  const Schedule& schedule = to_schedule(schedule_);
  const int threads = threads_of_call(num_threads);
  return with_type(parameters.matrix_dtype(), [&](auto type) -> py::tuple {
    using T = decltype(type);
    using R = real_t<T>;
    const auto views = parameters.views<R>();
    const auto shape = matrix_shape(views, schedule);
    const HostArray u = arrays.make<T>(shape);
    const HostArray du = arrays.make<T>(shape);
    without_gil([&] {
      givens::matrix_jvp<T>(views, tangents.views<R>(), schedule, u.view<T>(), du.view<T>(),
                            threads);
    });
    return py::make_tuple(arrays.result(u), arrays.result(du));
  });
}

py::tuple rotate_vjp_jvp(py::handle y_, py::handle dy_, py::handle gy_, py::handle dgy_,
                         py::handle angles, py::handle dangles, py::handle schedule_,
                         py::handle axis, py::handle inverse, py::handle phases, py::handle dphases,
                         py::handle diagonal, py::handle ddiagonal, py::handle signs,
                         py::handle num_threads) {
  CallArrays arrays;
  const HostArray y = arrays.wide_input(y_, "y");
  const std::optional<HostArray> dy = to_tangent(arrays, dy_, "dy", y);
  const HostArray gy = arrays.wide_input(gy_, "gy");
  check_same_dtype(gy, y);
  const std::optional<HostArray> dgy = to_tangent(arrays, dgy_, "dgy", y);
  const HostParameters parameters = to_parameters(arrays, angles, phases, diagonal, signs);
  parameters.check_vectors(y);
  const TangentArrays tangents(arrays, dangles, dphases, ddiagonal, parameters);
  const Schedule& schedule = to_schedule(schedule_);
  const RotateOptions options = to_options(axis, inverse, num_threads);
  return with_type(y.dtype, [&](auto type) -> py::tuple {
    using T = decltype(type);
    using R = real_t<T>;
    const HostArray gx = arrays.make<T>(y.shape());
    const HostArray dgx = arrays.make<T>(y.shape());
    const GradientArrays<R> gradients(arrays, parameters);
    const GradientArrays<R> gradient_tangents(arrays, parameters);
    without_gil([&] {
      givens::rotate_vjp_jvp<T>(y.view<const T>(), optional_view<const T>(dy), gy.view<const T>(),
                                optional_view<const T>(dgy), parameters.views<R>(),
                                tangents.views<R>(), schedule, gx.view<T>(), gradients.views(),
                                dgx.view<T>(), gradient_tangents.views(), options);
    });
    return py::make_tuple(gradients.results(rotate_gradients, arrays, arrays.result(gx)),
                          gradient_tangents.results(rotate_gradients, arrays, arrays.result(dgx)));
  });
}

// rotated_shape_of and matrix_shape_of check the arguments of a call that they do not make. They
// read no array's memory: functions are traced with arrays that have none.

py::tuple rotated_shape_of(py::handle x_, py::handle angles, py::handle schedule_, py::handle axis,
                           py::handle inverse, py::handle phases, py::handle diagonal,
                           py::handle signs, py::handle num_threads) {
  CallArrays arrays;
  const HostArray x = arrays.input(x_, "x");
  const HostParameters parameters = to_parameters(arrays, angles, phases, diagonal, signs);
  parameters.check_vectors(x);
  const Schedule& schedule = to_schedule(schedule_);
  const RotateOptions options = to_options(axis, inverse, num_threads);
  return with_any_type(x.dtype, [&](auto type) {
    using T = decltype(type);
    return py::tuple(py::cast(rotated_shape<T>(x.view<const T>(), parameters.views<real_t<T>>(),
                                               schedule, options.axis)));
  });
}

py::tuple matrix_shape_of(py::handle angles, py::handle schedule_, py::handle phases,
                          py::handle diagonal, py::handle signs, py::handle num_threads) {
  CallArrays arrays;
  const HostParameters parameters = to_parameters(arrays, angles, phases, diagonal, signs);
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
  const py::arg_v no_out = py::arg("out") = py::none();
  module.def("matrix", &matrix, py::arg(), py::arg(), py::arg(), py::arg(), py::arg(), py::arg(),
             no_out);
  module.def("rotate_vjp", &rotate_vjp, py::arg(), py::arg(), py::arg(), py::arg(), py::arg(),
             py::arg(), py::arg(), py::arg(), py::arg(), py::arg(), no_out);
  module.def("matrix_vjp", &matrix_vjp);
  module.def("rotate_jvp", &rotate_jvp);
  module.def("matrix_jvp", &matrix_jvp);
  module.def("rotate_vjp_jvp", &rotate_vjp_jvp);
  module.def("rotated_shape", &rotated_shape_of);
  module.def("matrix_shape", &matrix_shape_of);
}

}  // namespace givens::python
