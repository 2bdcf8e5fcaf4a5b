// What each file of the bindings adds to the module.
#pragma once

#include <pybind11/pybind11.h>

namespace givens::python {

void register_decompose(pybind11::module_& module);
void register_schedule(pybind11::module_& module);
void register_transform(pybind11::module_& module);
// Only where GIVENS_JAXLIB_VERSION is defined.
void register_ffi(pybind11::module_& module);

}  // namespace givens::python
