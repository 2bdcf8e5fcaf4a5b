// The rules that say which pairs meet in which round.
#pragma once

#include <cstdint>
#include <vector>

#include "givens/schedule.hpp"

namespace givens::rounds {

// What a factory of a schedule was called with: 0 <= columns <= n, and size and passes 0 where a
// kind takes none.
struct Arguments {
  std::int64_t n = 0;
  std::int64_t columns = 0;
  std::int64_t size = 0;
  std::int64_t passes = 0;
};

// Pairs with a coordinate >= n are left out of a round, and so are pairs with both coordinates
// >= columns; wavefront has a rule of its own for columns. Precondition: 0 <= r < the number of
// rounds.
struct Rule {
  std::int64_t (*num_rounds)(const Arguments& arguments);
  // Appends the pairs of round r to `out` in order.
  void (*append_round)(const Arguments& arguments, std::int64_t r, std::vector<Pair>& out);
  // The number of these pairs, in closed form.
  std::int64_t (*round_size)(const Arguments& arguments, std::int64_t r);
};

extern const Rule kCircle;
extern const Rule kXor;
extern const Rule kTeam;
extern const Rule kBrickwall;
extern const Rule kButterfly;
extern const Rule kWavefront;

// The number of y in 0 .. x - 1 with (y XOR mask) < bound: how many pairs of a round of xor come
// before the pair of x.
std::int64_t xor_rank(std::int64_t x, std::int64_t mask, std::int64_t bound);

}  // namespace givens::rounds
