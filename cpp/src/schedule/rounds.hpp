// The rules that say which pairs meet in which round.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "givens/schedule.hpp"

namespace givens::rounds {

// Each rule has a count of rounds, a function that appends the pairs of one round, in order, to
// `out`, and, in closed form, the number of pairs of a round. Pairs with a dummy coordinate (>= n)
// are left out. `columns` is considered by the sizes only: they leave out the pairs with both
// coordinates >= columns. Preconditions: 0 <= columns <= n, 0 <= r < count.

std::int64_t circle_count(std::int64_t n);
void circle(std::int64_t n, std::int64_t r, std::vector<Pair>& out);
std::int64_t circle_size(std::int64_t n, std::int64_t columns, std::int64_t r);

std::int64_t xor_count(std::int64_t n);
void xor_(std::int64_t n, std::int64_t r, std::vector<Pair>& out);
std::int64_t xor_size(std::int64_t n, std::int64_t columns, std::int64_t r);

std::int64_t team_count(std::int64_t n, std::int64_t size);
void team(std::int64_t n, std::int64_t size, std::int64_t r, std::vector<Pair>& out);
std::int64_t team_size(std::int64_t n, std::int64_t size, std::int64_t columns, std::int64_t r);

std::int64_t brickwall_count(std::int64_t n);
void brickwall(std::int64_t n, std::int64_t r, std::vector<Pair>& out);
std::int64_t brickwall_size(std::int64_t n, std::int64_t r);

std::int64_t butterfly_count(std::int64_t n);
void butterfly(std::int64_t n, std::int64_t r, std::vector<Pair>& out);
std::int64_t butterfly_size(std::int64_t n, std::int64_t r);

// Calls meet(i, j), i < j < players, for the pairs of one step of the circle method, in order. An
// odd number of players has a dummy as its last.
template <class Meet>
void circle_step(std::int64_t players, std::int64_t step, Meet&& meet) {
  const std::int64_t even = players + players % 2;
  const std::int64_t cycle = even - 1;
  const auto wrap = [&](std::int64_t k) { return k >= even ? k - cycle : k; };
  for (std::int64_t b = 0; b < even / 2; ++b) {
    const std::int64_t i = b == 0 ? 0 : wrap(b + step);
    const std::int64_t j = wrap(cycle - b + step);
    if (std::max(i, j) < players) meet(std::min(i, j), std::max(i, j));
  }
}

// The number of y in 0 .. x - 1 with (y XOR mask) < bound: how many pairs of a round of xor come
// before one.
std::int64_t xor_rank(std::int64_t x, std::int64_t mask, std::int64_t bound);

// The number of k in 0 .. x - 1 with (k + shift) mod size < bound: how many pairs of a match come
// before home's player x, if the visitors are `bound`. Preconditions: 0 <= x, bound <= size.
inline std::int64_t match_rank(std::int64_t x, std::int64_t shift, std::int64_t size,
                               std::int64_t bound) {
  return std::min(x, std::max<std::int64_t>(bound - shift, 0)) +
         std::min(std::max<std::int64_t>(x - (size - shift), 0), bound);
}

// The first round of matches of a team schedule, the number of teams (the last may be partial), and
// the number of rounds of the teams, each of `size` rounds of matches: a team alone meets nobody.
std::int64_t inner_rounds(std::int64_t size);
std::int64_t team_number(std::int64_t n, std::int64_t size);
std::int64_t match_rounds(std::int64_t teams);

}  // namespace givens::rounds
