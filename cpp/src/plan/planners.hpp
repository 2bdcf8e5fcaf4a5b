// The planners: each makes the plans of one kind of schedule, plan_rounds of every kind. make_plan
// chooses among them by the table of schedule kinds (schedule/kinds.hpp).
#pragma once

#include "plan/plan.hpp"

namespace givens::planning {

Plan plan_xor(const Schedule& schedule);
Plan plan_circle(const Schedule& schedule);
Plan plan_brickwall(const Schedule& schedule);
Plan plan_butterfly(const Schedule& schedule);
Plan plan_wavefront(const Schedule& schedule);
Plan plan_rounds(const Schedule& schedule);

}  // namespace givens::planning
