#pragma once

#include "emulator/tests/device_array.hpp"
#include "emulator/tests/portable_shared.hpp"

// Small kernels, each with one mistake that the emulator or a sanitizer must see. Each function
// launches its kernel and says whether the results are right; where a tool reports the mistake they
// may well be.
namespace planted_bugs {

constexpr unsigned full_mask = 0xffffffffu;

bool none();
bool missing_barrier();
bool divergent_barrier();
bool barrier_after_exit();
bool missing_syncwarp();
bool absent_lane();
bool uninitialised_shared();
bool shared_out_of_bounds();
bool global_out_of_bounds();
bool misaligned_vector();
bool race_between_blocks();
bool plain_sum();
bool relaxed_message();
bool missing_fence();
bool endless_wait();
bool null_pointer();
bool host_pointer();
bool host_touches_device();
bool leak();

}  // namespace planted_bugs
