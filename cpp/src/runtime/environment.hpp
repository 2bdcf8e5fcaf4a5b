// The environment variables of the process.
#pragma once

#include <string>

namespace givens::runtime {

// The value of the variable `name`; empty if it is not set. Races with threads that change the
// environment, so callers read a variable once and keep its value.
std::string environment_variable(const char* name);

}  // namespace givens::runtime
