// The emulator as a library sees it: devices, memory, launches, streams and graphs.
#include <cuda_runtime.h>
#include <doctest/doctest.h>

#include <string>
#include <thread>
#include <vector>

#include "cuda_emulator/control.hpp"
#include "emulator/tests/device_array.hpp"

namespace {

using test::DeviceArray;
using test::launch;

bool reported(const std::string& text) {
  return cuda_emulator::take_reports().find(text) != std::string::npos;
}

// Sets the devices, and which one is current, back to what they were at first.
struct Devices {
  Devices() = default;
  ~Devices() {
    cuda_emulator::reset_devices();
    cudaSetDevice(0);
    cudaGetLastError();
  }
  Devices(const Devices&) = delete;
  Devices& operator=(const Devices&) = delete;
};

class Stream {
 public:
  Stream() { REQUIRE(cudaStreamCreate(&stream_) == cudaSuccess); }
  ~Stream() { cudaStreamDestroy(stream_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  operator cudaStream_t() const { return stream_; }

 private:
  cudaStream_t stream_ = nullptr;
};

__global__ void nothing() {}

__global__ void add(int* values, int value) { values[threadIdx.x] += value; }

__global__ void multiply(int* values, int value) { values[threadIdx.x] *= value; }

int attribute(int device, cudaDeviceAttr which) {
  int value = -1;
  REQUIRE(cudaDeviceGetAttribute(&value, which, device) == cudaSuccess);
  return value;
}

// --- Devices -----------------------------------------------------------------------------------

TEST_CASE("there are two devices, one of which is the current one") {
  const Devices devices;
  int count = 0, device = -1;
  REQUIRE(cudaGetDeviceCount(&count) == cudaSuccess);
  CHECK(count == 2);
  REQUIRE(cudaSetDevice(1) == cudaSuccess);
  REQUIRE(cudaGetDevice(&device) == cudaSuccess);
  CHECK(device == 1);
  CHECK(cudaSetDevice(2) == cudaErrorInvalidDevice);
  CHECK(cudaGetLastError() == cudaErrorInvalidDevice);
  CHECK(cudaGetLastError() == cudaSuccess);
}

TEST_CASE("a test chooses what the devices are") {
  const Devices devices;
  cuda_emulator::set_shared_memory(0, 64 * 1024);
  CHECK(attribute(0, cudaDevAttrMaxSharedMemoryPerBlockOptin) == 64 * 1024);
  CHECK(attribute(1, cudaDevAttrMaxSharedMemoryPerBlockOptin) == 227 * 1024);
  CHECK(attribute(1, cudaDevAttrMultiProcessorCount) == 132);
}

TEST_CASE("without a device every call says so") {
  const Devices devices;
  int count = 7;
  void* pointer = nullptr;
  cuda_emulator::set_device_count(0);
  CHECK(cudaGetDeviceCount(&count) == cudaErrorNoDevice);
  CHECK(count == 7);
  CHECK(cudaMalloc(&pointer, 4) == cudaErrorNoDevice);
  CHECK(launch({1, 1}, nothing) == cudaErrorNoDevice);
  cuda_emulator::set_device_count(0, cudaErrorInsufficientDriver);
  CHECK(cudaSetDevice(0) == cudaErrorInsufficientDriver);
  CHECK(std::string(cudaGetErrorName(cudaErrorInsufficientDriver)) ==
        "cudaErrorInsufficientDriver");
}

// --- Memory ------------------------------------------------------------------------------------

TEST_CASE("copies reach the memory that they name") {
  const DeviceArray<int> a(std::vector<int>{1, 2, 3, 4});
  const int zeros[2] = {};
  REQUIRE(cudaMemcpy(a.data() + 1, zeros, 8, cudaMemcpyHostToDevice) == cudaSuccess);
  CHECK(a.values() == std::vector<int>{1, 0, 0, 4});
}

TEST_CASE("copies in the wrong direction or beyond an allocation are errors") {
  const DeviceArray<int> a(4);
  int host[8] = {};
  CHECK(cudaMemcpy(host, a.data(), 16, cudaMemcpyHostToDevice) == cudaErrorInvalidValue);
  CHECK(cudaMemcpy(host, a.data(), 17, cudaMemcpyDeviceToHost) == cudaErrorInvalidValue);
  CHECK(cudaMemcpy(a.data() + 3, host, 8, cudaMemcpyHostToDevice) == cudaErrorInvalidValue);
  CHECK(cudaMemcpy(a.data(), a.data(), 8, cudaMemcpyHostToDevice) == cudaErrorInvalidValue);
  CHECK(cudaMemcpy(a.data(), nullptr, 0, cudaMemcpyHostToDevice) == cudaSuccess);
  CHECK(cudaFree(a.data() + 1) == cudaErrorInvalidValue);
  CHECK(cudaFree(nullptr) == cudaSuccess);
}

TEST_CASE("memory remembers its device") {
  const Devices devices;
  REQUIRE(cudaSetDevice(1) == cudaSuccess);
  const DeviceArray<int> values(std::vector<int>{1});
  REQUIRE(cudaSetDevice(0) == cudaSuccess);
  cudaPointerAttributes attributes;
  REQUIRE(cudaPointerGetAttributes(&attributes, values.data()) == cudaSuccess);
  CHECK(attributes.type == cudaMemoryTypeDevice);
  CHECK(attributes.device == 1);
  REQUIRE(cudaPointerGetAttributes(&attributes, &devices) == cudaSuccess);
  CHECK(attributes.type == cudaMemoryTypeUnregistered);
  CHECK(launch({1, 1}, add, values.data(), 1) == cudaErrorIllegalAddress);
  CHECK(
      reported("argument 0 of a kernel points to memory of device 1, but the kernel runs on "
               "device 0"));
  REQUIRE(cudaSetDevice(1) == cudaSuccess);
  CHECK(launch({1, 1}, add, values.data(), 1) == cudaSuccess);
  CHECK(values.values()[0] == 2);
}

TEST_CASE("allocations are counted, and fail where memory ends") {
  const Devices devices;
  cuda_emulator::set_memory_size(0, 1000);
  const auto count = cuda_emulator::allocation_count();
  void *a = nullptr, *b = nullptr, *none = &a;
  REQUIRE(cudaMallocAsync(&a, 900, nullptr) == cudaSuccess);
  CHECK(cudaMalloc(&b, 101) == cudaErrorMemoryAllocation);
  CHECK(b == nullptr);
  CHECK(cudaMalloc(&none, 0) == cudaSuccess);
  CHECK(none == nullptr);
  CHECK(cuda_emulator::allocation_count() == count + 1);
  REQUIRE(cudaFreeAsync(a, nullptr) == cudaSuccess);
  CHECK(cuda_emulator::allocation_count() == count);
}

// --- Launches ----------------------------------------------------------------------------------

TEST_CASE("a launch of an impossible size is an error") {
  CHECK(launch({0, 1}, nothing) == cudaErrorInvalidConfiguration);
  CHECK(launch({1, 0}, nothing) == cudaErrorInvalidConfiguration);
  CHECK(launch({1, {32, 33}}, nothing) == cudaErrorInvalidConfiguration);
  CHECK(launch({{1, 65536}, 1}, nothing) == cudaErrorInvalidConfiguration);
  CHECK(launch({1, {1, 1, 65}}, nothing) == cudaErrorInvalidConfiguration);
  CHECK(launch({1, 1024}, nothing) == cudaSuccess);
}

TEST_CASE("more than 48 KB of shared memory must be asked for, on each device") {
  const Devices devices;
  constexpr std::size_t much = 100 * 1024;
  CHECK(launch({1, 1, 48 * 1024}, nothing) == cudaSuccess);
  CHECK(launch({1, 1, much}, nothing) == cudaErrorInvalidValue);
  constexpr auto limit = cudaFuncAttributeMaxDynamicSharedMemorySize;
  REQUIRE(cudaFuncSetAttribute(nothing, limit, much) == cudaSuccess);
  CHECK(launch({1, 1, much}, nothing) == cudaSuccess);
  CHECK(launch({1, 1, much + 1}, nothing) == cudaErrorInvalidValue);

  REQUIRE(cudaSetDevice(1) == cudaSuccess);
  CHECK(launch({1, 1, much}, nothing) == cudaErrorInvalidValue);
  cuda_emulator::set_shared_memory(1, 64 * 1024);
  CHECK(cudaFuncSetAttribute(nothing, limit, much) == cudaErrorInvalidValue);
}

TEST_CASE("launches and kernels are counted") {
  cuda_emulator::reset_launch_counts();
  const DeviceArray<int> values(1);
  launch({2, 1}, nothing);
  launch({1, 1}, add, values.data(), 1);
  launch({1, 1}, add, values.data(), 1);
  CHECK(cuda_emulator::launch_count() == 3);
  CHECK(cuda_emulator::kernel_count(1) == 2);
  CHECK(cuda_emulator::kernel_count(2) == 1);
}

__global__ void copy_number(float* to, const float* from) {
  if (from) *to = *from;
}

TEST_CASE("pointers that are not to device memory are reported") {
  float host = 0;
  const DeviceArray<float> device(1);
  CHECK(launch({1, 1}, copy_number, device.data(), nullptr) == cudaSuccess);
  CHECK(launch({1, 1}, copy_number, device.data(), &host) == cudaErrorIllegalAddress);
  CHECK(reported("argument 1 of a kernel is not a pointer to device memory"));
  CHECK(launch({1, 1}, copy_number, &host, device.data()) == cudaErrorIllegalAddress);
  CHECK(reported("argument 0 of a kernel is not a pointer to device memory"));
}

TEST_CASE("host threads launch side by side, each on its own device") {
  std::vector<std::thread> threads;
  std::vector<int> results(4);
  for (std::size_t t = 0; t < results.size(); ++t) {
    threads.emplace_back([&results, t] {
      cudaSetDevice(static_cast<int>(t % 2));
      const DeviceArray<int> values(std::vector<int>{0});
      for (int i = 0; i < 10; ++i) launch({1, 1}, add, values.data(), static_cast<int>(t));
      results[t] = values.values()[0];
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(results == std::vector<int>{0, 10, 20, 30});
  int device = -1;
  REQUIRE(cudaGetDevice(&device) == cudaSuccess);
  CHECK(device == 0);
}

// --- Streams and graphs ------------------------------------------------------------------------

TEST_CASE("a stream is of one device and lives until it is destroyed") {
  const Devices devices;
  cudaStream_t stream = nullptr;
  REQUIRE(cudaSetDevice(1) == cudaSuccess);
  REQUIRE(cudaStreamCreate(&stream) == cudaSuccess);
  REQUIRE(cudaSetDevice(0) == cudaSuccess);
  CHECK(launch({1, 1, 0, stream}, nothing) == cudaErrorInvalidResourceHandle);
  void* memory = nullptr;
  cudaPointerAttributes attributes;
  REQUIRE(cudaMallocAsync(&memory, 4, stream) == cudaSuccess);
  REQUIRE(cudaPointerGetAttributes(&attributes, memory) == cudaSuccess);
  CHECK(attributes.device == 1);
  CHECK(cudaFreeAsync(memory, stream) == cudaSuccess);
  CHECK(cudaStreamSynchronize(stream) == cudaSuccess);
  REQUIRE(cudaStreamDestroy(stream) == cudaSuccess);
  CHECK(cudaStreamSynchronize(stream) == cudaErrorInvalidResourceHandle);
}

TEST_CASE("events can be recorded and waited for") {
  const Stream stream;
  cudaEvent_t event;
  REQUIRE(cudaEventCreateWithFlags(&event, cudaEventDisableTiming) == cudaSuccess);
  CHECK(cudaEventRecord(event, stream) == cudaSuccess);
  CHECK(cudaStreamWaitEvent(nullptr, event) == cudaSuccess);
  CHECK(cudaEventDestroy(event) == cudaSuccess);
  CHECK(cudaEventRecord(event, stream) == cudaErrorInvalidResourceHandle);
  CHECK(cudaStreamWaitEvent(nullptr, event) == cudaErrorInvalidResourceHandle);
  CHECK(cudaEventDestroy(event) == cudaErrorInvalidResourceHandle);
}

TEST_CASE("what a stream captures is done when the graph is launched, and each time again") {
  const Stream stream;
  const DeviceArray<int> values(std::vector<int>{1, 2});
  int* data = values.data();
  REQUIRE(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal) == cudaSuccess);
  CHECK(launch({1, 1, 0, stream}, multiply, data, 5) == cudaSuccess);
  CHECK(launch({1, 2, 0, stream}, add, data, 10) == cudaSuccess);
  cudaGraph_t graph;
  REQUIRE(cudaStreamEndCapture(stream, &graph) == cudaSuccess);
  CHECK(values.values() == std::vector<int>{1, 2});

  cudaGraphExec_t executable;
  REQUIRE(cudaGraphInstantiate(&executable, graph) == cudaSuccess);
  REQUIRE(cudaGraphDestroy(graph) == cudaSuccess);
  cuda_emulator::reset_launch_counts();
  REQUIRE(cudaGraphLaunch(executable, stream) == cudaSuccess);
  CHECK(values.values() == std::vector<int>{15, 12});
  REQUIRE(cudaGraphLaunch(executable, stream) == cudaSuccess);
  CHECK(values.values() == std::vector<int>{85, 22});
  CHECK(cuda_emulator::launch_count() == 4);
  REQUIRE(cudaGraphExecDestroy(executable) == cudaSuccess);
}

TEST_CASE("allocating, waiting or using the default stream spoils a capture") {
  static void* memory = nullptr;
  struct Case {
    const char* name;
    cudaError_t (*call)(cudaStream_t);
    cudaError_t error = cudaErrorStreamCaptureUnsupported;
  };
  const Case cases[] = {
      {"cudaMalloc", [](cudaStream_t) { return cudaMalloc(&memory, 4); }},
      {"cudaMallocAsync", [](cudaStream_t s) { return cudaMallocAsync(&memory, 4, s); }},
      {"cudaFree", [](cudaStream_t) { return cudaFree(memory); }},
      {"cudaStreamSynchronize", [](cudaStream_t s) { return cudaStreamSynchronize(s); }},
      {"cudaMemcpy",
       [](cudaStream_t) { return cudaMemcpy(nullptr, nullptr, 0, cudaMemcpyHostToDevice); }},
      {"launch in the default stream", [](cudaStream_t) { return launch({1, 1}, nothing); },
       cudaErrorStreamCaptureImplicit},
  };
  const Stream stream;
  for (const Case& one : cases) {
    CAPTURE(one.name);
    REQUIRE(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal) == cudaSuccess);
    CHECK(one.call(stream) == one.error);
    CHECK(launch({1, 1, 0, stream}, nothing) == cudaErrorStreamCaptureInvalidated);
    cudaGraph_t graph;
    CHECK(cudaStreamEndCapture(stream, &graph) == cudaErrorStreamCaptureInvalidated);
  }
  CHECK(cudaStreamSynchronize(stream) == cudaSuccess);
}

}  // namespace
