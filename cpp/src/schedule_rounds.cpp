#include "schedule_rounds.hpp"

#include <algorithm>

namespace givens::rounds {

namespace {

Pair make_pair(std::int64_t i, std::int64_t j) {
  return {static_cast<std::int32_t>(i), static_cast<std::int32_t>(j)};
}

std::int64_t round_up_to_even(std::int64_t n) { return n + n % 2; }

std::int64_t next_power_of_two(std::int64_t n) {
  std::int64_t power = 1;
  while (power < n) power *= 2;
  return power;
}

// Calls meet(i, j), i < j < players, for the pairs of one step of the circle method. An odd number
// of players has a dummy as its last.
template <class Meet>
void circle_step(std::int64_t players, std::int64_t step, Meet&& meet) {
  const std::int64_t even = round_up_to_even(players);
  const std::int64_t cycle = even - 1;
  const auto wrap = [&](std::int64_t k) { return k >= even ? k - cycle : k; };
  for (std::int64_t b = 0; b < even / 2; ++b) {
    const std::int64_t i = b == 0 ? 0 : wrap(b + step);
    const std::int64_t j = wrap(cycle - b + step);
    if (std::max(i, j) < players) meet(std::min(i, j), std::max(i, j));
  }
}

}  // namespace

std::int64_t circle_count(std::int64_t n) {
  return std::max<std::int64_t>(round_up_to_even(n) - 1, 0);
}

void circle(std::int64_t n, std::int64_t r, std::vector<Pair>& out) {
  circle_step(n, circle_count(n) - 1 - r,
              [&](std::int64_t i, std::int64_t j) { out.push_back(make_pair(i, j)); });
}

std::int64_t xor_count(std::int64_t n) { return next_power_of_two(n) - 1; }

void xor_(std::int64_t n, std::int64_t r, std::vector<Pair>& out) {
  const std::int64_t mask = r + 1;
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t j = i ^ mask;
    if (i < j && j < n) out.push_back(make_pair(i, j));
  }
}

namespace {

std::int64_t team_number(std::int64_t n, std::int64_t size) { return (n + size - 1) / size; }

// Rounds between teams: a team alone meets nobody.
std::int64_t match_rounds(std::int64_t teams) { return teams < 2 ? 0 : circle_count(teams); }

}  // namespace

std::int64_t team_count(std::int64_t n, std::int64_t size) {
  if (size == 1) return circle_count(n);
  return circle_count(size) + match_rounds(team_number(n, size)) * size;
}

void team(std::int64_t n, std::int64_t size, std::int64_t r, std::vector<Pair>& out) {
  if (size == 1) {
    circle(n, r, out);
    return;
  }
  const std::int64_t teams = team_number(n, size);
  const std::int64_t inner_rounds = circle_count(size);
  const auto append = [&](std::int64_t i, std::int64_t j) {
    if (j < n) out.push_back(make_pair(i, j));
  };
  if (r < inner_rounds) {
    for (std::int64_t t = 0; t < teams; ++t) {
      circle_step(size, r,
                  [&](std::int64_t i, std::int64_t j) { append(t * size + i, t * size + j); });
    }
    return;
  }
  const std::int64_t match_round = (r - inner_rounds) / size;
  const std::int64_t shift = (r - inner_rounds) % size;
  circle_step(teams, match_rounds(teams) - 1 - match_round,
              [&](std::int64_t home, std::int64_t visitor) {
                for (std::int64_t k = 0; k < size; ++k) {
                  append(home * size + k, visitor * size + (k + shift) % size);
                }
              });
}

std::int64_t brickwall_count(std::int64_t n) { return n; }

void brickwall(std::int64_t n, std::int64_t r, std::vector<Pair>& out) {
  for (std::int64_t i = r % 2; i + 1 < n; i += 2) out.push_back(make_pair(i, i + 1));
}

std::int64_t butterfly_count(std::int64_t n) {
  std::int64_t count = 0;
  while ((std::int64_t{1} << count) < n) ++count;
  return count;
}

void butterfly(std::int64_t n, std::int64_t r, std::vector<Pair>& out) {
  xor_(n, (std::int64_t{1} << r) - 1, out);
}

}  // namespace givens::rounds
