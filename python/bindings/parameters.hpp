// The parameters of a call, and which dtypes its arrays must have: the same for arrays on the CPU
// and on a GPU. Shapes and values are checked by the core.
//
// An array type `A` has `name`, the name of the argument, `dtype` and `view<T>()`. `Optional`
// dereferences to an array or is empty.
#pragma once

#include <pybind11/pybind11.h>

#include <optional>
#include <string>
#include <type_traits>

#include "arrays/dtypes.hpp"
#include "givens/transform.hpp"
#include "givens/view.hpp"

namespace givens::python {

namespace py = pybind11;

template <class T, class Optional>
std::optional<ArrayView<T>> optional_view(const Optional& array) {
  if (!array) return std::nullopt;
  return array->template view<T>();
}

template <class A>
[[noreturn]] void refuse_dtype(const A& array, const std::string& expected) {
  throw py::type_error(std::string(array.name) + " must be " + expected + ", got " +
                       dtype_name(array.dtype));
}

template <class A>
void check_same_dtype(const A& array, const A& like) {
  if (array.dtype == like.dtype) return;
  const std::string name = like.name;
  const char* verb = name.back() == 's' ? " are" : " is";
  refuse_dtype(array, dtype_name(like.dtype) + (" as " + name) + verb);
}

template <class A, class Optional>
struct ParameterArrays {
  A angles;
  Optional phases;
  Optional diagonal;
  Optional signs;

  // Throws TypeError unless all have the dtype of the angles, which must be a real one.
  void check() const {
    for (const Optional* parameter : {&phases, &diagonal, &signs}) {
      if (*parameter) check_same_dtype<std::decay_t<A>>(**parameter, angles);
    }
  }

  bool make_complex() const { return phases || diagonal; }

  Dtype matrix_dtype() const { return make_complex() ? complex_of(angles.dtype) : angles.dtype; }

  // Throws TypeError unless vectors have the precision of the angles, where 16 bits go with single
  // precision, and are complex if U is.
  void check_vectors(const A& x) const {
    const Dtype real = angles.dtype;
    if (make_complex() && x.dtype != complex_of(real)) {
      refuse_dtype(x, dtype_name(complex_of(real)) + std::string(" with ") + dtype_name(real) +
                          " phases or diagonal");
    }
    if (parameter_dtype(x.dtype) != real) {
      const char* halves = real == Dtype::float32 ? "float16, bfloat16, " : "";
      refuse_dtype(x, std::string(halves) + dtype_name(real) + " or " +
                          dtype_name(complex_of(real)) + " with " + dtype_name(real) + " angles");
    }
  }

  // Throws TypeError unless U and gU have the dtype of U.
  void check_matrices(const A& u, const A& gu) const {
    if (u.dtype != matrix_dtype()) {
      refuse_dtype(u, dtype_name(matrix_dtype()) + std::string(", as matrix returned it"));
    }
    check_same_dtype<std::decay_t<A>>(gu, u);
  }

  template <class R>
  Parameters<R> views() const {
    return {angles.template view<const R>(), optional_view<const R>(phases),
            optional_view<const R>(diagonal), optional_view<const R>(signs)};
  }
};

}  // namespace givens::python
