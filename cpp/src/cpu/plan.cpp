#include "plan.hpp"

#include "planners.hpp"

namespace givens::cpu {

Plan make_plan(const Schedule& schedule) {
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

}  // namespace givens::cpu
