#pragma once

#include <string>

namespace cuda_emulator {

// Tells the user what is wrong with the program under test, and keeps it for take_reports().
void report(const std::string& message);

}  // namespace cuda_emulator
