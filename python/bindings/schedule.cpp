// givens.Schedule.
#include "givens/schedule.hpp"

#include <pybind11/numpy.h>

#include "arguments.hpp"
#include "arrays/host.hpp"
#include "register.hpp"
#include "schedule_docs.hpp"

namespace givens::python {

namespace {

// Moves a vector into an array of the given shape without copying its elements.
template <class Scalar, class Element>
py::array to_numpy(std::vector<Element>&& values, std::vector<py::ssize_t> shape) {
  auto owner = std::make_unique<std::vector<Element>>(std::move(values));
  const auto* data = reinterpret_cast<const Scalar*>(owner->data());
  const py::capsule keeper(
      owner.release(), [](void* pointer) { delete static_cast<std::vector<Element>*>(pointer); });
  return py::array_t<Scalar>(std::move(shape), data, keeper);
}

py::array pairs_to_numpy(std::vector<Pair>&& pairs) {
  static_assert(sizeof(Pair) == 2 * sizeof(std::int32_t));
  const auto count = static_cast<py::ssize_t>(pairs.size());
  return to_numpy<std::int32_t>(std::move(pairs), {count, 2});
}

py::array triangular_index(const Schedule& schedule) {
  return to_numpy<std::int64_t>(schedule.triangular_index(), {schedule.num_rotations()});
}

// Takes `angles` along its last axis by an index of K entries.
py::object take(const Schedule& schedule, const py::object& angles, const py::array& index) {
  CallArrays arrays;
  // NumPy's arrays may have any dtype.
  const py::array array = py::isinstance<py::array>(angles)
                              ? py::reinterpret_borrow<py::array>(angles)
                              : arrays.real_input(angles, "angles").numpy_view();
  const std::vector<std::int64_t> shape(array.shape(), array.shape() + array.ndim());
  if (shape.empty() || shape.back() != schedule.num_rotations()) {
    throw py::value_error("angles must have " + std::to_string(schedule.num_rotations()) +
                          " entries (schedule.num_rotations) along the last axis, got shape " +
                          std::string(py::str(array.attr("shape"))));
  }
  if (array.is(angles)) return array.attr("take")(index, py::arg("axis") = -1);
  const HostArray out =
      array.itemsize() == sizeof(float) ? arrays.make<float>(shape) : arrays.make<double>(shape);
  array.attr("take")(index, py::arg("axis") = -1, py::arg("out") = out.numpy_view());
  return arrays.result(out);
}

// One of the caller's rounds as an array of integers, (k, 2).
py::array_t<std::int64_t> to_round(const py::object& round, std::size_t number) {
  const std::string name = "rounds[" + std::to_string(number) + "]";
  py::array array;
  try {
    array = py::array(py::module_::import("numpy").attr("asarray")(round));
  } catch (const py::error_already_set& error) {
    if (!error.matches(PyExc_ValueError)) throw;
    throw py::value_error(name + " must be a list of pairs of integers");
  }
  if (array.size() == 0) return py::array_t<std::int64_t>(std::vector<py::ssize_t>{0, 2});
  const char kind = array.dtype().kind();
  if (kind != 'i' && kind != 'u') {
    throw py::type_error(name + " must hold integers, got " + std::string(py::str(array.dtype())));
  }
  if (array.ndim() != 2 || array.shape(1) != 2) {
    throw py::value_error(name + " must have shape (pairs, 2), got shape " +
                          std::string(py::str(array.attr("shape"))));
  }
  // The core refuses what is out of its range, but would not see a number that has wrapped around.
  const py::int_ most(std::numeric_limits<std::int64_t>::max());
  if (kind == 'u' && array.attr("max")() > most) {
    throw py::value_error(name + " must hold integers of 64 bits with a sign, got " +
                          std::string(py::str(array.attr("max")())));
  }
  return array.attr("astype")("int64");
}

Rounds to_rounds(const py::object& rounds) {
  if (!py::isinstance<py::iterable>(rounds)) {
    throw py::type_error("rounds must be a list of rounds, got " + type_name(rounds));
  }
  Rounds out;
  for (const py::handle item : rounds) {
    const auto array = to_round(py::reinterpret_borrow<py::object>(item), out.size());
    const auto entries = array.unchecked<2>();
    auto& round = out.emplace_back();
    round.reserve(static_cast<std::size_t>(entries.shape(0)));
    for (py::ssize_t k = 0; k < entries.shape(0); ++k)
      round.push_back({entries(k, 0), entries(k, 1)});
  }
  return out;
}

Schedule from_rounds(py::handle n, const py::object& rounds, py::handle columns) {
  const Rounds requested = to_rounds(rounds);
  return Schedule::from_rounds(to_integer(n, "n"), requested,
                               to_optional_integer(columns, "columns"));
}

Schedule blocks(py::handle schedule, py::handle count) {
  return Schedule::blocks(to_schedule(schedule), to_integer(count, "count"));
}

py::dict to_dict(const Schedule& schedule) {
  py::dict out;
  out["kind"] = schedule.kind_name();
  out["n"] = schedule.n();
  if (schedule.kind() == Schedule::Kind::team) out["size"] = schedule.team_size();
  if (schedule.kind() == Schedule::Kind::butterfly && schedule.passes() != 1) {
    out["passes"] = schedule.passes();
  }
  if (schedule.columns() < schedule.n()) out["columns"] = schedule.columns();
  if (schedule.kind() == Schedule::Kind::rounds) {
    py::list rounds;
    for (std::int64_t r = 0; r < schedule.num_rounds(); ++r) {
      py::list round;
      for (const Pair& pair : schedule.round(r)) {
        py::list entry;
        entry.append(pair.i);
        entry.append(pair.j);
        round.append(entry);
      }
      rounds.append(round);
    }
    out["rounds"] = rounds;
  }
  return out;
}

Schedule from_dict(const py::dict& description) {
  const auto keys = [&] { return std::string(py::str(py::list(description.attr("keys")()))); };
  std::size_t used = 0;
  const auto entry = [&](const char* key) -> py::object {
    if (!description.contains(key)) {
      throw py::value_error(std::string("description must have the key '") + key + "', got keys " +
                            keys());
    }
    ++used;
    return description[key];
  };
  const Schedule::KindInfo kind = kind_named(std::string(py::str(entry("kind"))));
  const std::int64_t n = to_integer(entry("n"), "n");
  std::optional<std::int64_t> size;
  std::optional<std::int64_t> columns;
  std::optional<std::int64_t> passes;
  Rounds rounds;
  if (kind.takes_size) size = to_integer(entry("size"), "size");
  if (kind.takes_columns && description.contains("columns")) {
    columns = to_optional_integer(entry("columns"), "columns");
  }
  if (kind.takes_passes && description.contains("passes")) {
    passes = to_integer(entry("passes"), "passes");
  }
  if (kind.kind == Schedule::Kind::rounds) rounds = to_rounds(entry("rounds"));
  if (used != description.size()) {
    throw py::value_error(std::string("description must have only the keys of kind ") + kind.name +
                          ", got keys " + keys());
  }
  return make_schedule(kind, n, size, columns, passes, rounds);
}

// Arguments that are not bound by name or number are refused in our words.
void refuse_others(py::class_<Schedule>& type, const char* name, std::string expected) {
  const auto refuse = [expected = std::move(expected)](const py::args& args,
                                                       const py::kwargs& kwargs) -> Schedule {
    std::string got;
    for (const py::handle argument : args) {
      got += (got.empty() ? "" : ", ") + std::string(py::repr(argument));
    }
    for (const auto& [key, value] : kwargs) {
      got += (got.empty() ? "" : ", ") + std::string(py::str(key)) + "=" +
             std::string(py::repr(value));
    }
    throw py::type_error("arguments must be as in " + expected + ", got (" + got + ")");
  };
  type.def_static(name, refuse);
}

// Defines the factory of a kind, with the arguments that the kind takes.
void define_factory(py::class_<Schedule>& type, const Schedule::KindInfo& kind) {
  const auto make = [kind](py::handle n, py::handle size, py::handle columns, py::handle passes) {
    return Schedule::from_kind(
        kind.kind, to_integer(n, "n"),
        kind.takes_size ? std::optional(to_integer(size, "size")) : std::nullopt,
        to_optional_integer(columns, "columns"),
        kind.takes_passes ? std::optional(to_integer(passes, "passes")) : std::nullopt);
  };
  const std::string text = docs::factory(kind);
  const py::arg of_n("n");
  const py::arg_v of_columns = py::arg("columns") = py::none();
  std::string expected =
      std::string("Schedule.") + kind.name + "(n" + (kind.takes_size ? ", size" : "") +
      (kind.takes_columns ? ", columns=None" : "") + (kind.takes_passes ? ", passes=1" : "") + ")";
  const py::none none;
  if (kind.takes_size) {
    const auto with_size = [make, none](py::handle n, py::handle size, py::handle columns) {
      return make(n, size, columns, none);
    };
    type.def_static(kind.name, with_size, of_n, py::arg("size"), of_columns, text.c_str());
  } else if (kind.takes_passes) {
    const auto with_passes = [make, none](py::handle n, py::handle passes) {
      return make(n, none, none, passes);
    };
    type.def_static(kind.name, with_passes, of_n, py::arg("passes") = 1, text.c_str());
  } else if (kind.takes_columns) {
    const auto with_columns = [make, none](py::handle n, py::handle columns) {
      return make(n, none, columns, none);
    };
    type.def_static(kind.name, with_columns, of_n, of_columns, text.c_str());
  } else {
    const auto with_n = [make, none](py::handle n) { return make(n, none, none, none); };
    type.def_static(kind.name, with_n, of_n, text.c_str());
  }
  refuse_others(type, kind.name, std::move(expected));
}

}  // namespace

void register_schedule(py::module_& module) {
  py::class_<Schedule> type(module, "Schedule", docs::kClass);
  // The class belongs to the public package, not to the module that happens to compile it.
  type.attr("__module__") = "givens";
  // The generated signatures would show the overloads that only refuse.
  py::options options;
  options.disable_function_signatures();
  std::string factories;
  for (const Schedule::KindInfo& kind : Schedule::kinds()) {
    if (kind.kind == Schedule::Kind::rounds) continue;
    define_factory(type, kind);
    factories += std::string("Schedule.") + kind.name + ", ";
  }
  type.def(py::init([factories](const py::args&, const py::kwargs&) -> Schedule {
    throw py::type_error("a schedule is made by one of " + factories +
                         "Schedule.from_rounds, Schedule.blocks and Schedule.from_dict, not by "
                         "Schedule(...)");
  }));
  type.def_static("from_rounds", &from_rounds, py::arg("n"), py::arg("rounds"),
                  py::arg("columns") = py::none(), docs::kFromRounds);
  refuse_others(type, "from_rounds", "Schedule.from_rounds(n, rounds, columns=None)");
  type.def_static("blocks", &blocks, py::arg("schedule"), py::arg("count"), docs::kBlocks);
  refuse_others(type, "blocks", "Schedule.blocks(schedule, count)");
  type.def_static("from_dict", &from_dict, py::arg("description"), docs::kFromDict)
      .def("to_dict", &to_dict, docs::kToDict)
      .def_property_readonly("kind", &Schedule::kind_name,
                             "Name of the kind: circle, xor, team, brickwall, butterfly, "
                             "wavefront or rounds.")
      .def_property_readonly("n", &Schedule::n, "Number of coordinates.")
      .def_property_readonly("columns", &Schedule::columns,
                             "Columns of `givens.matrix`; n if not given.")
      .def_property_readonly("num_rotations", &Schedule::num_rotations, "Number of angles, K.")
      .def_property_readonly("num_rounds", &Schedule::num_rounds, "Number of rounds.")
      .def_property_readonly("is_complete", &Schedule::is_complete,
                             "Whether every pair of coordinates meets exactly once.")
      .def_property_readonly(
          "pairs", [](const Schedule& s) { return pairs_to_numpy(s.pairs()); }, docs::kPairs)
      .def_property_readonly(
          "round_offsets",
          [](const Schedule& s) {
            std::vector<std::int64_t> offsets = s.round_offsets();
            return to_numpy<std::int64_t>(std::move(offsets), {s.num_rounds() + 1});
          },
          docs::kOffsets)
      .def(
          "round",
          [](const Schedule& s, py::handle r) {
            const std::int64_t index = to_integer(r, "r");
            if (index < 0 || index >= s.num_rounds()) {
              throw py::index_error(
                  "r must be at least 0 and below num_rounds = " + std::to_string(s.num_rounds()) +
                  ", got " + std::to_string(index));
            }
            return pairs_to_numpy(s.round(index));
          },
          py::arg("r"), docs::kRound)
      .def_property_readonly("triangular_index", &triangular_index, docs::kTriangularIndex)
      .def(
          "to_triangular",
          [](const Schedule& s, const py::object& angles) {
            return take(s, angles, triangular_index(s).attr("argsort")());
          },
          py::arg("angles"), docs::kToTriangular)
      .def(
          "from_triangular",
          [](const Schedule& s, const py::object& angles) {
            return take(s, angles, triangular_index(s));
          },
          py::arg("angles"), docs::kFromTriangular)
      .def("reversed", &Schedule::reversed, docs::kReversed)
      .def(
          "__add__", [](const Schedule& first, const Schedule& second) { return first + second; },
          py::is_operator(), py::arg("second"), docs::kAdd)
      .def(
          "__eq__", [](const Schedule& a, const Schedule& b) { return a == b; }, py::is_operator())
      .def("__hash__", &Schedule::hash)
      .def("__repr__", &Schedule::repr)
      .def("_repr_html_",
           [](const py::object& self) {
             PYBIND11_CONSTINIT static PackageObject html_of{"givens._picture", "html_of"};
             return html_of.get()(self);
           })
      // py::pickle does not work with the oldest protocols of pickle.
      .def("__reduce__", [](const py::object& self) {
        const py::object rebuild = py::module_::import("operator")
                                       .attr("methodcaller")("from_dict", self.attr("to_dict")());
        return py::make_tuple(rebuild, py::make_tuple(py::type::of(self)));
      });
}

}  // namespace givens::python
