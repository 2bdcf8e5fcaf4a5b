// What the public functions refuse, with which message, and that they then write nothing.
#include <doctest/doctest.h>

#include <complex>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <type_traits>
#include <vector>

#include "array.hpp"
#include "givens/givens.hpp"
#include "problems.hpp"

namespace {

using givens::ArrayView;
using givens::ParameterGradients;
using givens::Parameters;
using givens::RotateOptions;
using givens::Schedule;
using test::Array;
using test::Shape;

// Valid arguments of every public function for two matrices of 4 x 4. Tests spoil one at a time.
template <class T>
struct Arguments {
  using R = givens::real_t<T>;
  static constexpr bool complex = givens::is_complex_v<T>;
  static constexpr int kUntouched = 7;

  Schedule schedule = Schedule::xor_(4);
  // The storage is filled with kUntouched, to see that outputs are not written.
  Array<T> stored_x{{2, 3, 4}, T(kUntouched)};
  Array<T> stored_gy{{2, 3, 4}, T(kUntouched)};
  Array<T> stored_out{{2, 3, 4}, T(kUntouched)};
  Array<T> stored_U{{2, 4, 4}, T(kUntouched)};
  Array<T> stored_gU{{2, 4, 4}, T(kUntouched)};
  Array<R> stored_angles{{2, 6}, R(kUntouched)};
  Array<R> stored_phases{{2, 6}, R(kUntouched)};
  Array<R> stored_diagonal{{2, 4}, R(kUntouched)};
  Array<R> stored_signs{{2, 4}, R(1)};
  Array<R> stored_gangles{{2, 6}, R(kUntouched)};
  Array<R> stored_gphases{{2, 6}, R(kUntouched)};
  Array<R> stored_gdiagonal{{2, 4}, R(kUntouched)};

  // The arguments.
  ArrayView<const T> x = stored_x.view();  // y of rotate_vjp
  ArrayView<const T> gy = stored_gy.view();
  ArrayView<T> out = stored_out.view();  // gx of rotate_vjp
  ArrayView<T> U = stored_U.view();
  ArrayView<const T> gU = stored_gU.view();
  Parameters<R> parameters{stored_angles.view(), {}, {}, {}};
  ParameterGradients<R> gradients{stored_gangles.view(), {}, {}};
  RotateOptions options;

  Arguments() {
    if constexpr (complex) {
      parameters.phases = stored_phases.view();
      parameters.diagonal = stored_diagonal.view();
      gradients.phases = stored_gphases.view();
      gradients.diagonal = stored_gdiagonal.view();
    }
  }
  Arguments(const Arguments&) = delete;  // the views look into this object
  Arguments& operator=(const Arguments&) = delete;

  void rotate() { givens::rotate<T>(x, parameters, schedule, out, options); }
  void matrix() { givens::matrix<T>(parameters, schedule, U); }
  void rotate_vjp() { givens::rotate_vjp<T>(x, gy, parameters, schedule, out, gradients, options); }
  void matrix_vjp() { givens::matrix_vjp<T>(U, gU, parameters, schedule, gradients); }

  bool untouched() const {
    const auto full = [](const auto& array) {
      for (const auto& value : array.values) {
        if (value != std::decay_t<decltype(value)>(kUntouched)) return false;
      }
      return true;
    };
    return full(stored_x) && full(stored_gy) && full(stored_out) && full(stored_U) &&
           full(stored_gU) && full(stored_angles) && full(stored_phases) && full(stored_diagonal) &&
           full(stored_gangles) && full(stored_gphases) && full(stored_gdiagonal);
  }
};

template <class T>
using Call = void (Arguments<T>::*)();

template <class T>
struct Calls {
  static constexpr Call<T> rotate = &Arguments<T>::rotate;
  static constexpr Call<T> matrix = &Arguments<T>::matrix;
  static constexpr Call<T> rotate_vjp = &Arguments<T>::rotate_vjp;
  static constexpr Call<T> matrix_vjp = &Arguments<T>::matrix_vjp;
};
using Real = Calls<double>;
using Complex = Calls<std::complex<double>>;

template <class T>
using CallList = std::vector<Call<T>>;
const CallList<double> kAll = {Real::rotate, Real::matrix, Real::rotate_vjp, Real::matrix_vjp};
const CallList<double> kVjps = {Real::rotate_vjp, Real::matrix_vjp};
const CallList<std::complex<double>> kAllComplex = {Complex::rotate, Complex::matrix,
                                                    Complex::rotate_vjp, Complex::matrix_vjp};
const CallList<std::complex<double>> kComplexVjps = {Complex::rotate_vjp, Complex::matrix_vjp};

// Spoils valid arguments and checks that each of the calls refuses them and writes nothing.
template <class T, class Spoil>
void refused(const CallList<T>& calls, const char* message, Spoil&& spoil) {
  for (const Call<T> call : calls) {
    Arguments<T> arguments;
    spoil(arguments);
    CHECK_THROWS_WITH_AS((arguments.*call)(), message, std::invalid_argument);
    CHECK(arguments.untouched());
  }
}
template <class T, class Spoil>
void refused(Call<T> call, const char* message, Spoil&& spoil) {
  refused<T>(CallList<T>{call}, message, spoil);
}

}  // namespace

