#include "givens/schedule.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <utility>

#include "schedule/data.hpp"
#include "schedule/kinds.hpp"

namespace givens {

namespace {

constexpr std::int64_t kLimit = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t kMaxTeam = 65536;  // the largest n with all pairs

std::string text(std::int64_t value) { return std::to_string(value); }

std::string text(const Schedule::RequestedPair& pair) {
  return "(" + text(pair.a) + ", " + text(pair.b) + ")";
}

[[noreturn]] void refuse(const std::string& message) { throw std::invalid_argument(message); }

std::size_t combine(std::size_t seed, std::int64_t value) {
  return seed ^
         (std::hash<std::int64_t>{}(value) + 0x9e3779b97f4a7c15U + (seed << 6) + (seed >> 2));
}

std::int64_t all_pairs(std::int64_t n) { return n * (n - 1) / 2; }

// The number of pairs with i < columns.
std::int64_t pairs_to_cover(const rounds::Arguments& arguments) {
  return all_pairs(arguments.n) - all_pairs(arguments.n - arguments.columns);
}

}  // namespace

Schedule::Schedule(std::shared_ptr<const Data> data) : data_(std::move(data)) {}

namespace {

// Checks what all factories share and returns the number of columns.
std::int64_t checked_columns(std::int64_t n, std::optional<std::int64_t> columns) {
  if (n < 0) refuse("n must be at least 0, got " + text(n));
  if (n > kLimit) refuse("n must be at most " + text(kLimit) + ", got " + text(n));
  const std::int64_t m = columns.value_or(n);
  if (m < 0 || m > n) refuse("columns must be between 0 and n = " + text(n) + ", got " + text(m));
  return m;
}

// Checks a schedule that another one is composed of.
void check_all_columns(const Schedule& schedule) {
  if (schedule.columns() == schedule.n()) return;
  refuse("schedule must have all its columns to be composed, got " + schedule.repr());
}

void check_round(const std::vector<Schedule::RequestedPair>& round, std::size_t number,
                 std::int64_t n) {
  const std::string where = "rounds[" + std::to_string(number) + "]: ";
  struct Use {
    std::int64_t coordinate;
    std::size_t pair;
    bool operator<(const Use& other) const {
      return coordinate != other.coordinate ? coordinate < other.coordinate : pair < other.pair;
    }
  };
  std::vector<Use> uses;
  for (std::size_t k = 0; k < round.size(); ++k) {
    const Schedule::RequestedPair& pair = round[k];
    for (const std::int64_t coordinate : {pair.a, pair.b}) {
      if (coordinate < 0 || coordinate >= n) {
        refuse(where + "pair " + text(pair) + " has a coordinate outside 0.." + text(n - 1));
      }
      uses.push_back({coordinate, k});
    }
    if (pair.a == pair.b) refuse(where + "pair " + text(pair) + " has two equal coordinates");
  }
  std::sort(uses.begin(), uses.end());
  // If there are several conflicts, the message names the one that a reader of the round meets
  // first.
  const auto place = [&](const Use& use) {
    return 2 * use.pair + (use.coordinate == round[use.pair].a ? 0 : 1);
  };
  std::size_t first = 0;
  for (std::size_t k = 1; k < uses.size(); ++k) {
    if (uses[k].coordinate != uses[k - 1].coordinate) continue;
    if (first == 0 || place(uses[k]) < place(uses[first])) first = k;
  }
  if (first > 0) {
    refuse(where + "pairs " + text(round[uses[first - 1].pair]) + " and " +
           text(round[uses[first].pair]) + " share coordinate " + text(uses[first].coordinate));
  }
}

}  // namespace

Schedule Schedule::from_kind(Kind kind, std::int64_t n, std::optional<std::int64_t> size,
                             std::optional<std::int64_t> columns,
                             std::optional<std::int64_t> passes) {
  const KindRow& row = row_of(kind);
  const std::string name = row.info.name;
  if (!row.rule) refuse("kind must be one with a rule, got " + name);
  if (columns && !row.info.takes_columns) refuse("columns must not be given for kind " + name);
  if (size.has_value() != row.info.takes_size) {
    refuse("size must " + std::string(size ? "not " : "") + "be given for kind " + name);
  }
  if (passes && !row.info.takes_passes) refuse("passes must not be given for kind " + name);
  const std::int64_t m = checked_columns(n, columns);
  if (size && (*size < 1 || *size > kMaxTeam)) {
    refuse("size must be between 1 and " + text(kMaxTeam) + ", got " + text(*size));
  }
  if (passes && (*passes < 0 || *passes > kLimit)) {
    refuse("passes must be between 0 and " + text(kLimit) + ", got " + text(*passes));
  }
  const auto owner = std::make_shared<Data>();
  Data& data = *owner;
  data.row = &row;
  data.arguments = {n, m, size.value_or(0), row.info.takes_passes ? passes.value_or(1) : 0};
  const std::int64_t rounds = row.rule->num_rounds(data.arguments);
  // Each pair has a coordinate below `columns`.
  const std::int64_t size_of_round =
      std::clamp<std::int64_t>(m, 1, std::max<std::int64_t>(n / 2, 1));
  if (rounds > kLimit / size_of_round) {
    refuse("a schedule must have fewer than 2^31 rotations, n = " + text(n) + " asks for up to " +
           text(rounds) + " rounds of " + text(size_of_round));
  }
  data.offsets.reserve(static_cast<std::size_t>(rounds) + 1);
  for (std::int64_t r = 0; r < rounds; ++r) {
    data.offsets.push_back(data.offsets.back() + row.rule->round_size(data.arguments, r));
  }
  // Two coordinates make only one pair.
  data.covers_columns =
      row.covers_all_pairs || (n <= 2 && data.offsets.back() == pairs_to_cover(data.arguments));
  return Schedule(owner);
}

Schedule Schedule::circle(std::int64_t n, std::optional<std::int64_t> columns) {
  return from_kind(Kind::circle, n, std::nullopt, columns);
}
Schedule Schedule::xor_(std::int64_t n, std::optional<std::int64_t> columns) {
  return from_kind(Kind::xor_, n, std::nullopt, columns);
}
Schedule Schedule::team(std::int64_t n, std::int64_t size, std::optional<std::int64_t> columns) {
  return from_kind(Kind::team, n, size, columns);
}
Schedule Schedule::brickwall(std::int64_t n) { return from_kind(Kind::brickwall, n); }
Schedule Schedule::butterfly(std::int64_t n, std::int64_t passes) {
  return from_kind(Kind::butterfly, n, std::nullopt, std::nullopt, passes);
}
Schedule Schedule::wavefront(std::int64_t n, std::optional<std::int64_t> columns) {
  return from_kind(Kind::wavefront, n, std::nullopt, columns);
}

Schedule Schedule::from_rounds(std::int64_t n,
                               const std::vector<std::vector<RequestedPair>>& rounds,
                               std::optional<std::int64_t> columns) {
  const auto owner = std::make_shared<Data>();
  Data& data = *owner;
  const std::int64_t m = checked_columns(n, columns);
  data.row = &row_of(Kind::rounds);
  data.arguments = {n, m, 0};
  for (std::size_t r = 0; r < rounds.size(); ++r) {
    check_round(rounds[r], r, n);
    for (const RequestedPair& pair : rounds[r]) {
      const Pair sorted{static_cast<std::int32_t>(std::min(pair.a, pair.b)),
                        static_cast<std::int32_t>(std::max(pair.a, pair.b))};
      if (m >= n || sorted.i < m) data.stored.push_back(sorted);
    }
    data.offsets.push_back(static_cast<std::int64_t>(data.stored.size()));
    if (data.offsets.back() > kLimit) {
      refuse("a schedule must have fewer than 2^31 rotations, rounds has more");
    }
  }
  data.find_cover();
  return Schedule(owner);
}

void Schedule::Data::find_cover() {
  if (offsets.back() != pairs_to_cover(arguments)) return;
  std::vector<Pair> sorted = stored;
  std::sort(sorted.begin(), sorted.end(),
            [](const Pair& a, const Pair& b) { return a.i != b.i ? a.i < b.i : a.j < b.j; });
  covers_columns = std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end();
}

Schedule ScheduleAccess::composed(std::int64_t n, std::vector<std::int64_t> offsets,
                                  std::vector<Pair> pairs) {
  const auto owner = std::make_shared<Schedule::Data>();
  owner->row = &row_of(Schedule::Kind::rounds);
  owner->arguments.n = owner->arguments.columns = n;
  owner->offsets = std::move(offsets);
  owner->stored = std::move(pairs);
  owner->find_cover();
  return Schedule(owner);
}

Schedule Schedule::blocks(const Schedule& schedule, std::int64_t count) {
  check_all_columns(schedule);
  if (count < 0) refuse("count must be at least 0, got " + text(count));
  const std::int64_t n = schedule.n();
  const std::int64_t size = std::max(n, schedule.num_rotations());
  if (size > 0 && count > kLimit / size) {
    refuse("a schedule must have fewer than 2^31 coordinates and rotations, got " + text(count) +
           " blocks of " + schedule.repr());
  }
  std::vector<Pair> pairs;
  pairs.reserve(static_cast<std::size_t>(count * schedule.num_rotations()));
  for (std::int64_t r = 0; r < schedule.num_rounds(); ++r) {
    const std::vector<Pair> round = schedule.round(r);
    for (std::int64_t block = 0; !round.empty() && block < count; ++block) {
      const auto first = static_cast<std::int32_t>(block * n);
      for (const Pair& pair : round) pairs.push_back({first + pair.i, first + pair.j});
    }
  }
  std::vector<std::int64_t> offsets = schedule.round_offsets();
  for (std::int64_t& offset : offsets) offset *= count;
  return ScheduleAccess::composed(count * n, std::move(offsets), std::move(pairs));
}

Schedule operator+(const Schedule& first, const Schedule& second) {
  check_all_columns(first);
  check_all_columns(second);
  if (first.n() != second.n()) {
    refuse("schedules must have the same n to be added, got " + first.repr() + " and " +
           second.repr());
  }
  const std::int64_t start = first.num_rotations();
  if (start + second.num_rotations() > kLimit) {
    refuse("a schedule must have fewer than 2^31 rotations, got the sum of " + first.repr() +
           " and " + second.repr());
  }
  std::vector<Pair> pairs = first.pairs();
  const std::vector<Pair> more = second.pairs();
  pairs.insert(pairs.end(), more.begin(), more.end());
  std::vector<std::int64_t> offsets = first.round_offsets();
  for (std::int64_t r = 1; r <= second.num_rounds(); ++r) {
    offsets.push_back(start + second.round_offsets()[static_cast<std::size_t>(r)]);
  }
  return ScheduleAccess::composed(first.n(), std::move(offsets), std::move(pairs));
}

Schedule Schedule::reversed() const {
  check_all_columns(*this);
  std::vector<Pair> pairs = this->pairs();
  std::reverse(pairs.begin(), pairs.end());
  std::vector<std::int64_t> offsets;
  for (auto offset = round_offsets().rbegin(); offset != round_offsets().rend(); ++offset) {
    offsets.push_back(num_rotations() - *offset);
  }
  return ScheduleAccess::composed(n(), std::move(offsets), std::move(pairs));
}

Schedule::Kind Schedule::kind() const { return data_->row->info.kind; }
const char* Schedule::kind_name() const { return data_->row->info.name; }
std::int64_t Schedule::n() const { return data_->arguments.n; }
std::int64_t Schedule::columns() const { return data_->arguments.columns; }
std::int64_t Schedule::team_size() const { return data_->arguments.size; }
std::int64_t Schedule::passes() const { return data_->arguments.passes; }
std::int64_t Schedule::num_rotations() const { return data_->offsets.back(); }
std::int64_t Schedule::num_rounds() const {
  return static_cast<std::int64_t>(data_->offsets.size()) - 1;
}
const std::vector<std::int64_t>& Schedule::round_offsets() const { return data_->offsets; }

bool Schedule::is_complete() const {
  return data_->covers_columns && num_rotations() == all_pairs(n());
}

void Schedule::Data::append_round(std::int64_t r, std::vector<Pair>& out) const {
  if (row->rule) return row->rule->append_round(arguments, r, out);
  const auto k = static_cast<std::size_t>(r);
  out.insert(out.end(), stored.begin() + offsets[k], stored.begin() + offsets[k + 1]);
}

std::vector<Pair> Schedule::round(std::int64_t r) const {
  std::vector<Pair> out;
  data_->append_round(r, out);
  return out;
}

std::vector<Pair> Schedule::pairs() const {
  std::vector<Pair> out;
  out.reserve(static_cast<std::size_t>(num_rotations()));
  for (std::int64_t r = 0; r < num_rounds(); ++r) data_->append_round(r, out);
  return out;
}

std::vector<std::int64_t> Schedule::triangular_index() const {
  if (!data_->covers_columns) {
    refuse("the triangular order needs a schedule with each pair i < columns exactly once, got " +
           repr());
  }
  std::vector<std::int64_t> index;
  index.reserve(static_cast<std::size_t>(num_rotations()));
  for (const Pair& pair : pairs()) {
    const std::int64_t i = pair.i;
    index.push_back(i * n() - (i + 2) * (i + 1) / 2 + pair.j);
  }
  return index;
}

bool operator==(const Schedule& a, const Schedule& b) {
  if (a.data_ == b.data_) return true;
  if (a.n() != b.n() || a.columns() != b.columns()) return false;
  if (a.round_offsets() != b.round_offsets()) return false;
  if (a.kind() == b.kind() && a.kind() != Schedule::Kind::rounds &&
      a.team_size() == b.team_size()) {
    return true;
  }
  for (std::int64_t r = 0; r < a.num_rounds(); ++r) {
    if (a.round(r) != b.round(r)) return false;
  }
  return true;
}

std::size_t Schedule::hash() const {
  std::call_once(data_->hash_found, [&] {
    std::size_t seed = combine(0, n());
    seed = combine(seed, columns());
    for (const std::int64_t offset : data_->offsets) seed = combine(seed, offset);
    // The first and last round tell apart most schedules that have the same number of pairs in each
    // round.
    if (num_rounds() > 0) {
      for (const std::int64_t r : {std::int64_t{0}, num_rounds() - 1}) {
        for (const Pair& pair : round(r)) seed = combine(combine(seed, pair.i), pair.j);
      }
    }
    data_->hash = seed;
  });
  return data_->hash;
}

std::string Schedule::repr() const {
  const std::string columns_text = columns() < n() ? ", columns=" + text(columns()) : "";
  if (kind() == Kind::rounds) {
    return "<Schedule of " + text(num_rounds()) + " rounds, " + text(num_rotations()) +
           " rotations, n=" + text(n()) + columns_text + ">";
  }
  const std::string size_text = data_->row->info.takes_size ? ", " + text(team_size()) : "";
  const bool has_passes = data_->row->info.takes_passes && passes() != 1;
  const std::string passes_text = has_passes ? ", passes=" + text(passes()) : "";
  return "Schedule." + std::string(kind_name()) + "(" + text(n()) + size_text + passes_text +
         columns_text + ")";
}

}  // namespace givens
