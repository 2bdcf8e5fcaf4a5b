#include "runtime/environment.hpp"

#include <cstdlib>

namespace givens::runtime {

std::string environment_variable(const char* name) {
  const char* const value = std::getenv(name);
  return value ? value : "";
}

}  // namespace givens::runtime
