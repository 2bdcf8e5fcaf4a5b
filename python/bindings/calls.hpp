// What the functions on arrays in the CPU's memory share: their parameters and options, and the
// arrays of their results.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <pybind11/stl.h>

#include "arguments.hpp"
#include "arrays/host.hpp"
#include "parameters.hpp"

namespace givens::python {

using HostParameters = ParameterArrays<HostArray, std::optional<HostArray>>;

inline HostParameters to_parameters(CallArrays& arrays, py::handle angles, py::handle phases,
                                    py::handle diagonal, py::handle signs) {
  HostParameters parameters{
      arrays.real_input(angles, "angles"), arrays.optional_real_input(phases, "phases"),
      arrays.optional_real_input(diagonal, "diagonal"), arrays.optional_real_input(signs, "signs")};
  parameters.check();
  return parameters;
}

// An object of a class of named tuples. To call the class would take as long as a small matrix.
template <class... Items>
py::tuple named_tuple(PackageObject& named, Items... items) {
  auto* type = reinterpret_cast<PyTypeObject*>(named.get().ptr());
  auto made = py::reinterpret_steal<py::tuple>(type->tp_alloc(type, sizeof...(items)));
  if (!made) throw py::error_already_set();
  Py_ssize_t place = 0;
  (PyTuple_SET_ITEM(made.ptr(), place++, items.release().ptr()), ...);
  return made;
}

inline PYBIND11_CONSTINIT PackageObject rotate_gradients{"givens._gradients", "RotateGradients"};
inline PYBIND11_CONSTINIT PackageObject matrix_gradients{"givens._gradients", "MatrixGradients"};

// New arrays for the parameters' gradients.
template <class R>
struct GradientArrays {
  HostArray angles;
  std::optional<HostArray> phases;
  std::optional<HostArray> diagonal;

  GradientArrays(const CallArrays& arrays, const HostParameters& parameters)
      : angles(arrays.make<R>(parameters.angles.shape())) {
    if (parameters.phases) phases = arrays.make<R>(parameters.phases->shape());
    if (parameters.diagonal) diagonal = arrays.make<R>(parameters.diagonal->shape());
  }

  ParameterGradients<R> views() const {
    return {angles.view<R>(), optional_view<R>(phases), optional_view<R>(diagonal)};
  }

  // (*before, angles, phases, diagonal), with None for an absent parameter.
  template <class... Results>
  py::tuple results(PackageObject& named, const CallArrays& arrays, Results... before) const {
    return named_tuple(named, std::move(before)..., arrays.result(angles), arrays.result(phases),
                       arrays.result(diagonal));
  }
};

// The default is looked up here, with the GIL, since threads that hold it may change the
// environment.
inline int threads_of_call(py::handle num_threads) {
  const std::optional<int> threads = to_num_threads(num_threads);
  return threads ? *threads : default_num_threads();
}

inline RotateOptions to_options(py::handle axis, py::handle inverse, py::handle num_threads) {
  return {to_integer(axis, "axis"), to_bool(inverse, "inverse"), threads_of_call(num_threads)};
}

// The caller's array for a result, if there is one.
inline std::optional<HostArray> to_output(CallArrays& arrays, py::handle out) {
  if (out.is_none()) return std::nullopt;
  return arrays.output(out, "out");
}

// The caller's array if there is one, which must have this shape, else a new one.
template <class T>
HostArray given_or_new(const std::optional<HostArray>& given, const CallArrays& arrays,
                       const std::vector<std::int64_t>& shape) {
  if (!given) return arrays.make<T>(shape);
  if (given->shape() != shape) {
    const auto text = [](const std::vector<std::int64_t>& extents) {
      return std::string(py::str(py::tuple(py::cast(extents))));
    };
    throw py::value_error("out must have shape " + text(shape) + ", got shape " +
                          text(given->shape()));
  }
  return *given;
}

template <class Compute>
void without_gil(Compute&& compute) {
  const py::gil_scoped_release release;
  compute();
}

}  // namespace givens::python
