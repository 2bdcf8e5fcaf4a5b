#include "arguments/validate.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iomanip>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "arguments/byte_range.hpp"
#include "arguments/element_types.hpp"

namespace givens::validate {

namespace {

using Extents = std::vector<std::int64_t>;

// The name of an argument in messages, in two parts: a gradient's or a tangent's begins with "g",
// "d" or "dg". They are joined only where a message needs them.
struct Name {
  Name(const char* whole) : base(whole) {}
  Name(const char* start, const char* rest) : prefix(start), base(rest) {}

  const char* prefix = "";
  const char* base;
};

[[noreturn]] void refuse(const std::string& message) { throw std::invalid_argument(message); }

std::string text(const Name& name) { return std::string(name.prefix) + name.base; }

std::string text(std::int64_t value) { return std::to_string(value); }

std::string text(const std::int64_t* shape, int ndim) {
  std::string out = "(";
  for (int d = 0; d < ndim; ++d) out += (d ? ", " : "") + text(shape[d]);
  return out + (ndim == 1 ? ",)" : ")");
}

template <class View>
std::string shape_text(const View& view) {
  return text(view.shape(), view.ndim());
}

std::string shape_text(const Extents& shape) {
  return text(shape.data(), static_cast<int>(shape.size()));
}

// --- Arrays that may be absent ---

// Null stands for an array that is absent.
template <class View>
const View* pointer(const View& view) {
  return &view;
}
template <class View>
const View* pointer(const std::optional<View>& view) {
  return view ? &*view : nullptr;
}

// The parameters, in the order of MatrixParameters::Operand.
constexpr std::array<const char*, 4> kNames{"angles", "phases", "diagonal", "signs"};

template <class R>
std::array<const ArrayView<const R>*, 4> views_of(const Parameters<R>& parameters) {
  return {&parameters.angles, pointer(parameters.phases), pointer(parameters.diagonal),
          pointer(parameters.signs)};
}

// The parameters that have derivatives, or their gradients or tangents.
template <class Arrays>
auto derivatives_of(const Arrays& arrays) {
  return std::array{pointer(arrays.angles), pointer(arrays.phases), pointer(arrays.diagonal)};
}

// The vector along an axis, from the first element.
template <class View>
auto along(const View* view, int axis) -> Strided<std::remove_pointer_t<decltype(view->data())>> {
  if (!view) return {};
  return {view->data(), view->stride(axis)};
}

template <class View>
auto along_last(const View* view) {
  return along(view, view ? view->ndim() - 1 : 0);
}

// The extents and strides of an array, whatever its elements; no axes at all if it is absent.
struct Axes {
  Axes() = default;
  template <class T>
  Axes(const ArrayView<T>* view) {
    if (view) *this = Axes(view->ndim(), view->shape(), view->strides());
  }

  // The stride along an axis: 0 where the array is absent or repeated, or has no such axis.
  std::int64_t stride(int axis) const {
    return axis < 0 || axis >= ndim || shape[axis] == 1 ? 0 : strides[axis];
  }

  int ndim = 0;
  const std::int64_t* shape = nullptr;
  const std::int64_t* strides = nullptr;

