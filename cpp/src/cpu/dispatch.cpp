// Chooses the engine that runs on this machine.
#include <atomic>
#include <stdexcept>
#include <string>

#include "cpu/engine.hpp"
#include "runtime/environment.hpp"
#include "runtime/processor.hpp"

namespace givens::cpu {

extern const Engine kBaselineEngine;
extern const Engine kAvx2Engine;
extern const Engine kAvx512Engine;

std::vector<const Engine*> engines() {
  std::vector<const Engine*> out;
#if defined(__x86_64__)
#if defined(GIVENS_HAS_avx512)
  if (runtime::has_avx512()) out.push_back(&kAvx512Engine);
#endif
#if defined(GIVENS_HAS_avx2)
  if (runtime::has_avx2()) out.push_back(&kAvx2Engine);
#endif
#endif
  out.push_back(&kBaselineEngine);
  return out;
}

namespace {

const Engine* chosen_engine() {
  const std::vector<const Engine*> available = engines();
  const std::string name = runtime::environment_variable("GIVENS_ISA");
  if (name.empty()) return available.front();
  if (name == "reference") return nullptr;
  std::string names = "reference";
  for (const Engine* candidate : available) {
    if (name == candidate->name) return candidate;
    names += std::string(", ") + candidate->name;
  }
  throw std::invalid_argument("the environment variable GIVENS_ISA must be one of " + names +
                              " on this machine, got " + name);
}

}  // namespace

const Engine* engine() {
  // Threads that come at the same time all choose, and choose the same. A static with an
  // initialiser would have a guard, on which a child would hang that was forked during the
  // initialisation.
  static std::atomic<const Engine*> chosen{nullptr};
  static std::atomic<bool> known{false};
  if (!known.load(std::memory_order_acquire)) {
    chosen.store(chosen_engine(), std::memory_order_relaxed);
    known.store(true, std::memory_order_release);
  }
  return chosen.load(std::memory_order_relaxed);
}

}  // namespace givens::cpu
