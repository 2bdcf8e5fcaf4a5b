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
                             std::optional<std::int64_t> columns) {
  const KindRow& row = row_of(kind);
  const std::string name = row.info.name;
  if (!row.rule) refuse("kind must be one with a rule, got " + name);
  if (columns && !row.info.takes_columns) refuse("columns must not be given for kind " + name);
  if (size.has_value() != row.info.takes_size) {
    refuse("size must " + std::string(size ? "not " : "") + "be given for kind " + name);
  }
  const std::int64_t m = checked_columns(n, columns);
  if (size && (*size < 1 || *size > kMaxTeam)) {
    refuse("size must be between 1 and " + text(kMaxTeam) + ", got " + text(*size));
  }
  const auto owner = std::make_shared<Data>();
  Data& data = *owner;
  data.row = &row;
  data.arguments = {n, m, size.value_or(0)};
  data.covers_columns = n <= 2 || row.covers_all_pairs;
  const std::int64_t rounds = row.rule->num_rounds(data.arguments);
  // Each pair has a coordinate below `columns`.
  const std::int64_t most =
      rounds * std::clamp<std::int64_t>(m, 1, std::max<std::int64_t>(n / 2, 1));
  if (most > kLimit) {
    refuse("a schedule must have fewer than 2^31 rotations, n = " + text(n) + " asks for up to " +
           text(most));
  }
  data.offsets.reserve(static_cast<std::size_t>(rounds) + 1);
  for (std::int64_t r = 0; r < rounds; ++r) {
    data.offsets.push_back(data.offsets.back() + row.rule->round_size(data.arguments, r));
  }
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
Schedule Schedule::butterfly(std::int64_t n) { return from_kind(Kind::butterfly, n); }
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
  if (data.offsets.back() == all_pairs(n) - all_pairs(n - m)) {
    std::vector<Pair> sorted = data.stored;
    std::sort(sorted.begin(), sorted.end(),
              [](const Pair& a, const Pair& b) { return a.i != b.i ? a.i < b.i : a.j < b.j; });
    data.covers_columns = std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end();
  }
  return Schedule(owner);
}

Schedule::Kind Schedule::kind() const { return data_->row->info.kind; }
const char* Schedule::kind_name() const { return data_->row->info.name; }
std::int64_t Schedule::n() const { return data_->arguments.n; }
std::int64_t Schedule::columns() const { return data_->arguments.columns; }
std::int64_t Schedule::team_size() const { return data_->arguments.size; }
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
  return seed;
}

std::string Schedule::repr() const {
  const std::string columns_text = columns() < n() ? ", columns=" + text(columns()) : "";
  if (kind() == Kind::rounds) {
    return "<Schedule of " + text(num_rounds()) + " rounds, " + text(num_rotations()) +
           " rotations, n=" + text(n()) + columns_text + ">";
  }
  const std::string size_text = data_->row->info.takes_size ? ", " + text(team_size()) : "";
  return "Schedule." + std::string(kind_name()) + "(" + text(n()) + size_text + columns_text + ")";
}

}  // namespace givens
