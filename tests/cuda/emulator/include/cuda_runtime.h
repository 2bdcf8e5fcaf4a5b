// Stands in for CUDA's own header where CUDA sources are compiled for the emulator.
#pragma once

#include "cuda_emulator/atomics.hpp"
#include "cuda_emulator/barrier.hpp"
#include "cuda_emulator/errors.hpp"
#include "cuda_emulator/graphs.hpp"
#include "cuda_emulator/index.hpp"
#include "cuda_emulator/launch.hpp"
#include "cuda_emulator/math.hpp"
#include "cuda_emulator/memory_order.hpp"
#include "cuda_emulator/qualifiers.hpp"
#include "cuda_emulator/runtime_api.hpp"
#include "cuda_emulator/shared_memory.hpp"
#include "cuda_emulator/types.hpp"
#include "cuda_emulator/warp.hpp"
