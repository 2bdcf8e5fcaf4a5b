// Orthogonal and unitary matrices from rotation angles: apply one, form one, and the gradients of
// both.
//
// Rotation k of the schedule turns the plane (i, j), i < j, by the angle t_k (radians):
//   y_i = cos(t) x_i - exp(-ip) sin(t) x_j
//   y_j = exp(ip) sin(t) x_i + cos(t) x_j
// with phase p_k (0 if there are no phases), and after all rotations row r is multiplied by exp(i
// d_r), the diagonal, or by signs_r. The product is U = D G_{K-1} ... G_0 (arXiv 2106.00003,
// section 2).
//
// Types: T, the type of the vectors, is float, double, std::complex<float>, std::complex<double>,
// Half or BFloat16. Parameters and their gradients are real and have the same precision, real_t<T>.
// With the 16-bit types they and all arithmetic are float, and vectors are rounded to nearest, ties
// to even, when they are written.
//
// Batches: the leading axes of the parameters broadcast against each other as in NumPy (aligned at
// the end); together they are the batch shape B, one matrix each. The leading axes of x match B
// from the front, and an axis of size 1 on either side is repeated.
//
// Overlap: the y of `rotate` may be x itself, or overlap inputs in any other way, for which a
// temporary of its size is allocated. The outputs of all other functions may not overlap anything.
//
// Errors: every function throws std::invalid_argument, naming the argument, before it writes
// anything, and std::bad_alloc where memory is short. NaN and infinities are no errors: they spread
// to what depends on them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "givens/export.hpp"
#include "givens/half.hpp"
#include "givens/schedule.hpp"
#include "givens/view.hpp"

namespace givens {

// What defines the matrices. R is float or double.
template <class R>
struct Parameters {
  ArrayView<const R> angles;                   // (..., K), radians
  std::optional<ArrayView<const R>> phases;    // (..., K), radians; complex T only
  std::optional<ArrayView<const R>> diagonal;  // (..., n), radians; complex T only; not with signs
  std::optional<ArrayView<const R>> signs;     // (..., n), each +1 or -1; not with diagonal
};

// Where the gradients go. Each has the shape of its parameter; phases and diagonal are present
// exactly if the parameter is. The gradient of a parameter that several matrices share is summed
// over them.
template <class R>
struct ParameterGradients {
  ArrayView<R> angles;
  std::optional<ArrayView<R>> phases;
  std::optional<ArrayView<R>> diagonal;
};

struct RotateOptions {
  // The axis of x along which its n coordinates lie, not a batch axis. Negative axes count from the
  // end.
  std::int64_t axis = -1;
  // U^H instead of U.
  bool inverse = false;
  // The call uses at most this many threads; 0 stands for default_num_threads() of the calling
  // thread. Results are bitwise the same for any number. A call stays on the caller's thread if it
  // is too small to gain, or while the library's threads, which all callers share, work for
  // another.
  int num_threads = 0;
};

// Keeps a parameter out of template argument deduction, so that views of mutable data convert.
template <class T>
struct NotDeduced {
  using type = T;
};
template <class T>
using not_deduced_t = typename NotDeduced<T>::type;

// y = U x along `axis`, without forming U; with inverse, y = U^H x.
// x: (*B, ..., n) with n at `axis`. y: the shape of x with B in full.
// Cost: at most 4 K multiply-adds a vector (real T), and memory for a few numbers a rotation.
//
//   givens::rotate<float>({x.data(), {3, n}}, {{angles.data(), {K}}, {}, {}, {}}, schedule,
//                         {y.data(), {3, n}});
template <class T>
GIVENS_API void rotate(const not_deduced_t<ArrayView<const T>>& x,
                       const Parameters<real_t<T>>& parameters, const Schedule& schedule,
                       const not_deduced_t<ArrayView<T>>& y, const RotateOptions& options = {});

// Writes the first columns of each matrix to U, (*B, n, columns).
// Cost: at most 4 K multiply-adds a column (real T); with xor two thirds of a product of two n x n
// matrices.
//
//   givens::matrix<float>({{angles.data(), {K}}, {}, {}, {}}, schedule, {U.data(), {n, n}});
template <class T>
GIVENS_API void matrix(const Parameters<real_t<T>>& parameters, const Schedule& schedule,
                       const not_deduced_t<ArrayView<T>>& U, int num_threads = 0);

// The gradient of a real loss L through `rotate`, from its output y and gy = dL/dy (for complex T,
// dL = Re sum conj(gy) dy): gx = dL/dx, which has the shape of y, and the gradients of the
// parameters (arXiv 2106.00003, section 4). The options must be the same as in the call of
// rotate; nothing else need be kept from it. Cost: three times the cost of rotate.
//
//   givens::rotate_vjp<float>({y.data(), {3, n}}, {gy.data(), {3, n}}, parameters, schedule,
//                             {gx.data(), {3, n}}, {{gangles.data(), {K}}, {}, {}});
template <class T>
GIVENS_API void rotate_vjp(const not_deduced_t<ArrayView<const T>>& y,
                           const not_deduced_t<ArrayView<const T>>& gy,
                           const Parameters<real_t<T>>& parameters, const Schedule& schedule,
                           const not_deduced_t<ArrayView<T>>& gx,
                           const ParameterGradients<real_t<T>>& gradients,
                           const RotateOptions& options = {});

// The gradient through `matrix`, from its output U and gU = dL/dU, both (*B, n, columns). U must be
// the matrix of these parameters: entries that the schedule makes zero are skipped, in U and in the
// products of its first rotations.
// Cost: three to four times the cost of `matrix`.
template <class T>
GIVENS_API void matrix_vjp(const not_deduced_t<ArrayView<const T>>& U,
                           const not_deduced_t<ArrayView<const T>>& gU,
                           const Parameters<real_t<T>>& parameters, const Schedule& schedule,
                           const ParameterGradients<real_t<T>>& gradients, int num_threads = 0);

// The shape of the U of `matrix`: (*B, n, columns).
template <class R>
GIVENS_API std::vector<std::int64_t> matrix_shape(const Parameters<R>& parameters,
                                                  const Schedule& schedule);

// The shape of the y of `rotate`: the shape of x with B in full.
template <class T>
GIVENS_API std::vector<std::int64_t> rotated_shape(const not_deduced_t<ArrayView<const T>>& x,
                                                   const Parameters<real_t<T>>& parameters,
                                                   const Schedule& schedule,
                                                   std::int64_t axis = -1);

// The engines of this build that can compute on this machine, the fastest first.
GIVENS_API std::vector<std::string> backends();

// The engine in use: the fastest, or the one that the environment variable GIVENS_ISA names. Throws
// std::invalid_argument if that variable names none of backends().
GIVENS_API std::string backend();

// The most threads that a call from the current thread uses if it names no number: the number that
// set_default_num_threads set in this thread, else the environment variable GIVENS_NUM_THREADS if
// that is a positive number, else the number of processors that this process may use. The latter
// two are looked up once, when first needed.
GIVENS_API int default_num_threads();

// Sets this default for the current thread only (as in OpenMP, so that threads which limit
// themselves for a while do not disturb each other); 0 unsets it. Throws std::invalid_argument if
// num_threads is negative.
//
//   givens::set_default_num_threads(1);
//   givens::matrix<double>(parameters, schedule, U);     // on one thread
//   givens::matrix<double>(parameters, schedule, U, 4);  // on four
GIVENS_API void set_default_num_threads(int num_threads);

}  // namespace givens
