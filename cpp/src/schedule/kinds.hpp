// The kinds of schedules, one row of a table each.
#pragma once

#include "givens/schedule.hpp"
#include "schedule/rounds.hpp"

namespace givens {

struct Plan;

// A new kind of schedule needs an enumerator of Schedule::Kind and a factory in
// givens/schedule.hpp, a rule in rounds.hpp, and a row in kinds.cpp, in the order of the
// enumerators. In Python it needs a row for its docstring in python/bindings/schedule_docs.hpp, and
// the types of its factory in _core.pyi. Tests that loop over Schedule::kinds() include it.
struct KindRow {
  Schedule::KindInfo info;
  // Whether every pair with i < columns meets exactly once, and no other pair.
  bool covers_all_pairs;
  // Null for the caller's own rounds, which a schedule stores.
  const rounds::Rule* rule;
  // Makes the plan; null: plan_rounds does, which serves every schedule.
  Plan (*planner)(const Schedule& schedule);
};

const KindRow& row_of(Schedule::Kind kind);

}  // namespace givens
