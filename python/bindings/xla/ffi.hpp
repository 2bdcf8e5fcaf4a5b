// Calls from XLA, by its foreign function interface (xla/ffi/api, headers of jaxlib): what the
// handlers for the CPU and for a GPU share.
//
// Arguments come in the order vectors, parameters (angles, phases, diagonal, signs), tangents of
// the vectors, tangents of the parameters; results come in the order of the public functions. All
// arrays are dense and row-major. python/givens/jax/_kernels.py gives the attributes.
#pragma once

#include <pybind11/pybind11.h>

#include <complex>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "arguments.hpp"
#include "givens/givens.hpp"
#include "xla/ffi/api/ffi.h"

namespace givens::python::xla_calls {

namespace ffi = ::xla::ffi;
namespace py = pybind11;

template <class T>
T attribute(const ffi::Dictionary& attributes, const char* name) {
  const ffi::ErrorOr<T> value = attributes.get<T>(name);
  if (!value.has_value()) throw std::invalid_argument(value.error().message());
  return *value;
}

// The schedule of a call. Schedules of earlier calls are kept by their digests, since a new one
// would need a new plan too, and so that a call takes no longer for a schedule of more rotations.
// The attribute `rounds` has all coordinates in order, with -1 after each round.
inline Schedule schedule_of(const ffi::Dictionary& attributes) {
  constexpr std::size_t kMost = 64;
  static std::mutex mutex;
  // XLA's threads may outlive statics.
  static auto& known = *new std::map<std::string, Schedule, std::less<>>;
  const auto digest = attribute<std::string_view>(attributes, "digest");
  const std::lock_guard<std::mutex> lock(mutex);
  const auto found = known.find(digest);
  if (found != known.end()) return found->second;
  if (known.size() == kMost) known.clear();
  const auto number = [&](const char* name) { return attribute<std::int64_t>(attributes, name); };
  const auto coordinates = attribute<ffi::Span<const std::int32_t>>(attributes, "rounds");
  Rounds rounds;
  for (auto next = coordinates.begin(); next != coordinates.end(); ++next) {
    auto& round = rounds.emplace_back();
    for (; *next >= 0; next += 2) round.push_back({next[0], next[1]});
  }
  const Schedule::KindInfo kind = kind_named(attribute<std::string_view>(attributes, "kind"));
  return known
      .emplace(digest, make_schedule(kind, number("n"), number("team_size"), number("columns"),
                                     number("passes"), rounds))
      .first->second;
}

// What a call is about besides its arrays.
struct Setting {
  Schedule schedule;
  RotateOptions options;
  bool phases = false;
  bool diagonal = false;
  bool signs = false;

  explicit Setting(const ffi::Dictionary& attributes)
      : schedule(schedule_of(attributes)),
        options{attribute<std::int64_t>(attributes, "axis"), attribute<bool>(attributes, "inverse"),
                static_cast<int>(attribute<std::int64_t>(attributes, "num_threads"))} {
    const auto given = attribute<std::string_view>(attributes, "given");
    const auto has = [&](const char* name) { return given.find(name) != std::string_view::npos; };
    phases = has("phases");
    diagonal = has("diagonal");
    signs = has("signs");
  }
};

template <class T>
ArrayView<T> view_of(const ffi::AnyBuffer& buffer) {
  const auto shape = buffer.dimensions();
  return ArrayView<T>(static_cast<T*>(buffer.untyped_data()), static_cast<int>(shape.size()),
                      shape.begin(), nullptr);
}

// The arguments and results of a call, taken one after the other.
class Arrays {
 public:
  Arrays(const Setting& setting, ffi::RemainingArgs arguments, ffi::RemainingRets results)
      : setting_(setting), arguments_(arguments), results_(results) {}

  template <class T>
  ArrayView<const T> argument() {
    return view_of<const T>(*checked(arguments_.get<ffi::AnyBuffer>(next_argument_++)));
  }

  template <class T>
  ArrayView<T> result() {
    return view_of<T>(**checked(results_.get<ffi::AnyBuffer>(next_result_++)));
  }

  template <class R>
  Parameters<R> parameters() {
    Parameters<R> out{argument<R>(), {}, {}, {}};
    if (setting_.phases) out.phases = argument<R>();
    if (setting_.diagonal) out.diagonal = argument<R>();
    if (setting_.signs) out.signs = argument<R>();
    return out;
  }

  template <class R>
  ParameterTangents<R> tangents() {
    ParameterTangents<R> out{argument<R>(), {}, {}};
    if (setting_.phases) out.phases = argument<R>();
    if (setting_.diagonal) out.diagonal = argument<R>();
    return out;
  }

  template <class R>
  ParameterGradients<R> gradients() {
    ParameterGradients<R> out{result<R>(), {}, {}};
    if (setting_.phases) out.phases = result<R>();
    if (setting_.diagonal) out.diagonal = result<R>();
    return out;
  }

  // The type of the first argument, or of the first result.
  ffi::DataType argument_type() const {
    return checked(arguments_.get<ffi::AnyBuffer>(0))->element_type();
  }
  ffi::DataType result_type() const {
    return (*checked(results_.get<ffi::AnyBuffer>(0)))->element_type();
  }

 private:
  template <class E>
  static E checked(E value) {
    if (!value.has_value()) throw std::invalid_argument(value.error().message());
    return value;
  }

