// jacobi on arrays in the CPU's memory.
#include "givens/jacobi.hpp"

#include <pybind11/stl.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "arguments.hpp"
#include "arrays/host.hpp"
#include "register.hpp"

namespace givens::python {

namespace {

// The values and a list of (schedule, angles, phases): one for the whole batch if there is a
// schedule, otherwise one for each matrix in C order. Phases are None if A is real.
py::tuple jacobi(py::handle a_, py::handle pairs, py::handle rotations, py::handle max_rounds,
                 const std::optional<double>& tol, py::handle joint_) {
  const bool joint = to_bool(joint_, "joint");
  JacobiOptions options;
  if (!pairs.is_none()) options.pairs = to_schedule(pairs);
  options.rotations = to_optional_integer(rotations, "rotations");
  options.max_rounds = to_optional_integer(max_rounds, "max_rounds");
  options.tol = tol;
  CallArrays arrays;
  const HostArray a = arrays.wide_input(a_, "A");
  return with_type(a.dtype, [&](auto type) -> py::tuple {
    using T = decltype(type);
    using R = real_t<T>;
    // A wrong number of axes is refused below.
    std::vector<std::int64_t> shape = a.shape();
    if (!joint && !shape.empty()) shape.pop_back();
    const HostArray values = joint ? arrays.make<T>(shape) : arrays.make<R>(shape);
    std::vector<FoundRotations<R>> found;
    {
      const py::gil_scoped_release release;
      found = joint ? joint_jacobi<T>(a.view<const T>(), values.view<T>(), options)
                    : givens::jacobi<T>(a.view<const T>(), values.view<R>(), options);
    }
    std::vector<std::int64_t> batch;  // and the rotations
    if (options.pairs) batch.assign(shape.begin(), shape.end() - (joint ? 3 : 1));
    py::list out;
    batch.push_back(0);
    for (const FoundRotations<R>& one : found) {
      batch.back() = one.schedule.num_rotations();
      out.append(py::make_tuple(
          one.schedule, arrays.filled(one.angles, batch),
          is_complex_v<T> ? arrays.filled(one.phases, batch) : py::object(py::none())));
    }
    return py::make_tuple(arrays.result(values), out);
  });
}

}  // namespace

void register_jacobi(py::module_& module) { module.def("jacobi", &jacobi); }

}  // namespace givens::python
