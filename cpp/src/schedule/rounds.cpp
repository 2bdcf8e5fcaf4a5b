#include "schedule/rounds.hpp"

#include <algorithm>

namespace givens::rounds {

std::int64_t xor_rank(std::int64_t x, std::int64_t mask, std::int64_t bound) {
  // For each bit of x: the y that agree with x above the bit and lack it. For these, y XOR mask
  // takes all values from a multiple of the bit on.
  std::int64_t count = 0;
  for (std::int64_t bits = x; bits > 0; bits &= bits - 1) {
    const std::int64_t bit = bits & -bits;
    const std::int64_t first = ((x ^ bit) ^ mask) & -bit;
    count += std::min(std::max<std::int64_t>(bound - first, 0), bit);
  }
  return count;
}

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

// The number of steps of the circle method: N - 1, N the number of players rounded up to even. An
// odd number of players has a bye in every step.
std::int64_t circle_steps(std::int64_t players) {
  return std::max<std::int64_t>(round_up_to_even(players) - 1, 0);
}

// Calls meet(i, j), i < j < players, for the pairs of one step of the circle method, in order.
template <class Meet>
void circle_step(std::int64_t players, std::int64_t step, Meet&& meet) {
  const std::int64_t cycle = circle_steps(players);
  const auto wrap = [&](std::int64_t k) { return k > cycle ? k - cycle : k; };
  for (std::int64_t b = 0; 2 * b < cycle; ++b) {
    const std::int64_t i = b == 0 ? 0 : wrap(b + step);
    const std::int64_t j = wrap(cycle - b + step);
    if (std::max(i, j) < players) meet(std::min(i, j), std::max(i, j));
  }
}

// Whom player x meets in a step of the circle method: `players` stands for the bye. Players other
// than the fixed player 0 meet if their sum is 2 step mod N - 1, where 0 stands for player N - 1.
std::int64_t circle_opponent(std::int64_t players, std::int64_t step, std::int64_t x) {
  const std::int64_t cycle = circle_steps(players);
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
  const std::int64_t cycle = circle_steps(players);
  const std::int64_t arc = std::max<std::int64_t>(first, 1);
  const std::int64_t length = last - arc;
  if (length <= 0) return 0;
  // Counted from the step, y meets -y mod N - 1. So the players of an arc who meet within it are
  // those that it has in common with its mirror image, an arc of the same length that starts `turn`
  // later; 0 is its own image and meets the fixed player.
  const auto wrap = [&](std::int64_t k) { return (k % cycle + cycle) % cycle; };
  const std::int64_t begin = wrap(arc - step);
  const std::int64_t turn = wrap(-(begin + length - 1) - begin);
  const std::int64_t common =
      std::max<std::int64_t>(length - turn, 0) + std::max<std::int64_t>(length - (cycle - turn), 0);
  const std::int64_t fixed_meets = step == 0 ? cycle : step;
  const std::int64_t with_zero = arc <= fixed_meets && fixed_meets < last ? 1 : 0;
  return (common - with_zero) / 2 + (first == 0 ? with_zero : 0);
}

// Drops the pairs from `first` on that have both coordinates >= columns.
void drop_by_columns(const Arguments& arguments, std::size_t first, std::vector<Pair>& out) {
  if (arguments.columns >= arguments.n) return;
  const auto dropped = [&](const Pair& pair) { return pair.i >= arguments.columns; };
  out.erase(std::remove_if(out.begin() + static_cast<std::ptrdiff_t>(first), out.end(), dropped),
            out.end());
}

// The teams of a team schedule, and its rounds: first the rounds within the teams, then for each
// step of a circle of the teams `size` rounds of matches.
struct Teams {
  explicit Teams(const Arguments& arguments)
      : size(arguments.size),
        whole(arguments.n / size),
        rest(arguments.n % size),
        number(whole + (rest > 0 ? 1 : 0)),
        inner_rounds(circle_steps(std::min(size, arguments.n))),
        match_steps(number < 2 ? 0 : circle_steps(number)) {}

  // Matches go from the last step to the first.
  std::int64_t match_step(std::int64_t r) const {
    return match_steps - 1 - (r - inner_rounds) / size;
  }
  std::int64_t shift(std::int64_t r) const { return (r - inner_rounds) % size; }