 private:
  Axes(int number, const std::int64_t* extents, const std::int64_t* steps)
      : ndim(number), shape(extents), strides(steps) {}
};

template <class View, std::size_t N>
std::array<Axes, N> axes_of(const std::array<const View*, N>& views) {
  std::array<Axes, N> out;
  std::copy(views.begin(), views.end(), out.begin());
  return out;
}

template <std::size_t M, std::size_t N>
std::array<Axes, M + N> joined(const std::array<Axes, M>& a, const std::array<Axes, N>& b) {
  std::array<Axes, M + N> out;
  std::copy(b.begin(), b.end(), std::copy(a.begin(), a.end(), out.begin()));
  return out;
}

// --- Checks ---

int threads(int num_threads) {
  if (num_threads < 0) {
    refuse("num_threads must be at least 1, or 0 for the default, got " + text(num_threads));
  }
  return num_threads;
}

template <class View>
bool has_shape(const View& view, const std::int64_t* shape, int ndim) {
  return view.ndim() == ndim && std::equal(shape, shape + ndim, view.shape());
}

template <class View>
void require_shape(const View& view, const Name& name, const Extents& shape) {
  if (!has_shape(view, shape.data(), static_cast<int>(shape.size()))) {
    refuse(text(name) + " must have shape " + shape_text(shape) + ", got shape " +
           shape_text(view));
  }
}

// Refuses an output in which two indices may be the same element: sorted by stride, each axis must
// step over all that the smaller ones span.
template <class T>
void require_distinct_elements(const ArrayView<T>& view, const Name& name) {
  std::array<std::pair<std::int64_t, std::int64_t>, kMaxDimensions> axes;  // |stride|, extent
  std::size_t count = 0;
  for (int d = 0; d < view.ndim(); ++d) {
    if (view.shape(d) == 0) return;
    if (view.shape(d) > 1) axes[count++] = {std::abs(view.stride(d)), view.shape(d)};
  }
  std::sort(axes.begin(), axes.begin() + count);
  std::int64_t spanned = 1;
  for (std::size_t k = 0; k < count; ++k) {
    if (axes[k].first < spanned) refuse(text(name) + " must not overlap itself");
    spanned += axes[k].first * (axes[k].second - 1);
  }
}

template <class View>
void check_output(const View& view, const Name& name, const Extents& shape) {
  require_shape(view, name, shape);
  require_distinct_elements(view, name);
}

template <class T>
void check_complex(const Parameters<real_t<T>>& parameters) {
  if constexpr (!is_complex_v<T>) {
    if (parameters.phases) refuse("phases must come with complex vectors, got real ones");
    if (parameters.diagonal) refuse("diagonal must come with complex vectors, got real ones");
  }
}

template <class A, class B>
void require_shape_of_parameter(const A& view, const Name& name, const B& parameter,
                                const char* parameter_name) {
  if (!has_shape(view, parameter.shape(), parameter.ndim())) {
    refuse(text(name) + " must have the shape of " + parameter_name + " " + shape_text(parameter) +
           ", got shape " + shape_text(view));
  }
}

// The arrays of a call, told in the order inputs, outputs. An output must have its shape, and may
// overlap neither itself nor anything told before.
class Arrays {
 public:
  template <class View>
  void reads(const View* view, const Name& name) {
    if (view) told_[count_++] = {name, bytes_of(*view)};
  }
  template <class R>
  void reads(const Parameters<R>& parameters) {
    for (std::size_t p = 0; p < kNames.size(); ++p) reads(views_of(parameters)[p], kNames[p]);
  }
  template <class R>
  void reads(const ParameterTangents<R>& tangents) {
    for (std::size_t p = 0; p < 3; ++p) reads(derivatives_of(tangents)[p], {"d", kNames[p]});
  }

  template <class View>
  void writes(const View* view, const Name& name, const Extents& shape) {
    if (!view) return;
    check_output(*view, name, shape);
    writes_memory(view, name);
  }

  // Gradients of parameters: present exactly if the parameter is, and of its shape.
  template <class R>
  void writes(const ParameterGradients<R>& gradients, const char* prefix,
              const Parameters<R>& parameters) {
    for (std::size_t p = 0; p < 3; ++p) {
      const auto* const gradient = derivatives_of(gradients)[p];
      const auto* const parameter = views_of(parameters)[p];
      const Name name(prefix, kNames[p]);
      if ((gradient == nullptr) != (parameter == nullptr)) {
        refuse(text(name) + " must be given exactly if " + kNames[p] + " is");
      }
      if (!gradient) continue;
      require_shape_of_parameter(*gradient, name, *parameter, kNames[p]);
      require_distinct_elements(*gradient, name);
      writes_memory(gradient, name);
    }
  }

 private:
  template <class View>
  void writes_memory(const View* view, const Name& name) {
    const ByteRange bytes = bytes_of(*view);
    for (std::size_t k = 0; k < count_; ++k) {
      if (overlap(told_[k].bytes, bytes)) {
        refuse(text(name) + " must not overlap " + text(told_[k].name) + " in memory");
      }
    }
    told_[count_++] = {name, bytes};
  }

