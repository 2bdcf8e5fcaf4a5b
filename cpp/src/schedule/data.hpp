// What the copies of a schedule share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "givens/schedule.hpp"
#include "schedule/kinds.hpp"

namespace givens {

struct Schedule::Data {
  const KindRow* row = nullptr;
  rounds::Arguments arguments;
  std::vector<std::int64_t> offsets{0};
  std::vector<Pair> stored;     // the pairs of Kind::rounds, empty for every other kind
  bool covers_columns = false;  // every pair with i < columns meets exactly once, and no other

  // Appends the pairs of round r.
  void append_round(std::int64_t r, std::vector<Pair>& out) const;
  // Sets covers_columns of Kind::rounds, from all else.
  void find_cover();

  // Found when Schedule::hash first asks for it.
  mutable std::once_flag hash_found;
  mutable std::size_t hash = 0;

  // Made when plan_of first asks for it.
  mutable std::once_flag plan_made;
  mutable std::shared_ptr<const Plan> plan;
};

// The library's own way to the data of a schedule.
struct ScheduleAccess {
  static const auto& data(const Schedule& schedule) { return *schedule.data_; }
  // A schedule of Kind::rounds with all columns, of rounds that are known to be valid.
  static Schedule composed(std::int64_t n, std::vector<std::int64_t> offsets,
                           std::vector<Pair> pairs);
};

}  // namespace givens
