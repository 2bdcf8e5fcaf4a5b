// A second extension module in the file of givens._cuda, so that both share one emulator. With it
// the Python tests play the part of an array library.
#include <cuda_runtime.h>
#include <pybind11/pybind11.h>

#include <cuda_emulator/control.hpp>
#include <stdexcept>
#include <string>

#include "host/device_plan.hpp"
#include "host/runtime.hpp"

namespace {

namespace py = pybind11;

void require(cudaError_t status) {
  if (status != cudaSuccess) throw std::runtime_error(cudaGetErrorString(status));
}

void* pointer(std::uintptr_t address) { return reinterpret_cast<void*>(address); }

}  // namespace

PYBIND11_MODULE(_emulator, module) {
  module.def("allocate", [](int device, std::size_t bytes) {
    const givens::cuda::DeviceGuard guard(device);
    void* data = nullptr;
    require(cudaMalloc(&data, bytes));
    return reinterpret_cast<std::uintptr_t>(data);
  });
  module.def("free", [](std::uintptr_t data) { require(cudaFree(pointer(data))); });
  module.def("write", [](std::uintptr_t data, const py::bytes& values) {
    const std::string text = values;
    require(cudaMemcpy(pointer(data), text.data(), text.size(), cudaMemcpyHostToDevice));
  });
  module.def("read", [](std::uintptr_t data, std::size_t bytes) {
    std::string text(bytes, '\0');
    require(cudaMemcpy(text.data(), pointer(data), bytes, cudaMemcpyDeviceToHost));
    return py::bytes(text);
  });
  module.def("create_stream", [](int device) {
    const givens::cuda::DeviceGuard guard(device);
    cudaStream_t stream = nullptr;
    require(cudaStreamCreate(&stream));
    return reinterpret_cast<std::uintptr_t>(stream);
  });
  module.def("destroy_stream", [](std::uintptr_t stream) {
    require(cudaStreamDestroy(reinterpret_cast<cudaStream_t>(stream)));
  });
  module.def("current_device", []() {
    int device = -1;
    require(cudaGetDevice(&device));
    return device;
  });
  module.def("set_device", [](int device) { require(cudaSetDevice(device)); });
  module.def("set_device_count", [](int count, bool without_driver) {
    cuda_emulator::set_device_count(count,
                                    without_driver ? cudaErrorInsufficientDriver : cudaSuccess);
  });
  module.def("reset_devices", &cuda_emulator::reset_devices);
  module.def("launch_count", &cuda_emulator::launch_count);
  module.def("allocation_count", &cuda_emulator::allocation_count);
  module.def("take_reports", &cuda_emulator::take_reports);
  module.def("free_plans", &givens::cuda::free_device_plans);
}
