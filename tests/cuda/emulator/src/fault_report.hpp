#pragma once

namespace cuda_emulator {

// From this call on, an access to untouchable memory is reported before it ends the program.
// The address sanitizer does that by itself.
void report_faults();

}  // namespace cuda_emulator
