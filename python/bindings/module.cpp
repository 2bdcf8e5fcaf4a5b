// The extension module givens._core.
#include <pybind11/stl.h>

#include <string>

#include "arguments.hpp"
#include "register.hpp"

namespace givens::python {

namespace {

std::string compiler() {
#if defined(__clang__)
  return "Clang " __clang_version__;
#elif defined(__GNUC__)
  return "GCC " __VERSION__;
#elif defined(_MSC_FULL_VER)
  return "MSVC " + std::to_string(_MSC_FULL_VER);
#else
  return "unknown";
#endif
}

py::dict build_info() {
  py::dict info;
  info["compiler"] = compiler();
  info["cpp_standard"] = std::to_string(__cplusplus / 100 % 100);
#if defined(NDEBUG)
  info["build_type"] = "release";
#else
  info["build_type"] = "debug";
#endif
#if defined(GIVENS_JAXLIB_VERSION)
  info["xla_handlers"] = "for jaxlib " GIVENS_JAXLIB_VERSION;
#else
  info["xla_handlers"] = "not built: docs/jax.md says how to get them";
#endif
  return info;
}

}  // namespace

// Exported so that threadpoolctl can tell this library from others with the same file name: see
// python/givens/_threads.py.
extern "C" PYBIND11_EXPORT const char* givens_core_version() { return GIVENS_VERSION; }

PYBIND11_MODULE(_core, module) {
  module.doc() = "The compiled core of givens; use it through the package.";
  module.attr("__version__") = GIVENS_VERSION;
  module.def("build_info", &build_info);
  module.def("backends", &backends);
  module.def("backend", &backend);
  module.def("default_num_threads", &default_num_threads);
  module.def("set_default_num_threads", [](py::handle num_threads) {
    set_default_num_threads(to_num_threads(num_threads).value_or(0));
  });
  register_approximate(module);
  register_decompose(module);
  register_jacobi(module);
  register_operator(module);
  register_schedule(module);
  register_transform(module);
#ifdef GIVENS_JAXLIB_VERSION
  register_xla(module);
#endif
}

}  // namespace givens::python
