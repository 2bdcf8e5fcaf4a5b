// Operators: copies of parameters, with what the engine prepares for them.
#include "givens/operator.hpp"

#include <algorithm>
#include <complex>
#include <optional>

#include "api/transform.hpp"
#include "arguments/checks.hpp"
#include "arguments/element_types.hpp"
#include "arguments/validate.hpp"
#include "cpu/engine.hpp"

namespace givens {

namespace {

// A parameter in full: `count` numbers for each matrix of a batch.
template <class R>
class FullParameter {
 public:
  FullParameter(const ArrayView<const R>& view, std::vector<std::int64_t> batch, std::int64_t count)
      : shape_(std::move(batch)) {
    const auto axes = static_cast<int>(shape_.size());
    shape_.push_back(count);
    std::int64_t size = 1;
    for (const std::int64_t extent : shape_) size *= extent;
    numbers_.reserve(static_cast<std::size_t>(size));
    // The batch axes of the view are the last of the batch, and are repeated if they have size 1.
    StridedLoop<1> loop;
    for (int d = 0; d <= axes; ++d) {
      const int axis = d - axes + view.ndim() - 1;
      const bool varies = axis >= 0 && view.shape(axis) != 1;
      loop.add(shape_[static_cast<std::size_t>(d)], {varies ? view.stride(axis) : 0});
    }
    loop.for_each([&](const auto& at) { numbers_.push_back(view.data()[at[0]]); });
  }

  ArrayView<const R> view() const {
    return {numbers_.data(), static_cast<int>(shape_.size()), shape_.data(), nullptr};
  }
  Strided<const R> strided() const { return {numbers_.data(), 1}; }

 private:
  std::vector<std::int64_t> shape_;
  std::vector<R> numbers_;
};

}  // namespace

template <class R>
struct Operator<R>::Data {
  using Full = FullParameter<R>;

  Data(const Parameters<R>& given, const Schedule& its_schedule)
      : schedule(its_schedule),
        batch(batch_of(given, its_schedule)),
        angles(given.angles, batch, schedule.num_rotations()),
        phases(full(given.phases, schedule.num_rotations())),
        diagonal(full(given.diagonal, schedule.n())),
        signs(full(given.signs, schedule.n())) {
    const cpu::Engine* engine = cpu::engine();
    if (!engine) return;
    const auto of = [](const std::optional<Full>& parameter) {
      return parameter ? parameter->strided() : Strided<const R>{};
    };
    OperatorProblem<R> problem{
        schedule, 1, {angles.strided(), of(phases), of(diagonal), of(signs)}};
    for (const std::int64_t extent : batch) problem.matrices *= extent;
    prepared = is_complex() ? engine->functions<std::complex<R>>().prepare(problem)
                            : engine->functions<R>().prepare(problem);
  }

  static std::vector<std::int64_t> batch_of(const Parameters<R>& given, const Schedule& schedule) {
    std::vector<std::int64_t> shape = validate::matrix_shape(given, schedule);
    validate::signs(given);
    shape.resize(shape.size() - 2);
    return shape;
  }

  std::optional<Full> full(const std::optional<ArrayView<const R>>& given,
                           std::int64_t count) const {
    if (!given) return std::nullopt;
    return Full(*given, batch, count);
  }

  bool is_complex() const { return phases || diagonal; }

  Parameters<R> parameters() const {
    const auto of = [](const std::optional<Full>& parameter) {
      return parameter ? std::optional(parameter->view()) : std::nullopt;
    };
    return {angles.view(), of(phases), of(diagonal), of(signs)};
  }

  // A real operator turns complex vectors by real rotations, but its matrix of complex numbers is
  // made by complex ones.
  template <class T>
  const cpu::Prepared* prepared_for_matrix() const {
    return is_complex_v<T> == is_complex() ? prepared.get() : nullptr;
  }

  const Schedule schedule;
  const std::vector<std::int64_t> batch;
  const Full angles;
  const std::optional<Full> phases;
  const std::optional<Full> diagonal;
  const std::optional<Full> signs;
  std::shared_ptr<const cpu::Prepared> prepared;
};

template <class R>
Operator<R>::Operator(const Parameters<R>& parameters, const Schedule& schedule)
    : data_(std::make_shared<const Data>(parameters, schedule)) {}

template <class R>
const Schedule& Operator<R>::schedule() const {
  return data_->schedule;
}

template <class R>
const std::vector<std::int64_t>& Operator<R>::batch() const {
  return data_->batch;
}

template <class R>
bool Operator<R>::is_complex() const {
  return data_->is_complex();
}

template <class R>
Parameters<R> Operator<R>::parameters() const {
  return data_->parameters();
}

template <class R>
template <class T>
void Operator<R>::rotate(const not_deduced_t<ArrayView<const T>>& x,
                         const not_deduced_t<ArrayView<T>>& y, const RotateOptions& options) const {
  api::rotate<T>(x, parameters(), schedule(), y, options, data_->prepared.get());
}

template <class R>
template <class T>
void Operator<R>::matrix(const not_deduced_t<ArrayView<T>>& U, int num_threads) const {
  api::matrix<T>(parameters(), schedule(), U, num_threads,
                 data_->template prepared_for_matrix<T>());
}

template <class R>
template <class T>
void Operator<R>::rotate_vjp(const not_deduced_t<ArrayView<const T>>& y,
                             const not_deduced_t<ArrayView<const T>>& gy,
                             const not_deduced_t<ArrayView<T>>& gx,
                             const ParameterGradients<R>& gradients,
                             const RotateOptions& options) const {
  api::rotate_vjp<T>(y, gy, parameters(), schedule(), gx, gradients, options,
                     data_->prepared.get());
}

#define GIVENS_INSTANTIATE_REAL(R) template class GIVENS_API Operator<R>;
GIVENS_FOR_REAL_TYPES(GIVENS_INSTANTIATE_REAL)

#define GIVENS_INSTANTIATE_TYPE(T)                                                         \
  template GIVENS_API void Operator<real_t<T>>::rotate<T>(                                 \
      const ArrayView<const T>&, const ArrayView<T>&, const RotateOptions&) const;         \
  template GIVENS_API void Operator<real_t<T>>::matrix<T>(const ArrayView<T>&, int) const; \
  template GIVENS_API void Operator<real_t<T>>::rotate_vjp<T>(                             \
      const ArrayView<const T>&, const ArrayView<const T>&, const ArrayView<T>&,           \
      const ParameterGradients<real_t<T>>&, const RotateOptions&) const;
GIVENS_FOR_ALL_TYPES(GIVENS_INSTANTIATE_TYPE)

}  // namespace givens
