// The rules that say which pairs meet in which round.
#pragma once

#include <cstdint>
#include <vector>

#include "givens/schedule.hpp"

namespace givens::rounds {

// Each rule has a count of rounds and a function that appends the pairs of one round, in order, to
// `out`. Pairs with a dummy coordinate (>= n) are left out; `columns` is not considered here.
// Preconditions: n >= 0, 0 <= r < count.

std::int64_t circle_count(std::int64_t n);
void circle(std::int64_t n, std::int64_t r, std::vector<Pair>& out);

std::int64_t xor_count(std::int64_t n);
void xor_(std::int64_t n, std::int64_t r, std::vector<Pair>& out);

std::int64_t team_count(std::int64_t n, std::int64_t size);
void team(std::int64_t n, std::int64_t size, std::int64_t r, std::vector<Pair>& out);

std::int64_t brickwall_count(std::int64_t n);
void brickwall(std::int64_t n, std::int64_t r, std::vector<Pair>& out);

std::int64_t butterfly_count(std::int64_t n);
void butterfly(std::int64_t n, std::int64_t r, std::vector<Pair>& out);

}  // namespace givens::rounds
