#include "arguments/validate.hpp"

#include <algorithm>
#include <complex>
#include <cstdint>
#include <iomanip>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "arguments/byte_range.hpp"
#include "givens/half.hpp"

namespace givens::validate {

namespace {

[[noreturn]] void refuse(const std::string& message) { throw std::invalid_argument(message); }

std::string text(std::int64_t value) { return std::to_string(value); }

std::string text(const std::int64_t* shape, int ndim) {
  std::string out = "(";
  for (int d = 0; d < ndim; ++d) out += (d ? ", " : "") + text(shape[d]);
  return out + (ndim == 1 ? ",)" : ")");
}

template <class A>
std::string shape_text(const A& view) {
  return text(view.shape(), view.ndim());
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  return text(shape.data(), static_cast<int>(shape.size()));
}

// The extent of two axes that broadcast against each other, or -1.
std::int64_t broadcast(std::int64_t a, std::int64_t b) {
  if (a == b || b == 1) return a;
  return a == 1 ? b : -1;
}

template <class T>
bool has_shape(const ArrayView<T>& view, const std::int64_t* shape, int ndim) {
  return view.ndim() == ndim && std::equal(shape, shape + ndim, view.shape());
}

int threads(int num_threads) {
  if (num_threads < 0) {
    refuse("num_threads must be at least 1, or 0 for as many as there are, got " +
           text(num_threads));
  }
  return num_threads;
}

// Refuses an output in which two indices may be the same element: sorted by stride, each axis must
// step over all that the smaller ones span.
template <class T>
void require_distinct_elements(const ArrayView<T>& view, const char* name) {
  std::array<std::pair<std::int64_t, std::int64_t>, kMaxDimensions> axes;  // |stride|, extent
  std::size_t count = 0;
  for (int d = 0; d < view.ndim(); ++d) {
    if (view.shape(d) == 0) return;
    if (view.shape(d) > 1) axes[count++] = {std::abs(view.stride(d)), view.shape(d)};
  }
  std::sort(axes.begin(), axes.begin() + count);
  std::int64_t spanned = 1;
  for (std::size_t k = 0; k < count; ++k) {
    if (axes[k].first < spanned) refuse(std::string(name) + " must not overlap itself");
    spanned += axes[k].first * (axes[k].second - 1);
  }
}

// The memory that a call reads and writes, to be told in that order: refuses an output that
// overlaps anything told before.
class Memory {
 public:
  template <class View>
  void reads(const View& view, const char* name) {
    parts_[count_++] = {name, bytes_of(view)};
  }

  template <class View>
  void writes(const View& view, const char* name) {
    for (std::size_t k = 0; k < count_; ++k) {
      if (overlap(parts_[k].bytes, bytes_of(view))) {
        refuse(std::string(name) + " must not overlap " + parts_[k].name + " in memory");
      }
    }
    reads(view, name);
  }

  template <class R>
  void reads(const Parameters<R>& parameters) {
    reads(parameters.angles, "angles");
    if (parameters.phases) reads(*parameters.phases, "phases");
    if (parameters.diagonal) reads(*parameters.diagonal, "diagonal");
    if (parameters.signs) reads(*parameters.signs, "signs");
  }

 private:
  struct Part {
    const char* name;
    ByteRange bytes;
  };
  std::array<Part, 19> parts_{};  // as many as a call has arrays at most
  std::size_t count_ = 0;
};

// The extents of the batch axes and the parameters' strides along them.
template <class R>
class ParameterBatch {
 public:
  ParameterBatch(const Parameters<R>& parameters, const Schedule& schedule)
      : parameters_(parameters) {
    check_last_axis(parameters.angles, "angles", schedule.num_rotations(),
                    "schedule.num_rotations");
    if (parameters.phases) {
      check_last_axis(*parameters.phases, "phases", schedule.num_rotations(),
                      "schedule.num_rotations");
    }
    if (parameters.diagonal) {
      check_last_axis(*parameters.diagonal, "diagonal", schedule.n(), "schedule.n");
    }
    if (parameters.signs) {
      if (parameters.diagonal) refuse("signs and diagonal exclude each other, got both");
      check_last_axis(*parameters.signs, "signs", schedule.n(), "schedule.n");
    }
    for (const auto* view : views()) {
      if (view)
        shape_.resize(std::max(shape_.size(), static_cast<std::size_t>(view->ndim() - 1)), 1);
    }
    for (std::size_t p = 0; p < 4; ++p) {
      if (views()[p]) broadcast_with(*views()[p], kNames[p]);
    }
  }

