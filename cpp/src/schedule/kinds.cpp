#include "schedule/kinds.hpp"

#include <cstddef>
#include <iterator>

#include "plan/planners.hpp"

namespace givens {

namespace {

using Kind = Schedule::Kind;

constexpr bool kColumns = true;
constexpr bool kSize = true;
constexpr bool kPasses = true;
constexpr bool kAllPairs = true;

constexpr KindRow kRows[] = {
    {{Kind::circle, "circle", kColumns, !kSize, !kPasses},
     kAllPairs,
     &rounds::kCircle,
     planning::plan_circle},
    {{Kind::xor_, "xor", kColumns, !kSize, !kPasses}, kAllPairs, &rounds::kXor, planning::plan_xor},
    {{Kind::team, "team", kColumns, kSize, !kPasses}, kAllPairs, &rounds::kTeam, nullptr},
    {{Kind::brickwall, "brickwall", !kColumns, !kSize, !kPasses},
     !kAllPairs,
     &rounds::kBrickwall,
     planning::plan_brickwall},
    {{Kind::butterfly, "butterfly", !kColumns, !kSize, kPasses},
     !kAllPairs,
     &rounds::kButterfly,
     planning::plan_butterfly},
    {{Kind::wavefront, "wavefront", kColumns, !kSize, !kPasses},
     !kAllPairs,
     &rounds::kWavefront,
     planning::plan_wavefront},
    {{Kind::rounds, "rounds", kColumns, !kSize, !kPasses}, !kAllPairs, nullptr, nullptr},
};

constexpr bool rows_are_in_order() {
  for (std::size_t k = 0; k < std::size(kRows); ++k) {
    if (static_cast<std::size_t>(kRows[k].info.kind) != k) return false;
  }
  return true;
}
static_assert(rows_are_in_order());

}  // namespace

const KindRow& row_of(Schedule::Kind kind) { return kRows[static_cast<std::size_t>(kind)]; }

std::vector<Schedule::KindInfo> Schedule::kinds() {
  std::vector<KindInfo> out;
  for (const KindRow& row : kRows) out.push_back(row.info);
  return out;
}

}  // namespace givens