  struct Told {
    Name name = "";
    ByteRange bytes;
  };
  std::array<Told, 19> told_{};  // no call has more arrays
  std::size_t count_ = 0;
};

// The extent of two axes that broadcast against each other, or -1.
std::int64_t broadcast(std::int64_t a, std::int64_t b) {
  if (a == b || b == 1) return a;
  return a == 1 ? b : -1;
}

// The batch axes: their extents and the strides of the parameters along them.
template <class R>
class Batch {
 public:
  Batch(const Parameters<R>& parameters, const Schedule& schedule) : views_(views_of(parameters)) {
    if (parameters.signs && parameters.diagonal) {
      refuse("signs and diagonal exclude each other, got both");
    }
    for (std::size_t p = 0; p < kNames.size(); ++p) {
      if (!views_[p]) continue;
      if (p < kPerCoordinate) {
        check_last_axis(p, schedule.num_rotations(), "schedule.num_rotations");
      } else {
        check_last_axis(p, schedule.n(), "schedule.n");
      }
      shape_.resize(std::max(shape_.size(), static_cast<std::size_t>(views_[p]->ndim() - 1)), 1);
    }
    for (std::size_t p = 0; p < kNames.size(); ++p) {
      if (views_[p]) broadcast_with(p);
    }
  }

  int ndim() const { return static_cast<int>(shape_.size()); }
  const Extents& shape() const { return shape_; }

  // The shape of `matrix`.
  Extents frame_shape(const Schedule& schedule) const {
    Extents out = shape_;
    out.push_back(schedule.n());
    out.push_back(schedule.columns());
    return out;
  }

  MatrixParameters<R> data() const {
    return {data(views_[0]), data(views_[1]), data(views_[2]), data(views_[3])};
  }

  std::array<Axes, 4> axes() const { return axes_of(views_); }
  std::array<Axes, 7> axes_with(const ParameterTangents<R>& tangents) const {
    return joined(axes(), axes_of(derivatives_of(tangents)));
  }

 private:
  static constexpr std::size_t kPerCoordinate = MatrixParameters<R>::kDiagonal;

  static Strided<const R> data(const ArrayView<const R>* view) {
    static const R nothing{};  // the data of an empty array may be null, which means absent here
    Strided<const R> out = along_last(view);
    if (view && !out.data) out.data = &nothing;
    return out;
  }

  void check_last_axis(std::size_t p, std::int64_t extent, const char* meaning) const {
    const auto& view = *views_[p];
    if (view.ndim() < 1 || view.shape(view.ndim() - 1) != extent) {
      refuse(std::string(kNames[p]) + " must have " + text(extent) + " entries (" + meaning +
             ") along the last axis, got shape " + shape_text(view));
    }
  }

  void broadcast_with(std::size_t p) {
    const auto& view = *views_[p];
    const std::string name = kNames[p];
    for (int d = ndim() - (view.ndim() - 1); d < ndim(); ++d) {
      auto& extent = shape_[static_cast<std::size_t>(d)];
      extent = broadcast(extent, view.shape(d - (ndim() - (view.ndim() - 1))));
      if (extent < 0) {
        refuse("the leading axes of " + name +
               " must broadcast with the leading axes of the other parameters, got " + name +
               " of shape " + shape_text(view) + " and angles of shape " + shape_text(*views_[0]));
      }
    }
  }

