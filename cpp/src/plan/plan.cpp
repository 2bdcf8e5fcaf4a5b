#include "plan/plan.hpp"

#include <memory>
#include <mutex>

#include "plan/builder.hpp"
#include "plan/planners.hpp"
#include "schedule/data.hpp"
#include "schedule/kinds.hpp"

namespace givens {

Plan make_plan(const Schedule& schedule) {
  using planning::at;
  using planning::narrow;
  const auto planner = row_of(schedule.kind()).planner;
  Plan plan = planner ? planner(schedule) : planning::plan_rounds(schedule);
  plan.row_of_coordinate.resize(at(schedule.n()));
  for (std::int64_t row = 0; row < plan.rows; ++row) {
    const std::int32_t coordinate = plan.coordinate_of_row[at(row)];
    if (coordinate >= 0) plan.row_of_coordinate[at(coordinate)] = narrow(row);
  }
  return plan;
}

const Plan& plan_of(const Schedule& schedule) {
  const auto& data = ScheduleAccess::data(schedule);
  std::call_once(data.plan_made,
                 [&] { data.plan = std::make_shared<const Plan>(make_plan(schedule)); });
  return *data.plan;
}

}  // namespace givens
