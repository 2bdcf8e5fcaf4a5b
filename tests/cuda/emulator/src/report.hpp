#pragma once

#include <string>

namespace cuda_emulator {

// Writes what is wrong with the program under test, and keeps it for take_reports().
void report(const std::string& message);

}  // namespace cuda_emulator
