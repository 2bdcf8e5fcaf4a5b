// Operators on arrays in the CPU's memory.
#include "givens/operator.hpp"

#include <variant>

#include "calls.hpp"
#include "register.hpp"

namespace givens::python {

namespace {

// What givens.Operator keeps. The arrays of a call may be of any library, whatever library the
// parameters came from.
class PreparedOperator {
 public:
  // The parameters have all axes of the batch, in full.
  PreparedOperator(py::handle angles, py::handle schedule, py::handle phases, py::handle diagonal,
                   py::handle signs)
      : parameters_(parameters_of(angles, phases, diagonal, signs)),
        operator_(made(parameters_, to_schedule(schedule))) {}

  py::object rotate(py::handle x_, py::handle axis, py::handle inverse, py::handle out,
                    py::handle num_threads) const {
    CallArrays arrays;
    const HostArray x = arrays.input(x_, "x");
    parameters_.check_vectors(x);
    const RotateOptions options = to_options(axis, inverse, num_threads);
    const std::optional<HostArray> given = to_output(arrays, out);
    if (given) check_same_dtype(*given, x);
    return with_any_type(x.dtype, [&](auto type) -> py::object {
      using T = decltype(type);
      const auto& prepared = std::get<Operator<real_t<T>>>(operator_);
      const auto x_view = x.view<const T>();
      const HostArray y = given
                              ? *given
                              : arrays.make<T>(rotated_shape<T>(x_view, prepared.parameters(),
                                                                prepared.schedule(), options.axis));
      without_gil([&] { prepared.template rotate<T>(x_view, y.view<T>(), options); });
      return given ? py::reinterpret_borrow<py::object>(out) : arrays.result(y);
    });
  }

  py::object matrix(py::handle num_threads) const {
    CallArrays arrays;
    return with_type(parameters_.matrix_dtype(), [&](auto type) -> py::object {
      using T = decltype(type);
      const auto& prepared = std::get<Operator<real_t<T>>>(operator_);
      const HostArray u = arrays.make<T>(matrix_shape(prepared.parameters(), prepared.schedule()));
      const int threads = threads_of_call(num_threads);
      without_gil([&] { prepared.template matrix<T>(u.view<T>(), threads); });
      return arrays.result(u);
    });
  }

  py::tuple rotate_vjp(py::handle y_, py::handle gy_, py::handle axis, py::handle inverse,
                       py::handle num_threads) const {
    CallArrays arrays;
    const HostArray y = arrays.input(y_, "y");
    const HostArray gy = arrays.input(gy_, "gy");
    check_same_dtype(gy, y);
    parameters_.check_vectors(y);
    const RotateOptions options = to_options(axis, inverse, num_threads);
    return with_any_type(y.dtype, [&](auto type) -> py::tuple {
      using T = decltype(type);
      using R = real_t<T>;
      const HostArray gx = arrays.make<T>(y.shape());
      const GradientArrays<R> gradients(arrays, parameters_);
      without_gil([&] {
        std::get<Operator<R>>(operator_).template rotate_vjp<T>(
            y.view<const T>(), gy.view<const T>(), gx.view<T>(), gradients.views(), options);
      });
      return gradients.results(rotate_gradients, arrays, arrays.result(gx));
    });
  }

 private:
  using Either = std::variant<Operator<float>, Operator<double>>;

  static HostParameters parameters_of(py::handle angles, py::handle phases, py::handle diagonal,
                                      py::handle signs) {
    CallArrays arrays;
    return to_parameters(arrays, angles, phases, diagonal, signs);
  }

  static Either made(const HostParameters& parameters, const Schedule& schedule) {
    if (parameters.angles.dtype == Dtype::float32) {
      return Operator<float>(parameters.views<float>(), schedule);
    }
    return Operator<double>(parameters.views<double>(), schedule);
  }

  const HostParameters parameters_;
  const Either operator_;
};

}  // namespace

void register_operator(py::module_& module) {
  py::class_<PreparedOperator>(module, "PreparedOperator")
      .def(py::init<py::handle, py::handle, py::handle, py::handle, py::handle>())
      .def("rotate", &PreparedOperator::rotate)
      .def("matrix", &PreparedOperator::matrix)
      .def("rotate_vjp", &PreparedOperator::rotate_vjp);
}

}  // namespace givens::python
