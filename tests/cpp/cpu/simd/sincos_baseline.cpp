#include "cpu/engine_headers.hpp"

#include "cpu/targets/begin_baseline.hpp"
//
#include "sincos_functions-inl.hpp"

test::SinCosFunctions test::sincos_baseline() {
  return givens::cpu::baseline::sincos_functions("baseline");
}
