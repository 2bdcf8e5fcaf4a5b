#pragma once

namespace cuda_emulator {

// From now on an access to memory that cannot be touched is reported before it ends the program.
// The address sanitizer does that by itself.
void report_faults();

}  // namespace cuda_emulator
