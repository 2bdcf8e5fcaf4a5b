// What each file of the bindings adds to the modules givens._core and givens._cuda.
#pragma once

#include <pybind11/pybind11.h>

namespace givens::python {

void register_approximate(pybind11::module_& module);
void register_decompose(pybind11::module_& module);
void register_jacobi(pybind11::module_& module);
void register_operator(pybind11::module_& module);
void register_schedule(pybind11::module_& module);
void register_transform(pybind11::module_& module);
// Only where GIVENS_JAXLIB_VERSION is defined.
void register_xla(pybind11::module_& module);

namespace cuda {

void register_transform(pybind11::module_& module);
// Only where GIVENS_JAXLIB_VERSION is defined.
void register_xla(pybind11::module_& module);

}  // namespace cuda

}  // namespace givens::python
