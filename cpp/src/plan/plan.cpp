#include "plan/plan.hpp"

#include "plan/builder.hpp"

namespace givens {

namespace planning {

namespace {

Plan plan_of_kind(const Schedule& schedule) {
  switch (schedule.kind()) {
    case Schedule::Kind::circle:
      return plan_circle(schedule);
    case Schedule::Kind::xor_:
      return plan_xor(schedule);
    case Schedule::Kind::team:
      return schedule.team_size() == 1 ? plan_circle(schedule) : plan_team(schedule);
    case Schedule::Kind::brickwall:
      return plan_brickwall(schedule);
    case Schedule::Kind::butterfly:
      return plan_butterfly(schedule);
    case Schedule::Kind::rounds:
      break;
  }
  return plan_rounds(schedule);
}

}  // namespace

}  // namespace planning

Plan make_plan(const Schedule& schedule) {
  using planning::at;
  using planning::narrow;
  Plan plan = planning::plan_of_kind(schedule);
  plan.row_of_coordinate.resize(at(schedule.n()));
  for (std::int64_t s = 0; s < plan.rows; ++s) {
    const std::int32_t coordinate = plan.coordinate_of_row[at(s)];
    if (coordinate >= 0) plan.row_of_coordinate[at(coordinate)] = narrow(s);
  }
  return plan;
}

}  // namespace givens