TEST_CASE_TEMPLATE("the arguments that the tests below spoil are accepted", T, GIVENS_TEST_TYPES) {
  for (const Call<T> call :
       {Calls<T>::rotate, Calls<T>::matrix, Calls<T>::rotate_vjp, Calls<T>::matrix_vjp}) {
    Arguments<T> arguments;
    CHECK_NOTHROW((arguments.*call)());
    CHECK_FALSE(arguments.untouched());
  }
}

TEST_CASE("refused: angles") {
  refused(kAll,
          "angles must have 6 entries (schedule.num_rotations) along the last axis, got shape "
          "(2, 5)",
          [](auto& a) { a.parameters.angles = {a.stored_angles.values.data(), {2, 5}}; });
  refused(kAll,
          "angles must have 6 entries (schedule.num_rotations) along the last axis, got shape ()",
          [](auto& a) { a.parameters.angles = {a.stored_angles.values.data(), {}}; });
  refused(kAll,
          "angles must have 5 entries (schedule.num_rotations) along the last axis, got shape "
          "(2, 6)",
          [](auto& a) { a.schedule = Schedule::xor_(4, 2); });
}

TEST_CASE("refused: parameters that do not fit the schedule or each other") {
  refused(kAllComplex,
          "phases must have 6 entries (schedule.num_rotations) along the last axis, got shape (4,)",
          [](auto& a) { a.parameters.phases = {a.stored_phases.values.data(), {4}}; });
  refused(kAllComplex,
          "diagonal must have 4 entries (schedule.n) along the last axis, got shape (2, 1)",
          [](auto& a) { a.parameters.diagonal = {a.stored_diagonal.values.data(), {2, 1}}; });
  refused(kAllComplex, "signs and diagonal exclude each other, got both",
          [](auto& a) { a.parameters.signs = a.stored_signs.view(); });
  refused(kAllComplex,
          "the leading axes of phases must broadcast with the leading axes of the other "
          "parameters, got phases of "
          "shape (3, 6) and angles of shape (2, 6)",
          [](auto& a) { a.parameters.phases = {a.stored_phases.values.data(), {3, 6}, {0, 1}}; });
  refused(
      kAllComplex,
      "the leading axes of diagonal must broadcast with the leading axes of the other parameters, "
      "got diagonal "
      "of shape (2, 3, 4) and angles of shape (2, 6)",
      [](auto& a) {
        a.parameters.diagonal = {a.stored_diagonal.values.data(), {2, 3, 4}, {0, 0, 1}};
      });
}

TEST_CASE("refused: signs") {
  refused(kAll, "signs must have 4 entries (schedule.n) along the last axis, got shape (2, 3)",
          [](auto& a) { a.parameters.signs = {a.stored_signs.values.data(), {2, 3}}; });
  refused(kAll, "signs must be +1 or -1 each, got 0.5", [](auto& a) {
    a.stored_signs.values[6] = 0.5;
    a.parameters.signs = a.stored_signs.view();
  });
  refused(kAll, "signs must be +1 or -1 each, got nan", [](auto& a) {
    a.stored_signs.values[7] = std::numeric_limits<double>::quiet_NaN();
    a.parameters.signs = a.stored_signs.view();
  });
  refused(kAll,
          "the leading axes of signs must broadcast with the leading axes of the other parameters, "
          "got signs "
          "of shape (3, 4) and angles of shape (2, 6)",
          [](auto& a) { a.parameters.signs = {a.stored_signs.values.data(), {3, 4}, {0, 1}}; });
}

