// decompose on arrays in the CPU's memory.
#include "givens/decompose.hpp"

#include "arrays/host.hpp"
#include "register.hpp"

namespace givens::python {

namespace {

// (angles, phases, diagonal, signs); None for those that U has not.
py::tuple decompose(py::handle u_) {
  CallArrays arrays;
  const Array u = arrays.input(u_, "U");
  return with_type(u.dtype, [&](auto type) -> py::tuple {
    using T = decltype(type);
    using R = real_t<T>;
    const auto u_view = view_of<const T>(u);
    const std::vector<std::int64_t> of_angles = decomposed_shape<T>(u_view);
    std::vector<std::int64_t> of_rows = of_angles;
    of_rows.back() = u_view.shape(u_view.ndim() - 1);
    const Array angles = arrays.make<R>(of_angles);
    std::optional<Array> phases;
    std::optional<Array> diagonal;
    std::optional<Array> signs;
    if constexpr (is_complex_v<T>) {
      phases = arrays.make<R>(of_angles);
      diagonal = arrays.make<R>(of_rows);
    } else {
      signs = arrays.make<R>(of_rows);
    }
    const auto optional_view = [](const std::optional<Array>& array) {
      return array ? std::optional<ArrayView<R>>(view_of<R>(*array)) : std::nullopt;
    };
    const ParameterOutputs<R> outputs{view_of<R>(angles), optional_view(phases),
                                      optional_view(diagonal), optional_view(signs)};
    {
      const py::gil_scoped_release release;
      givens::decompose<T>(u_view, outputs);
    }
    const auto or_none = [&](const std::optional<Array>& array) {
      return array ? arrays.result(*array) : py::object(py::none());
    };
    return py::make_tuple(arrays.result(angles), or_none(phases), or_none(diagonal),
                          or_none(signs));
  });
}

}  // namespace

void register_decompose(py::module_& module) { module.def("decompose", &decompose); }

}  // namespace givens::python