  int ndim() const { return static_cast<int>(shape_.size()); }
  const std::vector<std::int64_t>& shape() const { return shape_; }

  MatrixParameters<R> data() const {
    const auto v = views();
    return {last_axis(v[0]), last_axis(v[1]), last_axis(v[2]), last_axis(v[3])};
  }

  // The strides of angles, phases, diagonal and signs along batch axis d.
  std::array<std::int64_t, 4> strides(int d) const {
    std::array<std::int64_t, 4> out{};
    for (std::size_t p = 0; p < 4; ++p) {
      if (views()[p]) out[p] = stride(*views()[p], d);
    }
    return out;
  }

  // The stride of a view of a parameter's shape along batch axis d: 0 where it is repeated.
  template <class View>
  std::int64_t stride(const View& view, int d) const {
    const int axis = d - (ndim() - (view.ndim() - 1));
    return axis < 0 || view.shape(axis) == 1 ? 0 : view.stride(axis);
  }

 private:
  static constexpr std::array<const char*, 4> kNames{"angles", "phases", "diagonal", "signs"};

  std::array<const ArrayView<const R>*, 4> views() const {
    const auto pointer = [](const auto& optional) { return optional ? &*optional : nullptr; };
    return {&parameters_.angles, pointer(parameters_.phases), pointer(parameters_.diagonal),
            pointer(parameters_.signs)};
  }

  static Strided<const R> last_axis(const ArrayView<const R>* view) {
    static const R nothing{};  // an empty array's data may be null, which stands for absent here
    if (!view) return {};
    return {view->data() ? view->data() : &nothing, view->stride(view->ndim() - 1)};
  }

  static void check_last_axis(const ArrayView<const R>& view, const char* name, std::int64_t extent,
                              const char* angle) {
    if (view.ndim() < 1 || view.shape(view.ndim() - 1) != extent) {
      refuse(std::string(name) + " must have " + text(extent) + " entries (" + angle +
             ") along the last axis, got shape " + shape_text(view));
    }
  }

  void broadcast_with(const ArrayView<const R>& view, const char* name) {
    for (int d = ndim() - (view.ndim() - 1); d < ndim(); ++d) {
      auto& extent = shape_[static_cast<std::size_t>(d)];
      const std::int64_t own = view.shape(d - (ndim() - (view.ndim() - 1)));
      const std::int64_t both = broadcast(extent, own);
      if (both < 0) {
        refuse(std::string("the leading axes of ") + name +
               " must broadcast with those of the other " + "parameters, got " + name +
               " of shape " + shape_text(view) + " and angles of shape " +
               shape_text(parameters_.angles));
      }
      extent = both;
    }
  }

