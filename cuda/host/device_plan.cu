#include "host/device_plan.hpp"

#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "host/runtime.hpp"

namespace givens::cuda {

namespace {

template <class T>
const T* copied(const std::vector<T>& values) {
  if (values.empty()) return nullptr;
  void* data = nullptr;
  const std::size_t bytes = values.size() * sizeof(T);
  check(cudaMalloc(&data, bytes), "cudaMalloc");
  check(cudaMemcpy(data, values.data(), bytes, cudaMemcpyHostToDevice), "cudaMemcpy");
  return static_cast<const T*>(data);
}

DeviceWalk copied(const Walk& walk) {
  return {copied(walk.stages), static_cast<std::int32_t>(walk.stages.size()), copied(walk.steps),
          static_cast<std::int32_t>(walk.steps.size()), walk.stages};
}

void free_walk(const DeviceWalk& walk) {
  cudaFree(const_cast<Stage*>(walk.stages));
  cudaFree(const_cast<Step*>(walk.steps));
}

DevicePlan copied(const Plan& plan) {
  return {copied(plan.forward),
          copied(plan.backward),
          copied(plan.coordinate_of_row),
          copied(plan.angle_indices),
          plan.rows,
          plan.widest_stage,
          {plan.units[0], plan.units[1]},
          plan.rotations};
}

// The plans of each device. They are never destroyed: at exit the device's memory may be gone
// already.
struct Plans {
  std::mutex mutex;
  std::vector<std::unordered_map<Schedule, std::unique_ptr<const DevicePlan>>> of_device;
};
Plans& plans() {
  static Plans& all = *new Plans();
  return all;
}

}  // namespace

const DevicePlan& device_plan_of(const Schedule& schedule) {
  int device = 0;
  check(cudaGetDevice(&device), "cudaGetDevice");
  const auto index = static_cast<std::size_t>(device);
  const std::lock_guard<std::mutex> lock(plans().mutex);
  auto& of_device = plans().of_device;
  if (of_device.size() <= index) of_device.resize(index + 1);
  std::unique_ptr<const DevicePlan>& plan = of_device[index][schedule];
  if (!plan) {
    plan = std::make_unique<const DevicePlan>(copied(make_plan(plan_of(schedule))));
  }
  return *plan;
}

void free_device_plans() {
  const std::lock_guard<std::mutex> lock(plans().mutex);
  for (auto& of_device : plans().of_device) {
    for (const auto& entry : of_device) {
      const DevicePlan& plan = *entry.second;
      free_walk(plan.forward);
      free_walk(plan.backward);
      cudaFree(const_cast<std::int32_t*>(plan.coordinate_of_row));
      cudaFree(const_cast<std::int32_t*>(plan.angle_indices));
    }
    of_device.clear();
  }
}

}  // namespace givens::cuda
