// What an engine keeps for an operator.
#pragma once

namespace givens::cpu {

// The coefficients of an operator's matrices, in the form of the engine that made them. Any number
// of threads may use them.
class Prepared {
 public:
  Prepared() = default;
  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;
  virtual ~Prepared() = default;
};

}  // namespace givens::cpu
