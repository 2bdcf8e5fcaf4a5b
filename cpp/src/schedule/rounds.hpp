// The rules that say which pairs meet in which round.
#pragma once

#include <cstdint>
#include <vector>

#include "givens/schedule.hpp"

namespace givens::rounds {

// What a factory of a schedule was called with: 0 <= columns <= n, and size 0 where a kind takes
// none.
struct Arguments {
  std::int64_t n = 0;
  std::int64_t columns = 0;
  std::int64_t size = 0;
};

// Each rule has a number of rounds, a function that appends the pairs of round r to `out` in order,
// and a closed form for the number of these pairs. Pairs with a coordinate >= n are left out, and
// so are pairs with both coordinates >= columns. Precondition: 0 <= r < the number of rounds.

std::int64_t circle_count(const Arguments& arguments);
void circle(const Arguments& arguments, std::int64_t r, std::vector<Pair>& out);
std::int64_t circle_size(const Arguments& arguments, std::int64_t r);

std::int64_t xor_count(const Arguments& arguments);
void xor_(const Arguments& arguments, std::int64_t r, std::vector<Pair>& out);
std::int64_t xor_size(const Arguments& arguments, std::int64_t r);

std::int64_t team_count(const Arguments& arguments);
void team(const Arguments& arguments, std::int64_t r, std::vector<Pair>& out);
std::int64_t team_size(const Arguments& arguments, std::int64_t r);

std::int64_t brickwall_count(const Arguments& arguments);
void brickwall(const Arguments& arguments, std::int64_t r, std::vector<Pair>& out);
std::int64_t brickwall_size(const Arguments& arguments, std::int64_t r);

std::int64_t butterfly_count(const Arguments& arguments);
void butterfly(const Arguments& arguments, std::int64_t r, std::vector<Pair>& out);
std::int64_t butterfly_size(const Arguments& arguments, std::int64_t r);

// The number of y in 0 .. x - 1 with (y XOR mask) < bound: how many pairs of a round of xor come
// before the pair of x.
std::int64_t xor_rank(std::int64_t x, std::int64_t mask, std::int64_t bound);

}  // namespace givens::rounds