TEST_CASE("refused: phases and diagonal for real vectors") {
  refused(kAll, "phases must come with complex vectors, got real ones",
          [](auto& a) { a.parameters.phases = a.stored_phases.view(); });
  refused(kAll, "diagonal must come with complex vectors, got real ones",
          [](auto& a) { a.parameters.diagonal = a.stored_diagonal.view(); });
}

TEST_CASE("refused: x of rotate") {
  refused(Real::rotate,
          "x must have at least 2 axes, the batch axes of the parameters and one of n = 4 "
          "coordinates, got shape (4,)",
          [](auto& a) { a.x = {a.stored_x.values.data(), {4}}; });
  refused(Real::rotate,
          "x must have at least 2 axes, the batch axes of the parameters and one of n = 4 "
          "coordinates, got shape ()",
          [](auto& a) { a.x = {a.stored_x.values.data(), {}}; });
  refused(Real::rotate, "x must have 4 entries (schedule.n) along axis -1, got shape (2, 4, 3)",
          [](auto& a) { a.x = {a.stored_x.values.data(), {2, 4, 3}}; });
  refused(Real::rotate, "x must have 4 entries (schedule.n) along axis 1, got shape (2, 3, 4)",
          [](auto& a) { a.options.axis = 1; });
  refused(Real::rotate,
          "the leading axes of x must match the batch shape (2,) of the parameters, got shape "
          "(3, 2, 4)",
          [](auto& a) { a.x = {a.stored_x.values.data(), {3, 2, 4}}; });
  refused(Real::rotate,
          "the leading axes of x must match the batch shape (2,) of the parameters, got shape "
          "(0, 3, 4)",
          [](auto& a) { a.x = {a.stored_x.values.data(), {0, 3, 4}}; });
}

TEST_CASE("refused: axis") {
  refused(Real::rotate, "axis must be between -3 and 2 for x of shape (2, 3, 4), got 3",
          [](auto& a) { a.options.axis = 3; });
  refused(Real::rotate, "axis must be between -3 and 2 for x of shape (2, 3, 4), got -4",
          [](auto& a) { a.options.axis = -4; });
  refused(Real::rotate, "axis must not be one of the 1 batch axes of x, got 0",
          [](auto& a) { a.options.axis = 0; });
  refused(Real::rotate, "axis must not be one of the 1 batch axes of x, got -3",
          [](auto& a) { a.options.axis = -3; });
  refused(Real::rotate_vjp, "axis must be between -3 and 2 for y of shape (2, 3, 4), got 3",
          [](auto& a) { a.options.axis = 3; });
  refused(Real::rotate_vjp, "axis must not be one of the 1 batch axes of y, got -3",
          [](auto& a) { a.options.axis = -3; });
}

TEST_CASE("refused: the output of rotate") {
  refused(Real::rotate, "out must have shape (2, 3, 4), got shape (3, 4)",
          [](auto& a) { a.out = {a.stored_out.values.data(), {3, 4}}; });
  refused(Real::rotate, "out must have shape (2, 3, 4), got shape (1, 3, 4)", [](auto& a) {
    a.x = {a.stored_x.values.data(), {1, 3, 4}};
    a.out = {a.stored_out.values.data(), {1, 3, 4}};
  });
  refused(Real::rotate, "out must not overlap itself",
          [](auto& a) { a.out = {a.stored_out.values.data(), {2, 3, 4}, {12, 0, 1}}; });
  refused(Real::rotate, "out must not overlap itself",
          [](auto& a) { a.out = {a.stored_out.values.data() + 11, {2, 3, 4}, {-11, 4, 1}}; });
}

