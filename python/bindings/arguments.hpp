// From Python objects to C++ arguments other than arrays. Types are checked here, with the name of
// the argument in every message; values are checked by the core.
#pragma once

#include <pybind11/gil_safe_call_once.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "givens/givens.hpp"

namespace givens::python {

namespace py = pybind11;

// An object of one of the package's modules, imported when it is first needed.
class PackageObject {
 public:
  constexpr PackageObject(const char* module, const char* name) : module_(module), name_(name) {}

  const py::object& get() {
    return storage_
        .call_once_and_store_result(
            [this] { return py::object(py::module_::import(module_).attr(name_)); })
        .get_stored();
  }

 private:
  const char* module_;
  const char* name_;
  py::gil_safe_call_once_and_store<py::object> storage_;
};

// The name of an object's type, as error messages show it.
std::string type_name(py::handle object);

// Each throws TypeError naming the argument if the object is not what it must be.
std::int64_t to_integer(py::handle object, const char* name);
std::optional<std::int64_t> to_optional_integer(py::handle object, const char* name);
bool to_bool(py::handle object, const char* name);
// At least 1, else ValueError; none if the object is None.
std::optional<int> to_num_threads(py::handle object);
const Schedule& to_schedule(py::handle object);

// --- From descriptions to schedules: dictionaries of `to_dict` and calls from XLA ---

using Rounds = std::vector<std::vector<Schedule::RequestedPair>>;

// Throws std::invalid_argument, which Python gets as a ValueError, for an unknown name.
Schedule::KindInfo kind_named(std::string_view name);

// A schedule of the kind, which ignores what the kind does not take.
Schedule make_schedule(const Schedule::KindInfo& kind, std::int64_t n,
                       std::optional<std::int64_t> size, std::optional<std::int64_t> columns,
                       std::optional<std::int64_t> passes, const Rounds& rounds);

}  // namespace givens::python
