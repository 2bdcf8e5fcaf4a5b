#include "stream.hpp"

#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "api.hpp"
#include "cuda_emulator/graphs.hpp"
#include "device.hpp"

namespace cuda_emulator {

struct Capture {
  std::vector<Work> recorded;
  bool spoilt = false;
};

}  // namespace cuda_emulator

struct CUstream_st {
  int device;
  std::unique_ptr<cuda_emulator::Capture> capture;  // null when it does not capture
};

struct CUevent_st {};

struct CUgraph_st {
  std::vector<cuda_emulator::Work> work;
};

struct CUgraphExec_st {
  std::vector<cuda_emulator::Work> work;
};

namespace cuda_emulator {

namespace {

// The live objects behind handles of a kind.
template <class T>
class Handles {
 public:
  T* add(T object) { return *objects_.insert(new T(std::move(object))).first; }
  bool has(T* handle) const { return objects_.count(handle) != 0; }
  bool remove(T* handle) {
    if (objects_.erase(handle) == 0) return false;
    delete handle;
    return true;
  }
  const std::set<T*>& all() const { return objects_; }

 private:
  std::set<T*> objects_;
};

template <class T>
Handles<T>& handles() {
  static auto& instance = *new Handles<T>;
  return instance;
}

bool is_legacy_default(cudaStream_t stream) { return !stream || stream == cudaStreamLegacy; }

bool is_default(cudaStream_t stream) {
  return is_legacy_default(stream) || stream == cudaStreamPerThread;
}

// The stream's capture, or null.
Capture* capture_of(cudaStream_t stream) {
  return is_default(stream) ? nullptr : stream->capture.get();
}

// Spoils all captures. Returns the error if there is one, and else cudaSuccess.
cudaError_t spoil_captures(cudaError_t error_if_any) {
  cudaError_t error = cudaSuccess;
  for (cudaStream_t stream : handles<CUstream_st>().all()) {
    if (!stream->capture) continue;
    stream->capture->spoilt = true;
    error = error_if_any;
  }
  return error;
}

cudaError_t do_all(const std::vector<Work>& all) {
  for (const Work& work : all) {
    if (const cudaError_t error = work(); error != cudaSuccess) return error;
  }
  return cudaSuccess;
}

cudaError_t create_stream(cudaStream_t* stream) {
  if (device_error() != cudaSuccess) return device_error();
  if (!stream) return cudaErrorInvalidValue;
  *stream = handles<CUstream_st>().add({current_device(), nullptr});
  return cudaSuccess;
}

cudaError_t create_event(cudaEvent_t* event) {
  if (device_error() != cudaSuccess) return device_error();
  if (!event) return cudaErrorInvalidValue;
  *event = handles<CUevent_st>().add({});
  return cudaSuccess;
}

cudaError_t wait_for_stream(cudaStream_t stream) {
  if (!is_stream(stream)) return cudaErrorInvalidResourceHandle;
  return forbid_during_capture();
}

cudaError_t check_event(cudaStream_t stream, cudaEvent_t event) {
  return is_stream(stream) && handles<CUevent_st>().has(event) ? cudaSuccess
                                                               : cudaErrorInvalidResourceHandle;
}

}  // namespace

bool is_stream(cudaStream_t stream) {
  return is_default(stream) || handles<CUstream_st>().has(stream);
}

int device_of(cudaStream_t stream) {
  return is_default(stream) ? current_device() : stream->device;
}

cudaError_t give_to_stream(cudaStream_t stream, Work work) {
  if (device_error() != cudaSuccess) return device_error();
  if (!is_stream(stream)) return cudaErrorInvalidResourceHandle;
  if (is_legacy_default(stream)) {
    // This stream would have to wait for one that captures.
    const cudaError_t error = spoil_captures(cudaErrorStreamCaptureImplicit);
    if (error != cudaSuccess) return error;
  }
  Capture* capture = capture_of(stream);
  if (!capture) return work();
  if (capture->spoilt) return cudaErrorStreamCaptureInvalidated;
  capture->recorded.push_back(std::move(work));
  return cudaSuccess;
}

cudaError_t forbid_during_capture() { return spoil_captures(cudaErrorStreamCaptureUnsupported); }

}  // namespace cuda_emulator

using cuda_emulator::ApiCall;
using cuda_emulator::handles;
using cuda_emulator::result;

cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  const ApiCall call;
  return result(cuda_emulator::create_stream(stream));
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  const ApiCall call;
  return result(handles<CUstream_st>().remove(stream) ? cudaSuccess
                                                      : cudaErrorInvalidResourceHandle);
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  const ApiCall call;
  return result(cuda_emulator::wait_for_stream(stream));
}

// Whatever the event is to tell has been done.
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  const ApiCall call;
  return result(cuda_emulator::check_event(stream, event));
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  const ApiCall call;
  return result(cuda_emulator::create_event(event));
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  const ApiCall call;
  return result(handles<CUevent_st>().remove(event) ? cudaSuccess : cudaErrorInvalidResourceHandle);
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  const ApiCall call;
  return result(cuda_emulator::check_event(stream, event));
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  const ApiCall call;
  if (!cuda_emulator::is_stream(stream)) return result(cudaErrorInvalidResourceHandle);
  if (cuda_emulator::is_default(stream)) return result(cudaErrorStreamCaptureUnsupported);
  if (stream->capture) return result(cudaErrorInvalidValue);
  stream->capture = std::make_unique<cuda_emulator::Capture>();
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  const ApiCall call;
  if (!cuda_emulator::is_stream(stream)) return result(cudaErrorInvalidResourceHandle);
  if (!cuda_emulator::capture_of(stream)) return result(cudaErrorInvalidValue);
  const auto capture = std::move(stream->capture);
  *graph = nullptr;
  if (capture->spoilt) return result(cudaErrorStreamCaptureInvalidated);
  *graph = handles<CUgraph_st>().add({std::move(capture->recorded)});
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph,
                                 unsigned long long) {
  const ApiCall call;
  if (!handles<CUgraph_st>().has(graph)) return result(cudaErrorInvalidValue);
  *executable = handles<CUgraphExec_st>().add({graph->work});
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  const ApiCall call;
  if (!handles<CUgraphExec_st>().has(executable)) return result(cudaErrorInvalidValue);
  return result(cuda_emulator::give_to_stream(
      stream, [work = executable->work] { return cuda_emulator::do_all(work); }));
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  const ApiCall call;
  return result(handles<CUgraph_st>().remove(graph) ? cudaSuccess : cudaErrorInvalidValue);
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  const ApiCall call;
  return result(handles<CUgraphExec_st>().remove(executable) ? cudaSuccess : cudaErrorInvalidValue);
}
