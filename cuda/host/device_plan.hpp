// Plans in the memory of devices.
#pragma once

#include <cstdint>
#include <vector>

#include "host/plan.hpp"

namespace givens::cuda {

// A walk's stages and work items, on the device.
struct DeviceWalk {
  const Stage* stages;
  std::int32_t stage_count;
  const Work* works;
  std::int32_t work_count;
  std::vector<Stage> host_stages;
};

struct DevicePlan {
  DeviceWalk forward;
  DeviceWalk backward;
  const std::int32_t* coordinate_of_row;
  const std::int32_t* sources;
  std::int32_t slots;
  std::int32_t widest_stage;
  std::int32_t units[2];
  std::int32_t entries;
};

// The plan of a schedule on the current device, copied there at the first call for it. Safe from
// many threads.
const DevicePlan& device_plan_of(const Schedule& schedule);

// Frees all plans. No call may be using one.
void free_device_plans();

}  // namespace givens::cuda