TEST_CASE("refused: U of matrix and matrix_vjp") {
  refused(CallList<double>{Real::matrix, Real::matrix_vjp},
          "U must have shape (2, 4, 4), got shape (4, 4)",
          [](auto& a) { a.U = {a.stored_U.values.data(), {4, 4}}; });
  refused(CallList<double>{Real::matrix, Real::matrix_vjp},
          "U must have shape (2, 4, 3), got shape (2, 4, 4)",
          [](auto& a) { a.schedule = Schedule::xor_(4, 3); });
  refused(Real::matrix, "U must not overlap itself",
          [](auto& a) { a.U = {a.stored_U.values.data(), {2, 4, 4}, {0, 4, 1}}; });
  refused(Real::matrix, "U must not overlap angles in memory",
          [](auto& a) { a.parameters.angles = {a.stored_U.values.data(), {2, 6}}; });
  refused(Complex::matrix, "U must not overlap phases in memory", [](auto& a) {
    a.parameters.phases = {reinterpret_cast<double*>(a.stored_U.values.data()), {2, 6}};
  });
  refused(Complex::matrix, "U must not overlap diagonal in memory", [](auto& a) {
    a.parameters.diagonal = {reinterpret_cast<double*>(a.stored_U.values.data()), {2, 4}};
  });
  Array<double> signs_and_U({32}, 1.0);
  refused(Real::matrix, "U must not overlap signs in memory", [&](auto& a) {
    a.parameters.signs = {signs_and_U.values.data() + 24, {2, 4}};
    a.U = {signs_and_U.values.data(), {2, 4, 4}};
  });
  CHECK(signs_and_U.values == std::vector<double>(32, 1.0));
}

TEST_CASE("refused: shapes of the gradient functions") {
  refused(Real::rotate_vjp,
          "y must have at least 2 axes, the batch axes of the parameters and one of n = 4 "
          "coordinates, got shape (4,)",
          [](auto& a) { a.x = {a.stored_x.values.data(), {4}}; });
  refused(Real::rotate_vjp, "y must have 4 entries (schedule.n) along axis -1, got shape (2, 4, 3)",
          [](auto& a) { a.x = {a.stored_x.values.data(), {2, 4, 3}}; });
  refused(Real::rotate_vjp,
          "the leading axes of y must match the batch shape (2,) of the parameters, got shape "
          "(3, 2, 4)",
          [](auto& a) { a.x = {a.stored_x.values.data(), {3, 2, 4}}; });
  // An output has the batch in full.
  refused(Real::rotate_vjp, "y must have shape (2, 3, 4), got shape (1, 3, 4)",
          [](auto& a) { a.x = {a.stored_x.values.data(), {1, 3, 4}}; });
  refused(Real::rotate_vjp, "gy must have shape (2, 3, 4), got shape (2, 4)",
          [](auto& a) { a.gy = {a.stored_gy.values.data(), {2, 4}}; });
  refused(Real::rotate_vjp, "gx must have shape (2, 3, 4), got shape (2, 4, 3)",
          [](auto& a) { a.out = {a.stored_out.values.data(), {2, 4, 3}}; });
  refused(Real::matrix_vjp, "gU must have shape (2, 4, 4), got shape (2, 4)",
          [](auto& a) { a.gU = {a.stored_gU.values.data(), {2, 4}}; });
}

TEST_CASE("refused: shapes of the parameters' gradients") {
  refused(kComplexVjps, "gangles must have the shape of angles (2, 6), got shape (6,)",
          [](auto& a) { a.gradients.angles = {a.stored_gangles.values.data(), {6}}; });
  refused(kComplexVjps, "gphases must have the shape of phases (2, 6), got shape (2, 4)",
          [](auto& a) { a.gradients.phases = {a.stored_gphases.values.data(), {2, 4}}; });
  // A gradient has the shape of its parameter, not of the batch.
  refused(kComplexVjps, "gdiagonal must have the shape of diagonal (4,), got shape (2, 4)",
          [](auto& a) { a.parameters.diagonal = {a.stored_diagonal.values.data(), {4}}; });
}

TEST_CASE("refused: a gradient without its parameter, a parameter without its gradient") {
  refused(kComplexVjps, "gphases must be given exactly if phases is",
          [](auto& a) { a.gradients.phases.reset(); });
  refused(kComplexVjps, "gphases must be given exactly if phases is",
          [](auto& a) { a.parameters.phases.reset(); });
  refused(kComplexVjps, "gdiagonal must be given exactly if diagonal is",
          [](auto& a) { a.gradients.diagonal.reset(); });
  refused(kComplexVjps, "gdiagonal must be given exactly if diagonal is",
          [](auto& a) { a.parameters.diagonal.reset(); });
  refused(kVjps, "gphases must be given exactly if phases is",
          [](auto& a) { a.gradients.phases = a.stored_gphases.view(); });
}

