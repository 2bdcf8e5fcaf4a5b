#pragma once

#include "runtime_api.hpp"

// While a stream captures, the launches given to it are recorded instead of done. A graph then does
// them in the order in which they were recorded. Allocating and waiting during a capture are errors
// that spoil it.

using cudaGraph_t = struct CUgraph_st*;
using cudaGraphExec_t = struct CUgraphExec_st*;

// Calls of every host thread can spoil a capture.
enum cudaStreamCaptureMode { cudaStreamCaptureModeGlobal = 0 };

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode);
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph);
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph,
                                 unsigned long long flags = 0);
cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream);
cudaError_t cudaGraphDestroy(cudaGraph_t graph);
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable);