  std::array<const ArrayView<const R>*, 4> views_;
  Extents shape_;
};

// Checks an array of vectors against the schedule and the batch and returns the axis of the
// coordinates, counted from the front.
template <class View, class R>
int coordinate_axis(const View& x, const Name& name, const Batch<R>& batch,
                    const Schedule& schedule, std::int64_t axis) {
  if (x.ndim() < batch.ndim() + 1) {
    refuse(text(name) + " must have at least " + text(batch.ndim() + 1) +
           " axes, the batch axes of the parameters and one of n = " + text(schedule.n()) +
           " coordinates, got shape " + shape_text(x));
  }
  if (axis < -x.ndim() || axis >= x.ndim()) {
    refuse("axis must be between " + text(-x.ndim()) + " and " + text(x.ndim() - 1) + " for " +
           text(name) + " of shape " + shape_text(x) + ", got " + text(axis));
  }
  const int positive = static_cast<int>(axis < 0 ? axis + x.ndim() : axis);
  if (positive < batch.ndim()) {
    refuse("axis must not be one of the " + text(batch.ndim()) + " batch axes of " + text(name) +
           ", got " + text(axis));
  }
  if (x.shape(positive) != schedule.n()) {
    refuse(text(name) + " must have " + text(schedule.n()) + " entries (schedule.n) along axis " +
           text(axis) + ", got shape " + shape_text(x));
  }
  return positive;
}

// The shape of x with its batch axes broadcast.
template <class View, class R>
Extents full_shape(const View& x, const Name& name, const Batch<R>& batch) {
  Extents shape(x.shape(), x.shape() + x.ndim());
  for (int d = 0; d < batch.ndim(); ++d) {
    auto& extent = shape[static_cast<std::size_t>(d)];
    extent = broadcast(batch.shape()[static_cast<std::size_t>(d)], extent);
    if (extent < 0) {
      refuse("the leading axes of " + text(name) + " must match the batch shape " +
             shape_text(batch.shape()) + " of the parameters, got shape " + shape_text(x));
    }
  }
  return shape;
}

template <class R>
void check_tangents(const ParameterTangents<R>& tangents, const Parameters<R>& parameters) {
  for (std::size_t p = 0; p < 3; ++p) {
    const auto* const tangent = derivatives_of(tangents)[p];
    const auto* const parameter = views_of(parameters)[p];
    const Name name("d", kNames[p]);
    if (!tangent) continue;
    if (!parameter) refuse(text(name) + " must not be given without " + kNames[p]);
    require_shape_of_parameter(*tangent, name, *parameter, kNames[p]);
  }
}

template <class R>
MatrixTangents<R> data_of(const ParameterTangents<R>& tangents) {
  const auto views = derivatives_of(tangents);
  return {along_last(views[0]), along_last(views[1]), along_last(views[2])};
}

// Adds the batch axes of `shape` to a problem's loop over matrices. Its operands are the parameters
// (and tangents), the arrays of vectors, then the gradients. Parameters and gradients have their
// leading axes aligned at the end of the batch axes.
template <class R, std::size_t P, std::size_t V, std::size_t G = 0>
void add_matrices(StridedLoop<P + V + G>& matrices, const Extents& shape, const Batch<R>& batch,
                  const std::array<Axes, P>& parameters, const Axes (&vectors)[V],
                  const std::array<Axes, G>& gradients = {}) {
  for (int d = 0; d < batch.ndim(); ++d) {
    std::array<std::int64_t, P + V + G> strides;
    auto out = strides.begin();
    const auto aligned = [&](const Axes& axes) {
      return axes.stride(d + axes.ndim - 1 - batch.ndim());
    };
    out = std::transform(parameters.begin(), parameters.end(), out, aligned);
    for (const Axes& axes : vectors) *out++ = axes.stride(d);
    std::transform(gradients.begin(), gradients.end(), out, aligned);
    matrices.add(shape[static_cast<std::size_t>(d)], strides);
  }
}

// Adds the axes of arrays of vectors that are neither batch axes nor `axis`, the coordinates', to
// the loop over vectors.
template <class R, std::size_t V>
void add_vectors(StridedLoop<V>& loop, const Extents& shape, const Batch<R>& batch, int axis,
                 const Axes (&vectors)[V]) {
  for (int d = batch.ndim(); d < static_cast<int>(shape.size()); ++d) {
    if (d == axis) continue;
    std::array<std::int64_t, V> strides;
    for (std::size_t v = 0; v < V; ++v) strides[v] = vectors[v].stride(d);
    loop.add(shape[static_cast<std::size_t>(d)], strides);
  }
}

// What rotate_vjp and matrix_vjp share. `gx` is null if that gradient is not wanted.
template <class T>
VjpProblem<T> vjp(const ArrayView<const T>& y, const ArrayView<const T>& gy, const Name (&names)[2],
                  const Parameters<real_t<T>>& parameters, const Batch<real_t<T>>& batch,
                  const Schedule& schedule, const ArrayView<T>* gx,
                  const ParameterGradients<real_t<T>>& gradients, int num_threads, int axis,
                  bool inverse) {
  check_complex<T>(parameters);
  const Extents shape = full_shape(y, names[0], batch);
  require_shape(y, names[0], shape);
  require_shape(gy, names[1], shape);
  Arrays arrays;
  arrays.reads(&y, names[0]);
  arrays.reads(&gy, names[1]);
  arrays.reads(parameters);
  arrays.writes(gx, "gx", shape);
  arrays.writes(gradients, "g", parameters);

  const auto of_gradients = derivatives_of(gradients);
  VjpProblem<T> problem{schedule,
                        threads(num_threads),
                        inverse,
                        batch.data(),
                        along(&y, axis),
                        along(&gy, axis),
                        along(gx, axis),
                        along_last(of_gradients[0]),
                        along_last(of_gradients[1]),
                        along_last(of_gradients[2])};
  const Axes vectors[] = {&y, &gy, gx};
  add_matrices(problem.matrices, shape, batch, batch.axes(), vectors, axes_of(of_gradients));
  add_vectors(problem.vectors, shape, batch, axis, vectors);
  return problem;
}

// What rotate_jvp and matrix_jvp share. `x` is null for the columns of the identity.
template <class T>
RotateJvpProblem<T> jvp(const ArrayView<const T>* x, const ArrayView<const T>* dx,
                        const Parameters<real_t<T>>& parameters,
                        const ParameterTangents<real_t<T>>& tangents, const Batch<real_t<T>>& batch,
                        const Schedule& schedule, const ArrayView<T>& y, const ArrayView<T>& dy,
                        const Name (&names)[2], const Extents& shape, int axis, int num_threads,
                        bool inverse) {
  check_complex<T>(parameters);
  check_tangents(tangents, parameters);
  Arrays arrays;
  arrays.reads(x, "x");
  arrays.reads(dx, "dx");
  arrays.reads(parameters);
  arrays.reads(tangents);
  arrays.writes(&y, names[0], shape);
  arrays.writes(&dy, names[1], shape);

  RotateJvpProblem<T> problem{schedule,        threads(num_threads), inverse,
                              batch.data(),    data_of(tangents),    along(x, axis),
                              along(dx, axis), along(&y, axis),      along(&dy, axis)};
  const Axes vectors[] = {x, dx, &y, &dy};
  add_matrices(problem.matrices, shape, batch, batch.axes_with(tangents), vectors);
  add_vectors(problem.vectors, shape, batch, axis, vectors);
  return problem;
}

}  // namespace

template <class R>
void signs(const Parameters<R>& parameters) {
  if (!parameters.signs) return;
  const ArrayView<const R>& view = *parameters.signs;
  StridedLoop<1> loop;
  for (int d = 0; d < view.ndim(); ++d) loop.add(view.shape(d), {view.stride(d)});
  loop.for_each([&](const auto& offset) {
    const R sign = view.data()[offset[0]];
    if (!(sign == R(1) || sign == R(-1))) {
      std::ostringstream shown;
      shown << std::setprecision(std::numeric_limits<R>::max_digits10) << sign;
      refuse("signs must be +1 or -1 each, got " + shown.str());
    }
  });
}

template <class R>
Extents matrix_shape(const Parameters<R>& parameters, const Schedule& schedule) {
  return Batch<R>(parameters, schedule).frame_shape(schedule);
}

template <class T>
Extents rotated_shape(const ArrayView<const T>& x, const Parameters<real_t<T>>& parameters,
                      const Schedule& schedule, std::int64_t axis) {
  const Batch<real_t<T>> batch(parameters, schedule);
  coordinate_axis(x, "x", batch, schedule, axis);
  return full_shape(x, "x", batch);
}

template <class T>
RotateProblem<T> rotate(const ArrayView<const T>& x, const Parameters<real_t<T>>& parameters,
                        const Schedule& schedule, const ArrayView<T>& y,
                        const RotateOptions& options) {
  check_complex<T>(parameters);
  const Batch<real_t<T>> batch(parameters, schedule);
  const int axis = coordinate_axis(x, "x", batch, schedule, options.axis);
  const Extents shape = full_shape(x, "x", batch);
  check_output(y, "out", shape);

  RotateProblem<T> problem{schedule,        threads(options.num_threads),
                           options.inverse, batch.data(),
                           along(&x, axis), along(&y, axis)};
  const Axes vectors[] = {&x, &y};
  add_matrices(problem.matrices, shape, batch, batch.axes(), vectors);
  add_vectors(problem.vectors, shape, batch, axis, vectors);
  return problem;
}

template <class T>
bool destroys_input(const ArrayView<const T>& x, const Parameters<real_t<T>>& parameters,
                    const ArrayView<T>& y) {
  const bool same = x.data() == y.data() && has_shape(x, y.shape(), y.ndim()) &&
                    std::equal(x.strides(), x.strides() + x.ndim(), y.strides());
  const auto views = views_of(parameters);
  return (overlap(y, x) && !same) || std::any_of(views.begin(), views.end(), [&](const auto* view) {
           return view && overlap(y, *view);
         });
}

template <class T>
MatrixProblem<T> matrix(const Parameters<real_t<T>>& parameters, const Schedule& schedule,
                        const ArrayView<T>& U, int num_threads) {
  check_complex<T>(parameters);
  const Batch<real_t<T>> batch(parameters, schedule);
  const Extents shape = batch.frame_shape(schedule);
  Arrays arrays;
  arrays.reads(parameters);
  arrays.writes(&U, "U", shape);

  const int row = batch.ndim();
  MatrixProblem<T> problem{schedule, threads(num_threads), batch.data(),
                           U.data(), U.stride(row),        U.stride(row + 1)};
  add_matrices(problem.matrices, shape, batch, batch.axes(), {&U});
  return problem;
}

template <class T>
VjpProblem<T> rotate_vjp(const ArrayView<const T>& y, const ArrayView<const T>& gy,
                         const Parameters<real_t<T>>& parameters, const Schedule& schedule,
                         const ArrayView<T>& gx, const ParameterGradients<real_t<T>>& gradients,
                         const RotateOptions& options) {
  const Batch<real_t<T>> batch(parameters, schedule);
  const int axis = coordinate_axis(y, "y", batch, schedule, options.axis);
  return vjp<T>(y, gy, {"y", "gy"}, parameters, batch, schedule, &gx, gradients,
                options.num_threads, axis, options.inverse);
}

template <class T>
VjpProblem<T> matrix_vjp(const ArrayView<const T>& U, const ArrayView<const T>& gU,
                         const Parameters<real_t<T>>& parameters, const Schedule& schedule,
                         const ParameterGradients<real_t<T>>& gradients, int num_threads) {
  const Batch<real_t<T>> batch(parameters, schedule);
  require_shape(U, "U", batch.frame_shape(schedule));
  return vjp<T>(U, gU, {"U", "gU"}, parameters, batch, schedule, nullptr, gradients, num_threads,
                batch.ndim(), false);
}

template <class T>
Extents decomposed_shape(const ArrayView<const T>& U) {
  const int last = U.ndim() - 1;
  if (U.ndim() < 2 || U.shape(last) != U.shape(last - 1)) {
    refuse("U must have shape (..., n, n), got shape " + shape_text(U));
  }
  Extents shape(U.shape(), U.shape() + last);
  shape.back() = U.shape(last) * (U.shape(last) - 1) / 2;
  return shape;
}

template <class T>
void decompose(const ArrayView<const T>& U, const ParameterOutputs<real_t<T>>& outputs) {
  const Extents per_rotation = decomposed_shape(U);
  Extents per_coordinate = per_rotation;
  per_coordinate.back() = U.shape(U.ndim() - 1);
  constexpr bool kComplex = is_complex_v<T>;
  Arrays arrays;
  arrays.reads(&U, "U");
  const auto check = [&](const auto* view, const char* name, const Extents& shape, bool expected) {
    if ((view != nullptr) != expected) {
      refuse(std::string(name) + " must be given exactly if U is " +
             (expected == kComplex ? "complex" : "real"));
    }
    arrays.writes(view, name, shape);
  };
  check(pointer(outputs.angles), "angles", per_rotation, true);
  check(pointer(outputs.phases), "phases", per_rotation, kComplex);
  check(pointer(outputs.diagonal), "diagonal", per_coordinate, kComplex);
  check(pointer(outputs.signs), "signs", per_coordinate, !kComplex);
}

template <class T>
RotateJvpProblem<T> rotate_jvp(const ArrayView<const T>& x,
                               const std::optional<ArrayView<const T>>& dx,
                               const Parameters<real_t<T>>& parameters,
                               const ParameterTangents<real_t<T>>& tangents,
                               const Schedule& schedule, const ArrayView<T>& y,
                               const ArrayView<T>& dy, const RotateOptions& options) {
  const Batch<real_t<T>> batch(parameters, schedule);
  const int axis = coordinate_axis(x, "x", batch, schedule, options.axis);
  if (dx) require_shape(*dx, "dx", {x.shape(), x.shape() + x.ndim()});
  return jvp<T>(&x, pointer(dx), parameters, tangents, batch, schedule, y, dy, {"y", "dy"},
                full_shape(x, "x", batch), axis, options.num_threads, options.inverse);
}

template <class T>
RotateJvpProblem<T> matrix_jvp(const Parameters<real_t<T>>& parameters,
                               const ParameterTangents<real_t<T>>& tangents,
                               const Schedule& schedule, const ArrayView<T>& U,
                               const ArrayView<T>& dU, int num_threads) {
  const Batch<real_t<T>> batch(parameters, schedule);
  return jvp<T>(nullptr, nullptr, parameters, tangents, batch, schedule, U, dU, {"U", "dU"},
                batch.frame_shape(schedule), batch.ndim(), num_threads, false);
}

template <class T>
VjpJvpProblem<T> rotate_vjp_jvp(
    const ArrayView<const T>& y, const std::optional<ArrayView<const T>>& dy,
    const ArrayView<const T>& gy, const std::optional<ArrayView<const T>>& dgy,
    const Parameters<real_t<T>>& parameters, const ParameterTangents<real_t<T>>& tangents,
    const Schedule& schedule, const ArrayView<T>& gx,
    const ParameterGradients<real_t<T>>& gradients, const ArrayView<T>& dgx,
    const ParameterGradients<real_t<T>>& gradient_tangents, const RotateOptions& options) {
  check_complex<T>(parameters);
  const Batch<real_t<T>> batch(parameters, schedule);
  const int axis = coordinate_axis(y, "y", batch, schedule, options.axis);
  const Extents shape = full_shape(y, "y", batch);
  require_shape(y, "y", shape);
  require_shape(gy, "gy", shape);
  if (dy) require_shape(*dy, "dy", shape);
  if (dgy) require_shape(*dgy, "dgy", shape);
  check_tangents(tangents, parameters);
  Arrays arrays;
  arrays.reads(&y, "y");
  arrays.reads(&gy, "gy");
  arrays.reads(pointer(dy), "dy");
  arrays.reads(pointer(dgy), "dgy");
  arrays.reads(parameters);
  arrays.reads(tangents);
  arrays.writes(&gx, "gx", shape);
  arrays.writes(gradients, "g", parameters);
  arrays.writes(&dgx, "dgx", shape);
  arrays.writes(gradient_tangents, "dg", parameters);

  const auto of_gradients = derivatives_of(gradients);
  const auto of_gradient_tangents = derivatives_of(gradient_tangents);
  VjpJvpProblem<T> problem{schedule,
                           threads(options.num_threads),
                           options.inverse,
                           batch.data(),
                           data_of(tangents),
                           along(&y, axis),
                           along(pointer(dy), axis),
                           along(&gy, axis),
                           along(pointer(dgy), axis),
                           along(&gx, axis),
                           along(&dgx, axis),
                           along_last(of_gradients[0]),
                           along_last(of_gradients[1]),
                           along_last(of_gradients[2]),
                           along_last(of_gradient_tangents[0]),
                           along_last(of_gradient_tangents[1]),
                           along_last(of_gradient_tangents[2])};
  const Axes vectors[] = {&y, pointer(dy), &gy, pointer(dgy), &gx, &dgx};
  add_matrices(problem.matrices, shape, batch, batch.axes_with(tangents), vectors,
               joined(axes_of(of_gradients), axes_of(of_gradient_tangents)));
  add_vectors(problem.vectors, shape, batch, axis, vectors);
  return problem;
}

#define GIVENS_INSTANTIATE_REAL(R) \
  GIVENS_INSTANTIATE(signs, R)     \
  GIVENS_INSTANTIATE(matrix_shape, R)
GIVENS_FOR_REAL_TYPES(GIVENS_INSTANTIATE_REAL)

#define GIVENS_INSTANTIATE_TYPE(T)      \
  GIVENS_INSTANTIATE(rotated_shape, T)  \
  GIVENS_INSTANTIATE(rotate, T)         \
  GIVENS_INSTANTIATE(destroys_input, T) \
  GIVENS_INSTANTIATE(matrix, T)         \
  GIVENS_INSTANTIATE(rotate_vjp, T)     \
  GIVENS_INSTANTIATE(matrix_vjp, T)
GIVENS_FOR_GPU_TYPES(GIVENS_INSTANTIATE_TYPE)

#define GIVENS_INSTANTIATE_CPU_TYPE(T)    \
  GIVENS_INSTANTIATE(rotate_jvp, T)       \
  GIVENS_INSTANTIATE(matrix_jvp, T)       \
  GIVENS_INSTANTIATE(rotate_vjp_jvp, T)   \
  GIVENS_INSTANTIATE(decomposed_shape, T) \
  GIVENS_INSTANTIATE(decompose, T)
GIVENS_FOR_CPU_TYPES(GIVENS_INSTANTIATE_CPU_TYPE)

}  // namespace givens::validate
