// decompose on arrays in the CPU's memory.
#include "givens/decompose.hpp"

#include "arrays/host.hpp"
#include "parameters.hpp"
#include "register.hpp"

namespace givens::python {

namespace {

// "brickwall" or "wavefront"; None: what fits the shape of U.
std::optional<Schedule::Kind> to_kind(py::handle schedule) {
  if (schedule.is_none()) return std::nullopt;
  const std::string name = py::isinstance<py::str>(schedule) ? schedule.cast<std::string>() : "";
  for (const Schedule::KindInfo& kind : Schedule::kinds()) {
    if (name == kind.name) return kind.kind;
  }
  throw py::value_error("schedule must be \"brickwall\" or \"wavefront\", got " +
                        py::repr(schedule).cast<std::string>());
}

// (schedule, angles, phases, diagonal, signs); None for the parameters that U does not need.
py::tuple decompose(py::handle u_, py::handle schedule_, py::handle tolerance) {
  DecomposeOptions options;
  options.schedule = to_kind(schedule_);
  if (!tolerance.is_none()) options.tolerance = tolerance.cast<double>();
  CallArrays arrays;
  const HostArray u = arrays.wide_input(u_, "U");
  return with_type(u.dtype, [&](auto type) -> py::tuple {
    using T = decltype(type);
    using R = real_t<T>;
    const auto u_view = u.view<const T>();
    const Schedule schedule = decomposition_schedule<T>(u_view, options);
    std::vector<std::int64_t> shape_of_angles(u_view.shape(), u_view.shape() + u_view.ndim() - 1);
    std::vector<std::int64_t> shape_of_rows = shape_of_angles;
    shape_of_angles.back() = schedule.num_rotations();
    shape_of_rows.back() = schedule.n();
    const HostArray angles = arrays.make<R>(shape_of_angles);
    std::optional<HostArray> phases;
    std::optional<HostArray> diagonal;
    std::optional<HostArray> signs;
    if constexpr (is_complex_v<T>) {
      phases = arrays.make<R>(shape_of_angles);
      diagonal = arrays.make<R>(shape_of_rows);
    } else {
      signs = arrays.make<R>(shape_of_rows);
    }
    const ParameterOutputs<R> outputs{angles.view<R>(), optional_view<R>(phases),
                                      optional_view<R>(diagonal), optional_view<R>(signs)};
    {
      const py::gil_scoped_release release;
      givens::decompose<T>(u_view, outputs, options);
    }
    return py::make_tuple(schedule, arrays.result(angles), arrays.result(phases),
                          arrays.result(diagonal), arrays.result(signs));
  });
}

}  // namespace

void register_decompose(py::module_& module) { module.def("decompose", &decompose); }

}  // namespace givens::python
