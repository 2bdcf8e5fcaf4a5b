// approximate on arrays in the CPU's memory.
#include "givens/approximate.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "arguments.hpp"
#include "arrays/host.hpp"
#include "register.hpp"

namespace givens::python {

namespace {

// (schedule, angles, phases, diagonal, signs, error); None for the parameters that U does not need,
// as are signs that are all +1.
py::tuple approximate(py::handle u_, py::handle rotations_, py::handle max_rounds,
                      py::handle sweeps) {
  const std::int64_t rotations = to_integer(rotations_, "rotations");
  ApproximateOptions options;
  options.max_rounds = to_optional_integer(max_rounds, "max_rounds");
  options.sweeps = to_integer(sweeps, "sweeps");
  CallArrays arrays;
  const HostArray u = arrays.wide_input(u_, "U");
  return with_type(u.dtype, [&](auto type) -> py::tuple {
    using T = decltype(type);
    using R = real_t<T>;
    const auto found = [&] {
      const py::gil_scoped_release release;
      return givens::approximate<T>(u.view<const T>(), rotations, options);
    }();
    const auto array = [&](const std::vector<R>& numbers) -> py::object {
      return arrays.filled(numbers, {static_cast<std::int64_t>(numbers.size())});
    };
    const bool has_signs = std::count(found.signs.begin(), found.signs.end(), R(-1)) > 0;
    const py::object none = py::none();
    return py::make_tuple(found.rotations.schedule, array(found.rotations.angles),
                          is_complex_v<T> ? array(found.rotations.phases) : none,
                          is_complex_v<T> ? array(found.diagonal) : none,
                          has_signs ? array(found.signs) : none, found.error);
  });
}

}  // namespace

void register_approximate(py::module_& module) { module.def("approximate", &approximate); }

}  // namespace givens::python
