#include "schedule/rounds.hpp"

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

// Whom player x meets in a step of the circle method; with an odd number of players it may be the
// dummy, `players`. But for the fixed player 0, players meet whose sum is 2 step mod N - 1 (of
// N - 1 and 0, which are the same, N - 1 is the player).
std::int64_t circle_opponent(std::int64_t players, std::int64_t step, std::int64_t x) {
  const std::int64_t cycle = round_up_to_even(players) - 1;
  const std::int64_t fixed_meets = step == 0 ? cycle : step;
  if (x == 0) return fixed_meets;
  if (x == fixed_meets) return 0;
  const std::int64_t y = (2 * step + cycle - x) % cycle;
  return y == 0 ? cycle : y;
}

// The number of pairs of a step of the circle method with both players in first .. last - 1.
// Precondition: 0 <= first <= last <= players.
std::int64_t circle_pairs_within(std::int64_t players, std::int64_t step, std::int64_t first,
                                 std::int64_t last) {
  const std::int64_t cycle = round_up_to_even(players) - 1;
  const std::int64_t arc = std::max<std::int64_t>(first, 1);
  const std::int64_t length = last - arc;
  if (length <= 0) return 0;
  // Relative to the step, y meets -y mod N - 1: the pairs within an arc are half of what it has in
  // common with its mirror image, an arc of the same length that starts `turn` later; 0 meets
  // itself, that is, the fixed player.
  const auto wrap = [&](std::int64_t k) { return (k % cycle + cycle) % cycle; };
  const std::int64_t begin = wrap(arc - step);
  const std::int64_t turn = wrap(-(begin + length - 1) - begin);
  const std::int64_t common =
      std::max<std::int64_t>(length - turn, 0) + std::max<std::int64_t>(length - (cycle - turn), 0);
  const std::int64_t fixed_meets = step == 0 ? cycle : step;
  const std::int64_t with_zero = arc <= fixed_meets && fixed_meets < last ? 1 : 0;
  return (common - with_zero) / 2 + (first == 0 ? with_zero : 0);
}

}  // namespace

std::int64_t circle_count(std::int64_t n) {
  return std::max<std::int64_t>(round_up_to_even(n) - 1, 0);
}

void circle(std::int64_t n, std::int64_t r, std::vector<Pair>& out) {
  circle_step(n, circle_count(n) - 1 - r,
              [&](std::int64_t i, std::int64_t j) { out.push_back(make_pair(i, j)); });
}

std::int64_t circle_size(std::int64_t n, std::int64_t columns, std::int64_t r) {
  if (columns >= n) return n / 2;
  return n / 2 - circle_pairs_within(n, circle_count(n) - 1 - r, columns, n);
}

std::int64_t xor_count(std::int64_t n) { return next_power_of_two(n) - 1; }

void xor_(std::int64_t n, std::int64_t r, std::vector<Pair>& out) {
  const std::int64_t mask = r + 1;
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t j = i ^ mask;
    if (i < j && j < n) out.push_back(make_pair(i, j));
  }
}

std::int64_t xor_rank(std::int64_t x, std::int64_t mask, std::int64_t bound) {
  // The y that agree with x above a bit which x has and they have not: y XOR mask takes all values
  // from a multiple of the bit on.
  std::int64_t count = 0;
  for (std::int64_t bits = x; bits > 0; bits &= bits - 1) {
    const std::int64_t bit = bits & -bits;
    const std::int64_t first = ((x ^ bit) ^ mask) & -bit;
    count += std::min(std::max<std::int64_t>(bound - first, 0), bit);
  }
  return count;
}

std::int64_t xor_size(std::int64_t n, std::int64_t columns, std::int64_t r) {
  // The round pairs the lower and the upper half of blocks of 2 h, h the highest bit of the mask.
  // All pairs of the blocks before that of `columns` are kept, none of those after it.
  const std::int64_t mask = r + 1;
  std::int64_t h = 1;
  while (2 * h <= mask) h *= 2;
  const std::int64_t block = columns & -(2 * h);
  const std::int64_t lower = std::min(columns - block, h);
  const std::int64_t upper = std::min(std::max<std::int64_t>(n - block - h, 0), h);
  return block / 2 + (upper == h ? lower : xor_rank(lower, mask ^ h, upper));
}

