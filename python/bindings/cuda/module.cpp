// The extension module givens._cuda. Loading it needs no driver. Schedules are objects of
// givens._core, which must be loaded before.
#include <pybind11/stl.h>

#include "arguments.hpp"
#include "arrays/device.hpp"
#include "arrays/streams.hpp"
#include "givens/cuda.hpp"
#include "register.hpp"

namespace givens::python::cuda {

namespace {

void prepare(py::handle schedule_, py::handle device_) {
  const Schedule& schedule = to_schedule(schedule_);
  const std::int64_t device = to_integer(device_, "device");
  if (device < 0 || device > INT32_MAX) {
    throw py::value_error("device must be at least 0 and below 2**31, got " +
                          std::to_string(device));
  }
  const py::gil_scoped_release release;
  givens::cuda::prepare(schedule, static_cast<int>(device));
}

void register_array(py::module_& module) {
  py::class_<DeviceArray>(module, "Array", "An array in a GPU's memory, held until `release`.")
      .def_static("from_dlpack", &from_dlpack)
      .def_static("from_interface", &from_interface)
      .def_property_readonly(
          "shape", [](const DeviceArray& array) { return py::tuple(py::cast(array.shape)); })
      .def_property_readonly("dtype",
                             [](const DeviceArray& array) { return dtype_name(array.dtype); })
      .def_property_readonly(
          "device",
          [](const DeviceArray& array) {
            return array.device < 0 ? std::nullopt : std::optional<int>(array.device);
          },
          "The number of its device; None for an empty array of unknown device.")
      .def(
          "release", [](DeviceArray& array) { array.exporter = py::object(); },
          "Tells the exporter that its memory is no longer needed.");
}

}  // namespace

PYBIND11_MODULE(_cuda, module) {
  module.doc() = "The CUDA engine of givens; use it through the package.";
  module.def(
      "unavailable_reason",
      []() {
        const py::gil_scoped_release release;  // the driver takes long to start
        return givens::cuda::unavailable_reason();
      },
      "Why there is no device to run on; empty if there is one.");
  module.def("prepare", &prepare);
  module.def(
      "synchronize",
      [](std::uintptr_t stream, int device) {
        const py::gil_scoped_release release;
        synchronize(stream, device);
      },
      "Waits until the work of a stream is done.");
  register_array(module);
  register_transform(module);
#ifdef GIVENS_JAXLIB_VERSION
  register_xla(module);
#endif
}

}  // namespace givens::python::cuda
