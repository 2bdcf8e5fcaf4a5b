// What the checks of the entries of a batch of matrices share.
#pragma once

#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

namespace givens::validate {

template <class T>
bool is_finite(const T& x) {
  return std::isfinite(std::real(x)) && std::isfinite(std::imag(x));
}

// For example "U[1, 2]": the matrix at an index of the batch in C order, or with `rest` its entry.
inline std::string place(const std::string& name, const std::int64_t* batch, int ndim,
                         std::int64_t index, const std::vector<std::int64_t>& rest) {
  std::vector<std::int64_t> indices(static_cast<std::size_t>(ndim));
  for (int d = ndim - 1; d >= 0; --d) {
    indices[static_cast<std::size_t>(d)] = index % batch[d];
    index /= batch[d];
  }
  indices.insert(indices.end(), rest.begin(), rest.end());
  std::string out = name + "[";
  for (std::size_t k = 0; k < indices.size(); ++k) {
    out += (k ? ", " : "") + std::to_string(indices[k]);
  }
  return out + "]";
}

// Three digits.
inline std::string short_text(double value) {
  std::ostringstream out;
  out.precision(3);
  out << value;
  return out.str();
}

// All digits that a stream shows, for example "(1,nan)".
template <class T>
std::string entry_text(const T& value) {
  std::ostringstream out;
  out << value;
  return out.str();
}

}  // namespace givens::validate