  const Setting& setting_;
  ffi::RemainingArgs arguments_;
  ffi::RemainingRets results_;
  std::size_t next_argument_ = 0;
  std::size_t next_result_ = 0;
};

// The operations. An engine has the functions of transform.hpp, but with the options first. `type`
// returns the type of the vectors, with which `run` is called. kTakesHalves says whether they may
// have 16 bits.

struct Rotate {
  static constexpr const char* kName = "givens_rotate";
  static constexpr bool kTakesHalves = true;
  static ffi::DataType type(const Arrays& arrays) { return arrays.argument_type(); }
  template <class T, class Engine>
  static void run(const Engine& engine, const Setting& s, Arrays& arrays) {
    const auto x = arrays.argument<T>();
    const auto parameters = arrays.parameters<real_t<T>>();
    engine.template rotate<T>(s.options, x, parameters, s.schedule, arrays.result<T>());
  }
};

struct Matrix {
  static constexpr const char* kName = "givens_matrix";
  static constexpr bool kTakesHalves = false;
  static ffi::DataType type(const Arrays& arrays) { return arrays.result_type(); }
  template <class T, class Engine>
  static void run(const Engine& engine, const Setting& s, Arrays& arrays) {
    const auto parameters = arrays.parameters<real_t<T>>();
    engine.template matrix<T>(s.options, parameters, s.schedule, arrays.result<T>());
  }
};

struct RotateVjp {
  static constexpr const char* kName = "givens_rotate_vjp";
  static constexpr bool kTakesHalves = true;
  static ffi::DataType type(const Arrays& arrays) { return arrays.argument_type(); }
  template <class T, class Engine>
  static void run(const Engine& engine, const Setting& s, Arrays& arrays) {
    const auto y = arrays.argument<T>();
    const auto gy = arrays.argument<T>();
    const auto parameters = arrays.parameters<real_t<T>>();
    const auto gx = arrays.result<T>();
    const auto gradients = arrays.gradients<real_t<T>>();
    engine.template rotate_vjp<T>(s.options, y, gy, parameters, s.schedule, gx, gradients);
  }
};

struct MatrixVjp {
  static constexpr const char* kName = "givens_matrix_vjp";
  static constexpr bool kTakesHalves = false;
  static ffi::DataType type(const Arrays& arrays) { return arrays.argument_type(); }
  template <class T, class Engine>
  static void run(const Engine& engine, const Setting& s, Arrays& arrays) {
    const auto u = arrays.argument<T>();
    const auto gu = arrays.argument<T>();
    const auto parameters = arrays.parameters<real_t<T>>();
    const auto gradients = arrays.gradients<real_t<T>>();
    engine.template matrix_vjp<T>(s.options, u, gu, parameters, s.schedule, gradients);
  }
};

// Calls an operation with the C++ type of its vectors. Whatever is thrown becomes an error of XLA,
// which raises it in Python.
template <class Operation, class Engine>
ffi::Error execute(const Engine& engine, ffi::RemainingArgs arguments, ffi::RemainingRets results,
                   const ffi::Dictionary& attributes) {
  try {
    const Setting setting(attributes);
    Arrays arrays(setting, arguments, results);
    const auto run = [&](auto type) {
      Operation::template run<decltype(type)>(engine, setting, arrays);
    };
    const auto refuse = [] {
      throw std::invalid_argument(std::string("arrays must be ") +
                                  (Operation::kTakesHalves ? "float16, bfloat16, " : "") +
                                  "float32, float64, complex64 or complex128");
    };
    const auto run_half = [&](auto type) {
      if constexpr (Operation::kTakesHalves) {
        run(type);
      } else {
        refuse();
      }
    };
    switch (Operation::type(arrays)) {
      case ffi::DataType::F16:
        run_half(Half{});
        break;
      case ffi::DataType::BF16:
        run_half(BFloat16{});
        break;
      case ffi::DataType::F32:
        run(float{});
        break;
      case ffi::DataType::F64:
        run(double{});
        break;
      case ffi::DataType::C64:
        run(std::complex<float>{});
        break;
      case ffi::DataType::C128:
        run(std::complex<double>{});
        break;
      default:
        refuse();
    }
    return ffi::Error::Success();
  } catch (const std::invalid_argument& error) {
    return ffi::Error::InvalidArgument(error.what());
  } catch (const std::exception& error) {
    return ffi::Error::Internal(error.what());
  }
}

// The function that XLA calls. An engine is made from what `with_contexts` asks XLA for.
template <class Engine, class Operation>
XLA_FFI_Error* handle(XLA_FFI_CallFrame* frame) {
  static const auto* const handler =
      Engine::with_contexts(
          ffi::Ffi::BindExecute().RemainingArgs().RemainingRets().Attrs<ffi::Dictionary>())
          .To([](ffi::RemainingArgs arguments, ffi::RemainingRets results,
                 const ffi::Dictionary& attributes, auto... contexts) {
            return execute<Operation>(Engine{contexts...}, arguments, results, attributes);
          })
          .release();
  return handler->Call(frame);
}

// Adds the version of jaxlib's headers, and a function that returns the capsules of the handlers by
// name, as jax.ffi.register_ffi_target takes them.
template <class Engine, class... Operations>
void register_handlers(py::module_& module) {
  module.attr("jaxlib_version") = GIVENS_JAXLIB_VERSION;
  module.def("ffi_handlers", [] {
    py::dict out;
    const auto capsule = [](XLA_FFI_Handler* handler) {
      return py::capsule(reinterpret_cast<void*>(handler));
    };
    ((out[Operations::kName] = capsule(&handle<Engine, Operations>)), ...);
    return out;
  });
}

}  // namespace givens::python::xla_calls