TEST_CASE("refused: gradients that overlap themselves") {
  refused(Complex::rotate_vjp, "gx must not overlap itself",
          [](auto& a) { a.out = {a.stored_out.values.data(), {2, 3, 4}, {4, 4, 1}}; });
  refused(kComplexVjps, "gangles must not overlap itself",
          [](auto& a) { a.gradients.angles = {a.stored_gangles.values.data(), {2, 6}, {0, 1}}; });
  refused(kComplexVjps, "gphases must not overlap itself",
          [](auto& a) { a.gradients.phases = {a.stored_gphases.values.data(), {2, 6}, {1, 1}}; });
  refused(kComplexVjps, "gdiagonal must not overlap itself", [](auto& a) {
    a.gradients.diagonal = {a.stored_gdiagonal.values.data(), {2, 4}, {3, -1}};
  });
}

TEST_CASE("refused: gradients that overlap inputs or each other") {
  using T = std::complex<double>;
  const auto as_reals = [](Array<T>& array) {
    return reinterpret_cast<double*>(array.values.data());
  };
  refused(Real::rotate_vjp, "gx must not overlap y in memory",
          [](auto& a) { a.out = a.stored_x.view(); });
  refused(Real::rotate_vjp, "gx must not overlap gy in memory",
          [](auto& a) { a.out = a.stored_gy.view(); });
  refused(Real::rotate_vjp, "gx must not overlap angles in memory",
          [](auto& a) { a.parameters.angles = {a.stored_out.values.data(), {2, 6}}; });
  refused(Complex::rotate_vjp, "gx must not overlap phases in memory",
          [&](auto& a) { a.parameters.phases = {as_reals(a.stored_out), {2, 6}}; });
  refused(Complex::rotate_vjp, "gx must not overlap diagonal in memory",
          [&](auto& a) { a.parameters.diagonal = {as_reals(a.stored_out), {2, 4}}; });
  refused(Real::rotate_vjp, "gangles must not overlap y in memory",
          [](auto& a) { a.gradients.angles = {a.stored_x.values.data() + 12, {2, 6}}; });
  refused(Real::rotate_vjp, "gangles must not overlap gx in memory",
          [](auto& a) { a.gradients.angles = {a.stored_out.values.data() + 12, {2, 6}}; });
  refused(Real::matrix_vjp, "gangles must not overlap U in memory",
          [](auto& a) { a.gradients.angles = {a.stored_U.values.data(), {2, 6}}; });
  refused(Real::matrix_vjp, "gangles must not overlap gU in memory",
          [](auto& a) { a.gradients.angles = {a.stored_gU.values.data(), {2, 6}}; });
  refused(kComplexVjps, "gangles must not overlap angles in memory",
          [](auto& a) { a.gradients.angles = a.stored_angles.view(); });
  refused(kComplexVjps, "gphases must not overlap phases in memory",
          [](auto& a) { a.gradients.phases = a.stored_phases.view(); });
  refused(kComplexVjps, "gphases must not overlap gangles in memory",
          [](auto& a) { a.gradients.phases = a.stored_gangles.view(); });
  refused(kComplexVjps, "gdiagonal must not overlap diagonal in memory",
          [](auto& a) { a.gradients.diagonal = a.stored_diagonal.view(); });
  refused(kComplexVjps, "gdiagonal must not overlap gphases in memory",
          [](auto& a) { a.gradients.diagonal = {a.stored_gphases.values.data() + 4, {2, 4}}; });
  Array<double> signs_and_gangles({12}, 1.0);
  refused(kVjps, "gangles must not overlap signs in memory", [&](auto& a) {
    a.parameters.signs = {signs_and_gangles.values.data() + 8, {4}};
    a.gradients.angles = {signs_and_gangles.values.data(), {2, 6}};
  });
  CHECK(signs_and_gangles.values == std::vector<double>(12, 1.0));
}

TEST_CASE("refused: shape functions check what they read") {
  Arguments<double> a;
  CHECK_THROWS_WITH_AS(
      givens::matrix_shape(a.parameters, Schedule::xor_(5)),
      "angles must have 10 entries (schedule.num_rotations) along the last axis, got shape (2, 6)",
      std::invalid_argument);
  CHECK_THROWS_WITH_AS(givens::rotated_shape<double>(a.x, a.parameters, a.schedule, 3),
                       "axis must be between -3 and 2 for x of shape (2, 3, 4), got 3",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(
      givens::rotated_shape<double>({a.stored_x.values.data(), {3, 4}}, a.parameters, a.schedule),
      "the leading axes of x must match the batch shape (2,) of the parameters, got shape (3, 4)",
      std::invalid_argument);
}
