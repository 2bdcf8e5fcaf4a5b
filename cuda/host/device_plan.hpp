// Plans in the memory of devices.
#pragma once

#include <cstdint>
#include <vector>

#include "host/plan.hpp"

namespace givens::cuda {

// A walk in device memory. Its stages are on the host too.
struct DeviceWalk {
  const Stage* stages;
  std::int32_t stage_count;
  const Step* steps;
  std::int32_t step_count;
  std::vector<Stage> host_stages;
};

struct DevicePlan {
  DeviceWalk forward;
  DeviceWalk backward;
  const std::int32_t* coordinate_of_row;
  const std::int32_t* angle_indices;
  std::int32_t rows;
  std::int32_t widest_stage;
  std::int32_t units[2];
  std::int32_t rotations;
};

// The plan of a schedule on the current device, which the first call copies there. Many threads may
// call it.
const DevicePlan& device_plan_of(const Schedule& schedule);

// Frees all plans. No call may be using one meanwhile.
void free_device_plans();

}  // namespace givens::cuda
