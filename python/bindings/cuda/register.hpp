// What each file of the bindings adds to the module givens._cuda.
#pragma once

#include <pybind11/pybind11.h>

namespace givens::python::cuda {

void register_transform(pybind11::module_& module);
// Only where GIVENS_JAXLIB_VERSION is defined.
void register_ffi(pybind11::module_& module);

}  // namespace givens::python::cuda
