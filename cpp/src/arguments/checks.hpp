// What the checks of arguments share: names and shapes in messages, overlap in memory, the batch,
// and the problems that checked arguments become. Checks throw std::invalid_argument with the name
// of the argument, what came and what was expected.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "arguments/byte_range.hpp"
#include "arguments/problem.hpp"
#include "givens/jvp.hpp"
#include "givens/transform.hpp"

namespace givens::validate {

using Extents = std::vector<std::int64_t>;

// The name of an argument in messages, in two parts: a gradient's or a tangent's begins with "g",
// "d" or "dg". They are joined only where a message needs them.
struct Name {
  Name(const char* whole) : base(whole) {}
  Name(const char* start, const char* rest) : prefix(start), base(rest) {}

  const char* prefix = "";
  const char* base;
};

[[noreturn]] inline void refuse(const std::string& message) {
  throw std::invalid_argument(message);
}

inline std::string text(const Name& name) { return std::string(name.prefix) + name.base; }

inline std::string text(std::int64_t value) { return std::to_string(value); }

inline std::string text(const std::int64_t* shape, int ndim) {
  std::string out = "(";
  for (int d = 0; d < ndim; ++d) out += (d ? ", " : "") + text(shape[d]);
  return out + (ndim == 1 ? ",)" : ")");
}

template <class View>
std::string shape_text(const View& view) {
  return text(view.shape(), view.ndim());
}

inline std::string shape_text(const Extents& shape) {
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

// The parameters in the order of MatrixParameters::Operand, or their gradients or tangents, which
// signs do not have.
inline constexpr std::array<const char*, 4> kNames{"angles", "phases", "diagonal", "signs"};

template <class E>
using ParameterViews = std::array<const ArrayView<E>*, 4>;

template <class R>
ParameterViews<const R> views_of(const Parameters<R>& parameters) {
  return {&parameters.angles, pointer(parameters.phases), pointer(parameters.diagonal),
          pointer(parameters.signs)};
}
template <class R>
ParameterViews<const R> views_of(const ParameterTangents<R>& tangents) {
  return {pointer(tangents.angles), pointer(tangents.phases), pointer(tangents.diagonal), nullptr};
}
template <class R>
ParameterViews<R> views_of(const ParameterGradients<R>& gradients) {
  return {&gradients.angles, pointer(gradients.phases), pointer(gradients.diagonal), nullptr};
}

// --- Shapes and memory ---

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

  // Tangents of parameters: only of those that are present, and of their shapes.
  template <class R>
  void reads(const ParameterTangents<R>& tangents, const Parameters<R>& parameters) {
    for (std::size_t p = 0; p < kNames.size(); ++p) {
      const auto* const tangent = views_of(tangents)[p];
      const auto* const parameter = views_of(parameters)[p];
      const Name name("d", kNames[p]);
      if (!tangent) continue;
      if (!parameter) refuse(text(name) + " must not be given without " + kNames[p]);
      require_shape_of_parameter(*tangent, name, *parameter, kNames[p]);
      reads(tangent, name);
    }
  }

  template <class View>
  void writes(const View* view, const Name& name, const Extents& shape) {
    if (!view) return;
    require_shape(*view, name, shape);
    writes_memory(*view, name);
  }

  // Gradients of parameters: present exactly if the parameter is, and of its shape.
  template <class R>
  void writes(const ParameterGradients<R>& gradients, const char* prefix,
              const Parameters<R>& parameters) {
    for (std::size_t p = 0; p < MatrixParameters<R>::kSigns; ++p) {
      const auto* const gradient = views_of(gradients)[p];
      const auto* const parameter = views_of(parameters)[p];
      const Name name(prefix, kNames[p]);
      if ((gradient == nullptr) != (parameter == nullptr)) {
        refuse(text(name) + " must be given exactly if " + kNames[p] + " is");
      }
      if (!gradient) continue;
      require_shape_of_parameter(*gradient, name, *parameter, kNames[p]);
      writes_memory(*gradient, name);
    }
  }

 private:
  template <class View>
  void writes_memory(const View& view, const Name& name) {
    require_distinct_elements(view, name);
    const ByteRange bytes = bytes_of(view);
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

// --- Batches ---

// The extent of two axes that broadcast against each other, or -1.
inline std::int64_t broadcast(std::int64_t a, std::int64_t b) {
  if (a == b || b == 1) return a;
  return a == 1 ? b : -1;
}

// The batch shape of the parameters.
template <class R>
Extents batch_shape(const Parameters<R>& parameters, const Schedule& schedule) {
  if (parameters.signs && parameters.diagonal) {
    refuse("signs and diagonal exclude each other, got both");
  }
  const ParameterViews<const R> views = views_of(parameters);
  std::size_t ndim = 0;
  for (std::size_t p = 0; p < kNames.size(); ++p) {
    if (!views[p]) continue;
    const auto& view = *views[p];
    const bool per_rotation = p < MatrixParameters<R>::kDiagonal;
    const std::int64_t extent = per_rotation ? schedule.num_rotations() : schedule.n();
    if (view.ndim() < 1 || view.shape(view.ndim() - 1) != extent) {
      refuse(std::string(kNames[p]) + " must have " + text(extent) + " entries (schedule." +
             (per_rotation ? "num_rotations" : "n") + ") along the last axis, got shape " +
             shape_text(view));
    }
    ndim = std::max(ndim, static_cast<std::size_t>(view.ndim() - 1));
  }
  Extents shape(ndim, 1);
  for (std::size_t p = 0; p < kNames.size(); ++p) {
    if (!views[p]) continue;
    const auto& view = *views[p];
    auto extent = shape.end() - (view.ndim() - 1);
    for (int d = 0; d + 1 < view.ndim(); ++d, ++extent) {
      *extent = broadcast(*extent, view.shape(d));
      if (*extent >= 0) continue;
      const std::string name = kNames[p];
      refuse("the leading axes of " + name +
             " must broadcast with the leading axes of the other parameters, got " + name +
             " of shape " + shape_text(view) + " and angles of shape " + shape_text(*views[0]));
    }
  }
  return shape;
}

// The shape of `matrix`.
inline Extents shape_of_matrices(Extents batch, const Schedule& schedule) {
  batch.insert(batch.end(), {schedule.n(), schedule.columns()});
  return batch;
}

// What all arrays of vectors of a call have in common: their shape begins with the batch axes and
// has the coordinates along `axis`.
struct Frame {
  const Schedule& schedule;
  int num_threads;
  bool inverse;
  int batch_ndim;
  Extents shape;
  int axis;
};

// Checks what needs no vectors. The shape is the batch's, without the vectors.
template <class T>
Frame frame_of_batch(const Parameters<real_t<T>>& parameters, const Schedule& schedule,
                     int num_threads, bool inverse) {
  if constexpr (!is_complex_v<T>) {
    if (parameters.phases) refuse("phases must come with complex vectors, got real ones");
    if (parameters.diagonal) refuse("diagonal must come with complex vectors, got real ones");
  }
  if (num_threads < 0) {
    refuse("num_threads must be at least 1, or 0 for the default, got " + text(num_threads));
  }
  const Extents batch = batch_shape(parameters, schedule);
  const auto batch_ndim = static_cast<int>(batch.size());
  return {schedule, num_threads, inverse, batch_ndim, batch, batch_ndim};
}

// The frame of calls whose vectors are the columns of the matrices.
template <class T>
Frame frame_of_matrices(const Parameters<real_t<T>>& parameters, const Schedule& schedule,
                        int num_threads) {
  Frame frame = frame_of_batch<T>(parameters, schedule, num_threads, false);
  frame.shape = shape_of_matrices(frame.shape, schedule);
  return frame;
}

// The frame of calls on the vectors of x.
template <class T>
Frame frame_of_vectors(const ArrayView<const T>& x, const std::string& name,
                       const Parameters<real_t<T>>& parameters, const Schedule& schedule,
                       const RotateOptions& options) {
  Frame frame = frame_of_batch<T>(parameters, schedule, options.num_threads, options.inverse);
  const std::int64_t axis = options.axis;
  const int batch_ndim = frame.batch_ndim;
  if (x.ndim() < batch_ndim + 1) {
    refuse(name + " must have at least " + text(batch_ndim + 1) +
           " axes, the batch axes of the parameters and one of n = " + text(schedule.n()) +
           " coordinates, got shape " + shape_text(x));
  }
  if (axis < -x.ndim() || axis >= x.ndim()) {
    refuse("axis must be between " + text(-x.ndim()) + " and " + text(x.ndim() - 1) + " for " +
           name + " of shape " + shape_text(x) + ", got " + text(axis));
  }
  frame.axis = static_cast<int>(axis < 0 ? axis + x.ndim() : axis);
  if (frame.axis < batch_ndim) {
    refuse("axis must not be one of the " + text(batch_ndim) + " batch axes of " + name + ", got " +
           text(axis));
  }
  if (x.shape(frame.axis) != schedule.n()) {
    refuse(name + " must have " + text(schedule.n()) + " entries (schedule.n) along axis " +
           text(axis) + ", got shape " + shape_text(x));
  }
  const Extents batch = std::exchange(frame.shape, Extents(x.shape(), x.shape() + x.ndim()));
  for (std::size_t d = 0; d < batch.size(); ++d) {
    frame.shape[d] = broadcast(batch[d], frame.shape[d]);
    if (frame.shape[d] < 0) {
      refuse("the leading axes of " + name + " must match the batch shape " + shape_text(batch) +
             " of the parameters, got shape " + shape_text(x));
    }
  }
  return frame;
}

// --- Problems ---

// The vector along an axis, from the first element; absent if the array is.
template <class E>
Strided<E> along(const ArrayView<E>* view, int axis) {
  if (!view) return {};
  return {view->data(), view->stride(axis)};
}

template <class E>
Strided<E> along_last(const ArrayView<E>* view) {
  return along(view, view ? view->ndim() - 1 : 0);
}

template <class R>
MatrixParameters<R> data_of(const ParameterViews<const R>& parameters) {
  static const R nothing{};  // the data of an empty array may be null, which means absent here
  std::array<Strided<const R>, 4> out;
  for (std::size_t p = 0; p < out.size(); ++p) {
    out[p] = along_last(parameters[p]);
    if (parameters[p] && !out[p].data) out[p].data = &nothing;
  }
  return {out[0], out[1], out[2], out[3]};
}

// An array in loops over the axes of a frame. The first axes of vectors are the frame's; the
// leading axes of parameters and gradients end where the batch axes do.
class Operand {
 public:
  Operand() = default;
  template <class E>
  Operand(const ArrayView<E>* vectors) {
    if (vectors) *this = Operand(vectors->ndim(), 0, vectors->shape(), vectors->strides());
  }
  template <class E>
  static Operand parameter(const ArrayView<E>* view, const Frame& frame) {
    if (!view) return {};
    const int axes = view->ndim() - 1;
    return {axes, frame.batch_ndim - axes, view->shape(), view->strides()};
  }

  // The stride along an axis of the frame: 0 where the array is absent or repeated.
  std::int64_t stride(int axis) const {
    const int own = axis - first_;
    return own < 0 || own >= ndim_ || shape_[own] == 1 ? 0 : strides_[own];
  }

 private:
  Operand(int ndim, int first, const std::int64_t* shape, const std::int64_t* strides)
      : ndim_(ndim), first_(first), shape_(shape), strides_(strides) {}

  int ndim_ = 0;
  int first_ = 0;  // the axis of the frame that is axis 0 of the array
  const std::int64_t* shape_ = nullptr;
  const std::int64_t* strides_ = nullptr;
};

// The operands of a problem's loop over matrices: the parameters, the arrays of vectors, and the
// gradients of the first parameters.
template <std::size_t Operands, class R, std::size_t V, class E = R>
std::array<Operand, Operands> operands_of(const Frame& frame,
                                          const ParameterViews<const R>& parameters,
                                          const Operand (&vectors)[V],
                                          const ParameterViews<E>& gradients = {}) {
  std::array<Operand, Operands> out;
  std::size_t k = 0;
  for (const auto* parameter : parameters) out[k++] = Operand::parameter(parameter, frame);
  for (const Operand& operand : vectors) out[k++] = operand;
  for (std::size_t p = 0; k < Operands; ++p) out[k++] = Operand::parameter(gradients[p], frame);
  return out;
}

// Adds an axis of the frame to a loop over successive operands.
template <std::size_t N>
void add_axis(StridedLoop<N>& loop, const Frame& frame, int axis, const Operand* operands) {
  std::array<std::int64_t, N> strides;
  for (std::size_t k = 0; k < N; ++k) strides[k] = operands[k].stride(axis);
  loop.add(frame.shape[static_cast<std::size_t>(axis)], strides);
}

template <std::size_t N>
void add_batch_axes(StridedLoop<N>& matrices, const Frame& frame,
                    const std::array<Operand, N>& operands) {
  for (int d = 0; d < frame.batch_ndim; ++d) add_axis(matrices, frame, d, operands.data());
}

// Fills in a problem's loops over matrices and over the vectors of each.
template <class Problem, std::size_t N>
void add_loops(Problem& problem, const Frame& frame, const std::array<Operand, N>& operands) {
  add_batch_axes(problem.matrices, frame, operands);
  const Operand* const vectors = operands.data() + decltype(problem.parameters)::kParameters;
  for (int d = frame.batch_ndim; d < static_cast<int>(frame.shape.size()); ++d) {
    if (d != frame.axis) add_axis(problem.vectors, frame, d, vectors);
  }
}

template <class T>
RotateProblem<T> rotate_problem(const Frame& frame,
                                const ParameterViews<const real_t<T>>& parameters,
                                const ArrayView<const T>* x, const ArrayView<T>* y) {
  RotateProblem<T> problem{frame.schedule,      frame.num_threads,    frame.inverse,
                           data_of(parameters), along(x, frame.axis), along(y, frame.axis)};
  add_loops(problem, frame, operands_of<problem.kOperands>(frame, parameters, {x, y}));
  return problem;
}

template <class T>
VjpProblem<T> vjp_problem(const Frame& frame, const ParameterViews<const real_t<T>>& parameters,
                          const ArrayView<const T>* y, const ArrayView<const T>* gy,
                          const ArrayView<T>* gx, const ParameterViews<real_t<T>>& gradients) {
  VjpProblem<T> problem{frame.schedule,          frame.num_threads,        frame.inverse,
                        data_of(parameters),     along(y, frame.axis),     along(gy, frame.axis),
                        along(gx, frame.axis),   along_last(gradients[0]), along_last(gradients[1]),
                        along_last(gradients[2])};
  add_loops(problem, frame,
            operands_of<problem.kOperands>(frame, parameters, {y, gy, gx}, gradients));
  return problem;
}

}  // namespace givens::validate