  const Parameters<R>& parameters_;
  std::vector<std::int64_t> shape_;
};

template <class T>
void check_complex(const Parameters<real_t<T>>& parameters) {
  if constexpr (!is_complex_v<T>) {
    if (parameters.phases) refuse("phases must come with complex vectors, got real ones");
    if (parameters.diagonal) refuse("diagonal must come with complex vectors, got real ones");
  }
}

// Checks an array of vectors against the schedule and the batch and returns the axis of the
// coordinates, counted from the front.
template <class View, class R>
int coordinate_axis(const View& x, const char* name, const ParameterBatch<R>& batch,
                    const Schedule& schedule, std::int64_t axis) {
  if (x.ndim() < batch.ndim() + 1) {
    refuse(std::string(name) + " must have at least " + text(batch.ndim() + 1) +
           " axes, the batch axes of the parameters and one of n = " + text(schedule.n()) +
           " coordinates, got shape " + shape_text(x));
  }
  if (axis < -x.ndim() || axis >= x.ndim()) {
    refuse("axis must be between " + text(-x.ndim()) + " and " + text(x.ndim() - 1) + " for " +
           name + " of shape " + shape_text(x) + ", got " + text(axis));
  }
  const int positive = static_cast<int>(axis < 0 ? axis + x.ndim() : axis);
  if (positive < batch.ndim()) {
    refuse("axis must not be one of the " + text(batch.ndim()) + " batch axes of " + name +
           ", got " + text(axis));
  }
  if (x.shape(positive) != schedule.n()) {
    refuse(std::string(name) + " must have " + text(schedule.n()) +
           " entries (schedule.n) along axis " + text(axis) + ", got shape " + shape_text(x));
  }
  return positive;
}

// The shape of x with its batch axes broadcast.
template <class View, class R>
std::vector<std::int64_t> full_shape(const View& x, const char* name,
                                     const ParameterBatch<R>& batch) {
  std::vector<std::int64_t> shape(x.shape(), x.shape() + x.ndim());
  for (int d = 0; d < batch.ndim(); ++d) {
    auto& extent = shape[static_cast<std::size_t>(d)];
    const std::int64_t both = broadcast(batch.shape()[static_cast<std::size_t>(d)], extent);
    if (both < 0) {
      refuse(std::string("the leading axes of ") + name + " must match the batch shape " +
             shape_text(batch.shape()) + " of the parameters, got shape " + shape_text(x));
    }
    extent = both;
  }
  return shape;
}

template <class View>
void require_shape(const View& view, const char* name, const std::vector<std::int64_t>& shape) {
  if (!has_shape(view, shape.data(), static_cast<int>(shape.size()))) {
    refuse(std::string(name) + " must have shape " + shape_text(shape) + ", got shape " +
           shape_text(view));
  }
}

template <class R>
void check_gradient(const std::optional<ArrayView<R>>& gradient, const char* name,
                    const std::optional<ArrayView<const R>>& parameter,
                    const char* parameter_name) {
  if (gradient.has_value() != parameter.has_value()) {
    refuse(std::string(name) + " must be given exactly if " + parameter_name + " is");
  }
  if (!gradient) return;
  if (!has_shape(*gradient, parameter->shape(), parameter->ndim())) {
    refuse(std::string(name) + " must have the shape of " + parameter_name + " " +
           shape_text(*parameter) + ", got shape " + shape_text(*gradient));
  }
  require_distinct_elements(*gradient, name);
}

template <class R>
void check_tangent(const std::optional<ArrayView<const R>>& tangent, const char* name,
                   const std::optional<ArrayView<const R>>& parameter, const char* parameter_name) {
  if (!tangent) return;
  if (!parameter) refuse(std::string(name) + " must not be given without " + parameter_name);
  if (!has_shape(*tangent, parameter->shape(), parameter->ndim())) {
    refuse(std::string(name) + " must have the shape of " + parameter_name + " " +
           shape_text(*parameter) + ", got shape " + shape_text(*tangent));
  }
}

template <class R>
void check_tangents(const ParameterTangents<R>& tangents, const Parameters<R>& parameters) {
  check_tangent<R>(tangents.angles, "dangles", parameters.angles, "angles");
  check_tangent<R>(tangents.phases, "dphases", parameters.phases, "phases");
  check_tangent<R>(tangents.diagonal, "ddiagonal", parameters.diagonal, "diagonal");
}

// The tangent of an array of vectors.
template <class T>
void check_tangent_of_vectors(const std::optional<ArrayView<const T>>& tangent, const char* name,
                              const ArrayView<const T>& x) {
  if (tangent) require_shape(*tangent, name, {x.shape(), x.shape() + x.ndim()});
}

template <class View>
auto last_axis(const std::optional<View>& view)
    -> Strided<std::remove_pointer_t<decltype(view->data())>> {
  if (!view) return {};
  return {view->data(), view->stride(view->ndim() - 1)};
}

template <class R>
MatrixTangents<R> data_of(const ParameterTangents<R>& tangents) {
  return {last_axis(tangents.angles), last_axis(tangents.phases), last_axis(tangents.diagonal)};
}

// The strides of the parameters and of their tangents along batch axis d.
template <class R>
std::array<std::int64_t, 7> strides_of(const ParameterBatch<R>& batch,
                                       const ParameterTangents<R>& tangents, int d) {
  const auto p = batch.strides(d);
  const auto of = [&](const auto& view) { return view ? batch.stride(*view, d) : 0; };
  return {p[0], p[1], p[2], p[3], of(tangents.angles), of(tangents.phases), of(tangents.diagonal)};
}

template <class R>
void tell(Memory& memory, const Parameters<R>& parameters, const ParameterTangents<R>& tangents) {
  memory.reads(parameters);
  if (tangents.angles) memory.reads(*tangents.angles, "dangles");
  if (tangents.phases) memory.reads(*tangents.phases, "dphases");
  if (tangents.diagonal) memory.reads(*tangents.diagonal, "ddiagonal");
}

// What rotate_vjp and matrix_vjp share. `gx` is null if that gradient is not wanted.
template <class T>
VjpProblem<T> vjp(const ArrayView<const T>& y, const char* y_name, const ArrayView<const T>& gy,
                  const char* gy_name, const Parameters<real_t<T>>& parameters,
                  const ParameterBatch<real_t<T>>& batch, const Schedule& schedule,
                  const ArrayView<T>* gx, const ParameterGradients<real_t<T>>& gradients,
                  int num_threads, int axis, bool inverse) {
  using R = real_t<T>;
  check_complex<T>(parameters);
  const std::vector<std::int64_t> shape = full_shape(y, y_name, batch);
  require_shape(y, y_name, shape);
  require_shape(gy, gy_name, shape);
  if (gx) {
    require_shape(*gx, "gx", shape);
    require_distinct_elements(*gx, "gx");
  }
  check_gradient<R>(gradients.angles, "gangles", parameters.angles, "angles");
  check_gradient<R>(gradients.phases, "gphases", parameters.phases, "phases");
  check_gradient<R>(gradients.diagonal, "gdiagonal", parameters.diagonal, "diagonal");

  Memory memory;
  memory.reads(y, y_name);
  memory.reads(gy, gy_name);
  memory.reads(parameters);
  if (gx) memory.writes(*gx, "gx");
  memory.writes(gradients.angles, "gangles");
  if (gradients.phases) memory.writes(*gradients.phases, "gphases");
  if (gradients.diagonal) memory.writes(*gradients.diagonal, "gdiagonal");

  const auto gx_stride = [&](int d) { return gx ? gx->stride(d) : 0; };
  VjpProblem<T> problem{schedule,
                        threads(num_threads),
                        inverse,
                        batch.data(),
                        {y.data(), y.stride(axis)},
                        {gy.data(), gy.stride(axis)},
                        {gx ? gx->data() : nullptr, gx_stride(axis)},
                        last_axis(std::optional<ArrayView<R>>(gradients.angles)),
                        last_axis(gradients.phases),
                        last_axis(gradients.diagonal),
                        {},
                        {}};
  for (int d = 0; d < y.ndim(); ++d) {
    const std::int64_t extent = y.shape(d);
    if (d < batch.ndim()) {
      const auto p = batch.strides(d);
      const auto of = [&](const auto& view) { return view ? batch.stride(*view, d) : 0; };
      problem.matrices.add(extent, {p[0], p[1], p[2], p[3], y.stride(d), gy.stride(d), gx_stride(d),
                                    batch.stride(gradients.angles, d), of(gradients.phases),
                                    of(gradients.diagonal)});
    } else if (d != axis) {
      problem.vectors.add(extent, {y.stride(d), gy.stride(d), gx_stride(d)});
    }
  }
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
std::vector<std::int64_t> matrix_shape(const Parameters<R>& parameters, const Schedule& schedule) {
  std::vector<std::int64_t> shape = ParameterBatch<R>(parameters, schedule).shape();
  shape.push_back(schedule.n());
  shape.push_back(schedule.columns());
  return shape;
}

template <class T>
std::vector<std::int64_t> rotated_shape(const ArrayView<const T>& x,
                                        const Parameters<real_t<T>>& parameters,
                                        const Schedule& schedule, std::int64_t axis) {
  const ParameterBatch<real_t<T>> batch(parameters, schedule);
  coordinate_axis(x, "x", batch, schedule, axis);
  return full_shape(x, "x", batch);
}

template <class T>
RotateProblem<T> rotate(const ArrayView<const T>& x, const Parameters<real_t<T>>& parameters,
                        const Schedule& schedule, const ArrayView<T>& y,
                        const RotateOptions& options) {
  check_complex<T>(parameters);
  const ParameterBatch<real_t<T>> batch(parameters, schedule);
  const int axis = coordinate_axis(x, "x", batch, schedule, options.axis);
  require_shape(y, "out", full_shape(x, "x", batch));
  require_distinct_elements(y, "out");

  RotateProblem<T> problem{schedule,
                           threads(options.num_threads),
                           options.inverse,
                           batch.data(),
                           {x.data(), x.stride(axis)},
                           {y.data(), y.stride(axis)},
                           {},
                           {}};
  for (int d = 0; d < x.ndim(); ++d) {
    const std::int64_t x_stride = x.shape(d) == 1 ? 0 : x.stride(d);
    if (d < batch.ndim()) {
      const auto p = batch.strides(d);
      problem.matrices.add(y.shape(d), {p[0], p[1], p[2], p[3], x_stride, y.stride(d)});
    } else if (d != axis) {
      problem.vectors.add(y.shape(d), {x_stride, y.stride(d)});
    }
  }
  return problem;
}

template <class T>
bool destroys_input(const ArrayView<const T>& x, const Parameters<real_t<T>>& parameters,
                    const ArrayView<T>& y) {
  const bool same = x.data() == y.data() && x.ndim() == y.ndim() &&
                    std::equal(x.shape(), x.shape() + x.ndim(), y.shape()) &&
                    std::equal(x.strides(), x.strides() + x.ndim(), y.strides());
  const auto hit = [&](const auto& view) { return view && overlap(y, *view); };
  return (overlap(y, x) && !same) || overlap(y, parameters.angles) || hit(parameters.phases) ||
         hit(parameters.diagonal) || hit(parameters.signs);
}

template <class T>
MatrixProblem<T> matrix(const Parameters<real_t<T>>& parameters, const Schedule& schedule,
                        const ArrayView<T>& U, int num_threads) {
  check_complex<T>(parameters);
  const ParameterBatch<real_t<T>> batch(parameters, schedule);
  std::vector<std::int64_t> shape = batch.shape();
  shape.push_back(schedule.n());
  shape.push_back(schedule.columns());
  require_shape(U, "U", shape);
  require_distinct_elements(U, "U");
  Memory memory;
  memory.reads(parameters);
  memory.writes(U, "U");

  MatrixProblem<T> problem{schedule, threads(num_threads),   batch.data(),
                           U.data(), U.stride(U.ndim() - 2), U.stride(U.ndim() - 1),
                           {}};
  for (int d = 0; d < batch.ndim(); ++d) {
    const auto p = batch.strides(d);
    problem.matrices.add(U.shape(d), {p[0], p[1], p[2], p[3], U.stride(d)});
  }
  return problem;
}

template <class T>
VjpProblem<T> rotate_vjp(const ArrayView<const T>& y, const ArrayView<const T>& gy,
                         const Parameters<real_t<T>>& parameters, const Schedule& schedule,
                         const ArrayView<T>& gx, const ParameterGradients<real_t<T>>& gradients,
                         const RotateOptions& options) {
  const ParameterBatch<real_t<T>> batch(parameters, schedule);
  const int axis = coordinate_axis(y, "y", batch, schedule, options.axis);
  return vjp<T>(y, "y", gy, "gy", parameters, batch, schedule, &gx, gradients, options.num_threads,
                axis, options.inverse);
}

template <class T>
VjpProblem<T> matrix_vjp(const ArrayView<const T>& U, const ArrayView<const T>& gU,
                         const Parameters<real_t<T>>& parameters, const Schedule& schedule,
                         const ParameterGradients<real_t<T>>& gradients, int num_threads) {
  const ParameterBatch<real_t<T>> batch(parameters, schedule);
  std::vector<std::int64_t> shape = batch.shape();
  shape.push_back(schedule.n());
  shape.push_back(schedule.columns());
  require_shape(U, "U", shape);
  return vjp<T>(U, "U", gU, "gU", parameters, batch, schedule, nullptr, gradients, num_threads,
                batch.ndim(), false);
}

template <class T>
std::vector<std::int64_t> decomposed_shape(const ArrayView<const T>& U) {
  const int last = U.ndim() - 1;
  if (U.ndim() < 2 || U.shape(last) != U.shape(last - 1)) {
    refuse("U must have shape (..., n, n), got shape " + shape_text(U));
  }
  std::vector<std::int64_t> shape(U.shape(), U.shape() + last);
  shape.back() = U.shape(last) * (U.shape(last) - 1) / 2;
  return shape;
}

template <class T>
void decompose(const ArrayView<const T>& U, const ParameterOutputs<real_t<T>>& outputs) {
  const std::vector<std::int64_t> of_angles = decomposed_shape(U);
  std::vector<std::int64_t> of_rows = of_angles;
  of_rows.back() = U.shape(U.ndim() - 1);
  Memory memory;
  memory.reads(U, "U");
  const auto check = [&](const auto& view, const char* name, const auto& shape) {
    require_shape(view, name, shape);
    require_distinct_elements(view, name);
    memory.writes(view, name);
  };
  const auto check_optional = [&](const auto& view, const char* name, const auto& shape,
                                  bool expected) {
    if (view.has_value() != expected) {
      refuse(std::string(name) + " must be given exactly if U is " +
             (expected == is_complex_v<T> ? "complex" : "real"));
    }
    if (view) check(*view, name, shape);
  };
  check(outputs.angles, "angles", of_angles);
  check_optional(outputs.phases, "phases", of_angles, is_complex_v<T>);
  check_optional(outputs.diagonal, "diagonal", of_rows, is_complex_v<T>);
  check_optional(outputs.signs, "signs", of_rows, !is_complex_v<T>);
}

template <class T>
RotateJvpProblem<T> rotate_jvp(const ArrayView<const T>& x,
                               const std::optional<ArrayView<const T>>& dx,
                               const Parameters<real_t<T>>& parameters,
                               const ParameterTangents<real_t<T>>& tangents,
                               const Schedule& schedule, const ArrayView<T>& y,
                               const ArrayView<T>& dy, const RotateOptions& options) {
  check_complex<T>(parameters);
  const ParameterBatch<real_t<T>> batch(parameters, schedule);
  const int axis = coordinate_axis(x, "x", batch, schedule, options.axis);
  check_tangent_of_vectors<T>(dx, "dx", x);
  check_tangents(tangents, parameters);
  const std::vector<std::int64_t> shape = full_shape(x, "x", batch);
  require_shape(y, "y", shape);
  require_shape(dy, "dy", shape);
  require_distinct_elements(y, "y");
  require_distinct_elements(dy, "dy");
  Memory memory;
  memory.reads(x, "x");
  if (dx) memory.reads(*dx, "dx");
  tell(memory, parameters, tangents);
  memory.writes(y, "y");
  memory.writes(dy, "dy");

  // Of an axis of x that may be repeated.
  const auto stride = [](const auto& view, int d) {
    return view.shape(d) == 1 ? 0 : view.stride(d);
  };
  RotateJvpProblem<T> problem{schedule,
                              threads(options.num_threads),
                              options.inverse,
                              batch.data(),
                              data_of(tangents),
                              {x.data(), x.stride(axis)},
                              {dx ? dx->data() : nullptr, dx ? dx->stride(axis) : 0},
                              {y.data(), y.stride(axis)},
                              {dy.data(), dy.stride(axis)},
                              {},
                              {}};
  for (int d = 0; d < x.ndim(); ++d) {
    const std::int64_t x_stride = stride(x, d);
    const std::int64_t dx_stride = dx ? stride(*dx, d) : 0;
    if (d < batch.ndim()) {
      const auto p = strides_of(batch, tangents, d);
      problem.matrices.add(y.shape(d), {p[0], p[1], p[2], p[3], p[4], p[5], p[6], x_stride,
                                        dx_stride, y.stride(d), dy.stride(d)});
    } else if (d != axis) {
      problem.vectors.add(y.shape(d), {x_stride, dx_stride, y.stride(d), dy.stride(d)});
    }
  }
  return problem;
}

template <class T>
RotateJvpProblem<T> matrix_jvp(const Parameters<real_t<T>>& parameters,
                               const ParameterTangents<real_t<T>>& tangents,
                               const Schedule& schedule, const ArrayView<T>& U,
                               const ArrayView<T>& dU, int num_threads) {
  check_complex<T>(parameters);
  const ParameterBatch<real_t<T>> batch(parameters, schedule);
  check_tangents(tangents, parameters);
  std::vector<std::int64_t> shape = batch.shape();
  shape.push_back(schedule.n());
  shape.push_back(schedule.columns());
  require_shape(U, "U", shape);
  require_shape(dU, "dU", shape);
  require_distinct_elements(U, "U");
  require_distinct_elements(dU, "dU");
  Memory memory;
  tell(memory, parameters, tangents);
  memory.writes(U, "U");
  memory.writes(dU, "dU");

  const int row = U.ndim() - 2;
  const int column = U.ndim() - 1;
  RotateJvpProblem<T> problem{schedule,
                              threads(num_threads),
                              false,
                              batch.data(),
                              data_of(tangents),
                              {},
                              {},
                              {U.data(), U.stride(row)},
                              {dU.data(), dU.stride(row)},
                              {},
                              {}};
  for (int d = 0; d < batch.ndim(); ++d) {
    const auto p = strides_of(batch, tangents, d);
    problem.matrices.add(
        U.shape(d), {p[0], p[1], p[2], p[3], p[4], p[5], p[6], 0, 0, U.stride(d), dU.stride(d)});
  }
  problem.vectors.add(U.shape(column), {0, 0, U.stride(column), dU.stride(column)});
  return problem;
}

template <class T>
VjpJvpProblem<T> rotate_vjp_jvp(
    const ArrayView<const T>& y, const std::optional<ArrayView<const T>>& dy,
    const ArrayView<const T>& gy, const std::optional<ArrayView<const T>>& dgy,
    const Parameters<real_t<T>>& parameters, const ParameterTangents<real_t<T>>& tangents,
    const Schedule& schedule, const ArrayView<T>& gx,
    const ParameterGradients<real_t<T>>& gradients, const ArrayView<T>& dgx,
    const ParameterGradients<real_t<T>>& gradient_tangents, const RotateOptions& options) {
  using R = real_t<T>;
  check_complex<T>(parameters);
  const ParameterBatch<R> batch(parameters, schedule);
  const int axis = coordinate_axis(y, "y", batch, schedule, options.axis);
  const std::vector<std::int64_t> shape = full_shape(y, "y", batch);
  require_shape(y, "y", shape);
  require_shape(gy, "gy", shape);
  check_tangent_of_vectors<T>(dy, "dy", y);
  check_tangent_of_vectors<T>(dgy, "dgy", y);
  check_tangents(tangents, parameters);
  require_shape(gx, "gx", shape);
  require_shape(dgx, "dgx", shape);
  require_distinct_elements(gx, "gx");
  require_distinct_elements(dgx, "dgx");
  check_gradient<R>(gradients.angles, "gangles", parameters.angles, "angles");
  check_gradient<R>(gradients.phases, "gphases", parameters.phases, "phases");
  check_gradient<R>(gradients.diagonal, "gdiagonal", parameters.diagonal, "diagonal");
  check_gradient<R>(gradient_tangents.angles, "dgangles", parameters.angles, "angles");
  check_gradient<R>(gradient_tangents.phases, "dgphases", parameters.phases, "phases");
  check_gradient<R>(gradient_tangents.diagonal, "dgdiagonal", parameters.diagonal, "diagonal");

  Memory memory;
  memory.reads(y, "y");
  memory.reads(gy, "gy");
  if (dy) memory.reads(*dy, "dy");
  if (dgy) memory.reads(*dgy, "dgy");
  tell(memory, parameters, tangents);
  memory.writes(gx, "gx");
  memory.writes(gradients.angles, "gangles");
  if (gradients.phases) memory.writes(*gradients.phases, "gphases");
  if (gradients.diagonal) memory.writes(*gradients.diagonal, "gdiagonal");
  memory.writes(dgx, "dgx");
  memory.writes(gradient_tangents.angles, "dgangles");
  if (gradient_tangents.phases) memory.writes(*gradient_tangents.phases, "dgphases");
  if (gradient_tangents.diagonal) memory.writes(*gradient_tangents.diagonal, "dgdiagonal");

  const auto stride = [](const auto& view, int d) { return view ? view->stride(d) : 0; };
  VjpJvpProblem<T> problem{schedule,
                           threads(options.num_threads),
                           options.inverse,
                           batch.data(),
                           data_of(tangents),
                           {y.data(), y.stride(axis)},
                           {dy ? dy->data() : nullptr, stride(dy, axis)},
                           {gy.data(), gy.stride(axis)},
                           {dgy ? dgy->data() : nullptr, stride(dgy, axis)},
                           {gx.data(), gx.stride(axis)},
                           {dgx.data(), dgx.stride(axis)},
                           last_axis(std::optional<ArrayView<R>>(gradients.angles)),
                           last_axis(gradients.phases),
                           last_axis(gradients.diagonal),
                           last_axis(std::optional<ArrayView<R>>(gradient_tangents.angles)),
                           last_axis(gradient_tangents.phases),
                           last_axis(gradient_tangents.diagonal),
                           {},
                           {}};
  for (int d = 0; d < y.ndim(); ++d) {
    const std::array<std::int64_t, 6> v{y.stride(d),    stride(dy, d), gy.stride(d),
                                        stride(dgy, d), gx.stride(d),  dgx.stride(d)};
    if (d < batch.ndim()) {
      const auto p = strides_of(batch, tangents, d);
      const auto of = [&](const auto& view) { return view ? batch.stride(*view, d) : 0; };
      problem.matrices.add(
          y.shape(d), {p[0], p[1], p[2], p[3], p[4], p[5], p[6], v[0], v[1], v[2], v[3], v[4], v[5],
                       batch.stride(gradients.angles, d), of(gradients.phases),
                       of(gradients.diagonal), batch.stride(gradient_tangents.angles, d),
                       of(gradient_tangents.phases), of(gradient_tangents.diagonal)});
    } else if (d != axis) {
      problem.vectors.add(y.shape(d), v);
    }
  }
  return problem;
}

#define GIVENS_INSTANTIATE_REAL(R)           \
  template void signs(const Parameters<R>&); \
  template std::vector<std::int64_t> matrix_shape(const Parameters<R>&, const Schedule&);

#define GIVENS_INSTANTIATE(T)                                                                   \
  template std::vector<std::int64_t> rotated_shape(                                             \
      const ArrayView<const T>&, const Parameters<real_t<T>>&, const Schedule&, std::int64_t);  \
  template RotateProblem<T> rotate(const ArrayView<const T>&, const Parameters<real_t<T>>&,     \
                                   const Schedule&, const ArrayView<T>&, const RotateOptions&); \
  template bool destroys_input(const ArrayView<const T>&, const Parameters<real_t<T>>&,         \
                               const ArrayView<T>&);                                            \
  template MatrixProblem<T> matrix(const Parameters<real_t<T>>&, const Schedule&,               \
                                   const ArrayView<T>&, int);                                   \
  template VjpProblem<T> rotate_vjp(const ArrayView<const T>&, const ArrayView<const T>&,       \
                                    const Parameters<real_t<T>>&, const Schedule&,              \
                                    const ArrayView<T>&, const ParameterGradients<real_t<T>>&,  \
                                    const RotateOptions&);                                      \
  template VjpProblem<T> matrix_vjp(const ArrayView<const T>&, const ArrayView<const T>&,       \
                                    const Parameters<real_t<T>>&, const Schedule&,              \
                                    const ParameterGradients<real_t<T>>&, int);

// On the CPU only, and so not for 16 bits.
#define GIVENS_INSTANTIATE_TANGENTS(T)                                                          \
  template RotateJvpProblem<T> rotate_jvp(                                                      \
      const ArrayView<const T>&, const std::optional<ArrayView<const T>>&,                      \
      const Parameters<real_t<T>>&, const ParameterTangents<real_t<T>>&, const Schedule&,       \
      const ArrayView<T>&, const ArrayView<T>&, const RotateOptions&);                          \
  template RotateJvpProblem<T> matrix_jvp(const Parameters<real_t<T>>&,                         \
                                          const ParameterTangents<real_t<T>>&, const Schedule&, \
                                          const ArrayView<T>&, const ArrayView<T>&, int);       \
  template VjpJvpProblem<T> rotate_vjp_jvp(                                                     \
      const ArrayView<const T>&, const std::optional<ArrayView<const T>>&,                      \
      const ArrayView<const T>&, const std::optional<ArrayView<const T>>&,                      \
      const Parameters<real_t<T>>&, const ParameterTangents<real_t<T>>&, const Schedule&,       \
      const ArrayView<T>&, const ParameterGradients<real_t<T>>&, const ArrayView<T>&,           \
      const ParameterGradients<real_t<T>>&, const RotateOptions&);

GIVENS_INSTANTIATE_REAL(float)
GIVENS_INSTANTIATE_REAL(double)
GIVENS_INSTANTIATE(float)
GIVENS_INSTANTIATE(double)
GIVENS_INSTANTIATE(std::complex<float>)
GIVENS_INSTANTIATE(std::complex<double>)
GIVENS_INSTANTIATE_TANGENTS(float)
GIVENS_INSTANTIATE_TANGENTS(double)
GIVENS_INSTANTIATE_TANGENTS(std::complex<float>)
GIVENS_INSTANTIATE_TANGENTS(std::complex<double>)
GIVENS_INSTANTIATE(Half)
GIVENS_INSTANTIATE(BFloat16)

#define GIVENS_INSTANTIATE_DECOMPOSE(T)                                             \
  template std::vector<std::int64_t> decomposed_shape(const ArrayView<const T>& U); \
  template void decompose(const ArrayView<const T>&, const ParameterOutputs<real_t<T>>&);

GIVENS_INSTANTIATE_DECOMPOSE(float)
GIVENS_INSTANTIATE_DECOMPOSE(double)
GIVENS_INSTANTIATE_DECOMPOSE(std::complex<float>)
GIVENS_INSTANTIATE_DECOMPOSE(std::complex<double>)

}  // namespace givens::validate