std::int64_t inner_rounds(std::int64_t size) { return circle_count(size); }

std::int64_t team_number(std::int64_t n, std::int64_t size) { return (n + size - 1) / size; }

std::int64_t match_rounds(std::int64_t teams) { return teams < 2 ? 0 : circle_count(teams); }

std::int64_t team_count(std::int64_t n, std::int64_t size) {
  if (size == 1) return circle_count(n);
  return inner_rounds(size) + match_rounds(team_number(n, size)) * size;
}

void team(std::int64_t n, std::int64_t size, std::int64_t r, std::vector<Pair>& out) {
  if (size == 1) {
    circle(n, r, out);
    return;
  }
  const std::int64_t teams = team_number(n, size);
  const auto append = [&](std::int64_t i, std::int64_t j) {
    if (j < n) out.push_back(make_pair(i, j));
  };
  if (r < inner_rounds(size)) {
    for (std::int64_t t = 0; t < teams; ++t) {
      circle_step(size, r,
                  [&](std::int64_t i, std::int64_t j) { append(t * size + i, t * size + j); });
    }
    return;
  }
  const std::int64_t match_round = (r - inner_rounds(size)) / size;
  const std::int64_t shift = (r - inner_rounds(size)) % size;
  circle_step(teams, match_rounds(teams) - 1 - match_round,
              [&](std::int64_t home, std::int64_t visitor) {
                for (std::int64_t k = 0; k < size; ++k) {
                  append(home * size + k, visitor * size + (k + shift) % size);
                }
              });
}

std::int64_t team_size(std::int64_t n, std::int64_t size, std::int64_t columns, std::int64_t r) {
  if (size == 1) return circle_size(n, columns, r);
  const std::int64_t whole = n / size;      // full teams
  const std::int64_t rest = n % size;       // players of the partial one after them
  const std::int64_t cut = columns / size;  // the team in which the columns end, after `kept` of it
  const std::int64_t kept = columns % size;
  if (r < inner_rounds(size)) {
    std::int64_t count = cut * (size / 2);
    if (kept > 0 && cut < whole) {
      count += size / 2 - circle_pairs_within(size, r, kept, size);
    } else if (kept > 0) {
      count += circle_pairs_within(size, r, 0, rest) - circle_pairs_within(size, r, kept, rest);
    }
    return count;
  }
  const std::int64_t teams = team_number(n, size);
  const std::int64_t step = match_rounds(teams) - 1 - (r - inner_rounds(size)) / size;
  const std::int64_t shift = (r - inner_rounds(size)) % size;
  // Matches of which all is kept, as far as there are visitors.
  const std::int64_t matches =
      teams / 2 - (cut < teams ? circle_pairs_within(teams, step, cut, teams) : 0);
  std::int64_t count = matches * size;
  if (rest > 0 && circle_opponent(teams, step, whole) < std::min(cut, whole)) count -= size - rest;
  // The match in which the team of the last columns is at home.
  if (kept > 0 && cut < whole) {
    const std::int64_t visitor = circle_opponent(teams, step, cut);
    if (cut < visitor && visitor < teams) {
      count += match_rank(kept, shift, size, visitor == whole ? rest : size);
    }
  }
  return count;
}

std::int64_t brickwall_count(std::int64_t n) { return n; }

void brickwall(std::int64_t n, std::int64_t r, std::vector<Pair>& out) {
  for (std::int64_t i = r % 2; i + 1 < n; i += 2) out.push_back(make_pair(i, i + 1));
}

std::int64_t brickwall_size(std::int64_t n, std::int64_t r) { return (n - r % 2) / 2; }

std::int64_t butterfly_count(std::int64_t n) {
  std::int64_t count = 0;
  while ((std::int64_t{1} << count) < n) ++count;
  return count;
}

void butterfly(std::int64_t n, std::int64_t r, std::vector<Pair>& out) {
  xor_(n, (std::int64_t{1} << r) - 1, out);
}

std::int64_t butterfly_size(std::int64_t n, std::int64_t r) {
  return xor_size(n, n, (std::int64_t{1} << r) - 1);
}

}  // namespace givens::rounds
