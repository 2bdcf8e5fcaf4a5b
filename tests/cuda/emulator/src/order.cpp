#include "order.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>

#include "api.hpp"
#include "cuda_emulator/control.hpp"

namespace cuda_emulator {

namespace {

struct Choice {
  Order order = Order::random;
  std::mt19937_64 random{1};
};

Choice from_environment() {
  Choice choice;
  if (const char* seed = std::getenv("GIVENS_EMULATOR_SEED")) {
    choice.random.seed(std::strtoull(seed, nullptr, 10));
  }
  if (const char* name = std::getenv("GIVENS_EMULATOR_ORDER")) {
    if (std::string(name) == "forward") {
      choice.order = Order::forward;
    } else if (std::string(name) == "reverse") {
      choice.order = Order::reverse;
    } else if (std::string(name) != "random") {
      std::fprintf(stderr, "GIVENS_EMULATOR_ORDER must be forward, reverse or random, not %s\n",
                   name);
      std::exit(2);
    }
  }
  return choice;
}

Choice& choice() {
  static Choice chosen = from_environment();
  return chosen;
}

}  // namespace

void set_order(Order order, std::uint64_t seed) {
  const ApiCall call;
  choice().order = order;
  choice().random.seed(seed);
}

void put_in_order(std::vector<unsigned>& numbers) {
  switch (choice().order) {
    case Order::forward:
      break;
    case Order::reverse:
      std::reverse(numbers.begin(), numbers.end());
      break;
    case Order::random:
      std::shuffle(numbers.begin(), numbers.end(), choice().random);
      break;
  }
}

}  // namespace cuda_emulator