  std::int64_t size;
  std::int64_t whole;   // full teams
  std::int64_t rest;    // players of the last team if it is smaller, else 0
  std::int64_t number;  // of teams
  std::int64_t inner_rounds;
  std::int64_t match_steps;
};

// The number of k in 0 .. x - 1 with (k + shift) mod size < bound: how many pairs of a match come
// before home's player x, if the visitors are `bound`. Preconditions: 0 <= x, bound <= size.
std::int64_t match_rank(std::int64_t x, std::int64_t shift, std::int64_t size, std::int64_t bound) {
  return std::min(x, std::max<std::int64_t>(bound - shift, 0)) +
         std::min(std::max<std::int64_t>(x - (size - shift), 0), bound);
}

// The number of pairs of a step within a team of `players`, the first `kept` of whom have a column.
std::int64_t inner_pairs(std::int64_t players, std::int64_t step, std::int64_t kept) {
  if (step >= circle_steps(players)) return 0;
  return players / 2 - circle_pairs_within(players, step, kept, players);
}

std::int64_t circle_count(const Arguments& arguments) { return circle_steps(arguments.n); }

void circle(const Arguments& arguments, std::int64_t r, std::vector<Pair>& out) {
  const std::size_t first = out.size();
  circle_step(arguments.n, circle_count(arguments) - 1 - r,
              [&](std::int64_t i, std::int64_t j) { out.push_back(make_pair(i, j)); });
  drop_by_columns(arguments, first, out);
}

std::int64_t circle_size(const Arguments& arguments, std::int64_t r) {
  const auto [n, columns, size, passes] = arguments;
  if (columns >= n) return n / 2;
  return n / 2 - circle_pairs_within(n, circle_count(arguments) - 1 - r, columns, n);
}

std::int64_t xor_count(const Arguments& arguments) { return next_power_of_two(arguments.n) - 1; }

void xor_(const Arguments& arguments, std::int64_t r, std::vector<Pair>& out) {
  const std::int64_t mask = r + 1;
  for (std::int64_t i = 0; i < arguments.columns; ++i) {
    const std::int64_t j = i ^ mask;
    if (i < j && j < arguments.n) out.push_back(make_pair(i, j));
  }
}

std::int64_t xor_size(const Arguments& arguments, std::int64_t r) {
  // The round pairs the lower and the upper half of blocks of 2 h, h the highest bit of the mask.
  // All pairs of the blocks before the block of `columns` are kept, and none after it.
  const std::int64_t n = arguments.n;
  const std::int64_t columns = arguments.columns;
  const std::int64_t mask = r + 1;
  std::int64_t h = 1;
  while (2 * h <= mask) h *= 2;
  const std::int64_t block = columns & -(2 * h);
  const std::int64_t lower = std::min(columns - block, h);
  const std::int64_t upper = std::min(std::max<std::int64_t>(n - block - h, 0), h);
  return block / 2 + (upper == h ? lower : xor_rank(lower, mask ^ h, upper));
}

std::int64_t team_count(const Arguments& arguments) {
  if (arguments.size == 1) return circle_count(arguments);
  const Teams teams(arguments);
  return teams.inner_rounds + teams.match_steps * teams.size;
}

void team(const Arguments& arguments, std::int64_t r, std::vector<Pair>& out) {
  if (arguments.size == 1) return circle(arguments, r, out);
  const std::size_t first = out.size();
  const Teams teams(arguments);
  if (r < teams.inner_rounds) {
    for (std::int64_t team = 0; team < teams.number; ++team) {
      const std::int64_t players = team < teams.whole ? teams.size : teams.rest;
      if (r >= circle_steps(players)) continue;
      const std::int64_t start = team * teams.size;
      circle_step(players, r, [&](std::int64_t i, std::int64_t j) {
        out.push_back(make_pair(start + i, start + j));
      });
    }
  } else {
    const std::int64_t shift = teams.shift(r);
    circle_step(teams.number, teams.match_step(r), [&](std::int64_t home, std::int64_t visitor) {
      for (std::int64_t k = 0; k < teams.size; ++k) {
        const std::int64_t j = visitor * teams.size + (k + shift) % teams.size;
        if (j < arguments.n) out.push_back(make_pair(home * teams.size + k, j));
      }
    });
  }
  drop_by_columns(arguments, first, out);
}

std::int64_t team_size(const Arguments& arguments, std::int64_t r) {
  if (arguments.size == 1) return circle_size(arguments, r);
  const Teams teams(arguments);
  const std::int64_t size = teams.size;
  const std::int64_t cut = arguments.columns / size;   // the team in which the columns end
  const std::int64_t kept = arguments.columns % size;  // its players with a column
  if (r < teams.inner_rounds) {
    const std::int64_t players = cut < teams.whole ? size : teams.rest;
    return cut * (size / 2) + (kept > 0 ? inner_pairs(players, r, kept) : 0);
  }
  const std::int64_t step = teams.match_step(r);
  // Matches of which all is kept, as far as there are visitors.
  const std::int64_t matches =
      teams.number / 2 -
      (cut < teams.number ? circle_pairs_within(teams.number, step, cut, teams.number) : 0);
  std::int64_t count = matches * size;
  if (teams.rest > 0 &&
      circle_opponent(teams.number, step, teams.whole) < std::min(cut, teams.whole)) {
    count -= size - teams.rest;
  }
  // The match in which the team where the columns end is at home.
  if (kept > 0 && cut < teams.whole) {
    const std::int64_t visitor = circle_opponent(teams.number, step, cut);
    if (cut < visitor && visitor < teams.number) {
      count += match_rank(kept, teams.shift(r), size, visitor == teams.whole ? teams.rest : size);
    }
  }
  return count;
}

std::int64_t brickwall_count(const Arguments& arguments) { return arguments.n; }

void brickwall(const Arguments& arguments, std::int64_t r, std::vector<Pair>& out) {
  for (std::int64_t i = r % 2; i + 1 < arguments.n; i += 2) out.push_back(make_pair(i, i + 1));
}

std::int64_t brickwall_size(const Arguments& arguments, std::int64_t r) {
  return (arguments.n - r % 2) / 2;
}

// The number of bits of a coordinate.
std::int64_t butterfly_bits(const Arguments& arguments) {
  std::int64_t count = 0;
  while ((std::int64_t{1} << count) < arguments.n) ++count;
  return count;
}

std::int64_t butterfly_count(const Arguments& arguments) {
  return butterfly_bits(arguments) * arguments.passes;
}

// The round of xor that round r is.
std::int64_t butterfly_round(const Arguments& arguments, std::int64_t r) {
  return (std::int64_t{1} << r % butterfly_bits(arguments)) - 1;
}

void butterfly(const Arguments& arguments, std::int64_t r, std::vector<Pair>& out) {
  xor_(arguments, butterfly_round(arguments, r), out);
}

std::int64_t butterfly_size(const Arguments& arguments, std::int64_t r) {
  return xor_size(arguments, butterfly_round(arguments, r));
}

std::int64_t wavefront_count(const Arguments& arguments) {
  const std::int64_t columns = std::min(arguments.columns, arguments.n - 1);
  return columns <= 0 ? 0 : arguments.n + columns - 2;
}

// The columns of the frame that round r of wavefront has a pair for.
struct WavefrontRound {
  WavefrontRound(const Arguments& arguments, std::int64_t r)
      : step(wavefront_count(arguments) - 1 - r),
        first(std::max<std::int64_t>(step - (arguments.n - 2), 0)),
        last(std::min({arguments.columns, arguments.n - 1, step / 2 + 1})) {}

  std::int64_t step;  // of the elimination, which takes the rounds in reverse
  std::int64_t first;
  std::int64_t last;  // one past the last
};

void wavefront(const Arguments& arguments, std::int64_t r, std::vector<Pair>& out) {
  const WavefrontRound round(arguments, r);
  for (std::int64_t j = round.first; j < round.last; ++j) {
    const std::int64_t i = arguments.n - 2 - round.step + 2 * j;
    out.push_back(make_pair(i, i + 1));
  }
}

std::int64_t wavefront_size(const Arguments& arguments, std::int64_t r) {
  const WavefrontRound round(arguments, r);
  return round.last - round.first;
}

}  // namespace

const Rule kCircle{circle_count, circle, circle_size};
const Rule kXor{xor_count, xor_, xor_size};
const Rule kTeam{team_count, team, team_size};
const Rule kBrickwall{brickwall_count, brickwall, brickwall_size};
const Rule kButterfly{butterfly_count, butterfly, butterfly_size};
const Rule kWavefront{wavefront_count, wavefront, wavefront_size};

}  // namespace givens::rounds
