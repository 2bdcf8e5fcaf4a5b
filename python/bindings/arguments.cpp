#include "arguments.hpp"

#include <algorithm>
#include <stdexcept>

namespace givens::python {

std::string type_name(py::handle object) {
  return py::str(py::type::handle_of(object).attr("__name__"));
}

std::int64_t to_integer(py::handle object, const char* name) {
  if (!PyIndex_Check(object.ptr())) {
    throw py::type_error(std::string(name) + " must be an integer, got " + type_name(object));
  }
  const auto index = py::reinterpret_steal<py::object>(PyNumber_Index(object.ptr()));
  if (!index) {
    // An array has __index__ but most are no integers.
    PyErr_Clear();
    throw py::type_error(std::string(name) + " must be an integer, got " + type_name(object));
  }
  int overflow = 0;
  const long long value = PyLong_AsLongLongAndOverflow(index.ptr(), &overflow);
  if (overflow != 0) {
    throw py::value_error(std::string(name) + " must fit into 64 bits, got " +
                          std::string(py::str(index)));
  }
  return value;
}

std::optional<std::int64_t> to_optional_integer(py::handle object, const char* name) {
  if (object.is_none()) return std::nullopt;
  return to_integer(object, name);
}

std::optional<int> to_num_threads(py::handle object) {
  const std::optional<std::int64_t> threads = to_optional_integer(object, "num_threads");
  if (!threads) return std::nullopt;
  if (*threads < 1) {
    throw py::value_error("num_threads must be at least 1, got " + std::to_string(*threads));
  }
  return static_cast<int>(std::min<std::int64_t>(*threads, 1 << 16));
}

bool to_bool(py::handle object, const char* name) {
  py::detail::make_caster<bool> caster;
  if (!caster.load(object, false)) {
    throw py::type_error(std::string(name) + " must be a bool, got " + type_name(object));
  }
  return py::detail::cast_op<bool>(caster);
}

const Schedule& to_schedule(py::handle object) {
  py::detail::make_caster<Schedule> caster;
  if (object.is_none() || !caster.load(object, false)) {
    throw py::type_error("schedule must be a givens.Schedule, got " + type_name(object));
  }
  return py::detail::cast_op<const Schedule&>(caster);
}

Schedule::KindInfo kind_named(std::string_view name) {
  std::string names;
  for (const Schedule::KindInfo& kind : Schedule::kinds()) {
    if (name == kind.name) return kind;
    names += (names.empty() ? "" : ", ") + std::string(kind.name);
  }
  throw std::invalid_argument("kind must be one of " + names + ", got " + std::string(name));
}

Schedule make_schedule(const Schedule::KindInfo& kind, std::int64_t n,
                       std::optional<std::int64_t> size, std::optional<std::int64_t> columns,
                       std::optional<std::int64_t> passes, const Rounds& rounds) {
  if (kind.kind == Schedule::Kind::rounds) return Schedule::from_rounds(n, rounds, columns);
  if (!kind.takes_size) size.reset();
  if (!kind.takes_columns) columns.reset();
  if (!kind.takes_passes) passes.reset();
  return Schedule::from_kind(kind.kind, n, size, columns, passes);
}

}  // namespace givens::python
