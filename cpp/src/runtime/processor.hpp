// The processor that the library runs on.
#pragma once

namespace givens::runtime {

// How many processors this process may use, at least 1: fewer than the machine has if the system
// keeps the process to some of them.
int available_processors();

// Whether the processor has the instructions of an engine and the system saves their registers.
// False on other processors than x86-64.
bool has_avx2();    // AVX2 and FMA
bool has_avx512();  // AVX-512 F, VL, DQ and BW

}  // namespace givens::runtime
