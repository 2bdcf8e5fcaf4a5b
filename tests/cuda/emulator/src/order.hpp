#pragma once

#include <vector>

namespace cuda_emulator {

// Puts ascending numbers into the order of execution that was chosen.
void put_in_order(std::vector<unsigned>& numbers);

}  // namespace cuda_emulator
