// givens.Schedule.
#include "givens/schedule.hpp"

#include <pybind11/numpy.h>

#include "arguments.hpp"
#include "arrays/host.hpp"
#include "register.hpp"

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
  // NumPy's may have any dtype.
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
  // Out of every range, and so for the core to refuse; but it must not wrap around.
  const py::int_ most(std::numeric_limits<std::int64_t>::max());
  if (kind == 'u' && array.attr("max")() > most) {
    throw py::value_error(name + " must hold integers of 64 bits with a sign, got " +
                          std::string(py::str(array.attr("max")())));
  }
  return array.attr("astype")("int64");
}

Schedule from_rounds(py::handle n, const py::object& rounds, py::handle columns) {
  if (!py::isinstance<py::iterable>(rounds)) {
    throw py::type_error("rounds must be a list of rounds, got " + type_name(rounds));
  }
  std::vector<std::vector<Schedule::RequestedPair>> requested;
  for (const py::handle item : rounds) {
    const auto array = to_round(py::reinterpret_borrow<py::object>(item), requested.size());
    const auto entries = array.unchecked<2>();
    auto& round = requested.emplace_back();
    round.reserve(static_cast<std::size_t>(entries.shape(0)));
    for (py::ssize_t k = 0; k < entries.shape(0); ++k)
      round.push_back({entries(k, 0), entries(k, 1)});
  }
  return Schedule::from_rounds(to_integer(n, "n"), requested,
                               to_optional_integer(columns, "columns"));
}

py::dict to_dict(const Schedule& schedule) {
  py::dict out;
  out["kind"] = schedule.kind_name();
  out["n"] = schedule.n();
  if (schedule.kind() == Schedule::Kind::team) out["size"] = schedule.team_size();
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
  std::size_t used = 0;
  const auto entry = [&](const char* key) -> py::object {
    if (!description.contains(key)) {
      throw py::value_error(std::string("description must have the key '") + key + "', got keys " +
                            std::string(py::str(py::list(description.attr("keys")()))));
    }
    ++used;
    return description[key];
  };
  const py::object columns = description.contains("columns") ? entry("columns") : py::none();
  const auto kind = std::string(py::str(entry("kind")));
  const std::int64_t n = to_integer(entry("n"), "n");
  const auto m = to_optional_integer(columns, "columns");
  const auto build = [&]() -> Schedule {
    if (kind == "circle") return Schedule::circle(n, m);
    if (kind == "xor") return Schedule::xor_(n, m);
    if (kind == "team") return Schedule::team(n, to_integer(entry("size"), "size"), m);
    if (kind == "rounds") return from_rounds(py::int_(n), entry("rounds"), columns);
    if (kind == "brickwall" && !m) return Schedule::brickwall(n);
    if (kind == "butterfly" && !m) return Schedule::butterfly(n);
    throw py::value_error(
        "kind must be circle, xor, team, rounds, or without columns brickwall or butterfly, got " +
        kind);
  };
  Schedule schedule = build();
  if (used != description.size()) {
    throw py::value_error("description must have no other keys than those of kind " + kind +
                          ", got keys " +
                          std::string(py::str(py::list(description.attr("keys")()))));
  }
  return schedule;
}

constexpr const char* kClass = R"(An ordered list of rounds of plane rotations.

A round is a set of disjoint pairs of coordinates; its rotations commute and run at once. Round 0 is
applied first: ``U = G[K-1] @ ... @ G[1] @ G[0]``. Angles belong to rotations in schedule order: round by
round, and within a round in the order of its pairs.

A schedule is an immutable value. It compares, hashes, pickles and prints, and is made by one of
`circle`, `xor`, `team`, `brickwall`, `butterfly`, `from_rounds` and `from_dict`. Only the rounds given to
`from_rounds` are stored; those of the other kinds are computed when asked for.

With ``columns=m`` smaller than n, the pairs in which both coordinates are at least m are dropped, which
leaves ``n(n-1)/2 - k(k-1)/2`` rotations, ``k = n - m``: the dimension of the Stiefel manifold of n x m
frames. `givens.matrix` then returns the frame ``U[:, :m]``.

A schedule has fewer than 2**31 rotations: n = 65536 at most if all pairs meet.

Examples
--------
>>> import givens
>>> s = givens.Schedule.xor(4)
>>> s
Schedule.xor(4)
>>> s.num_rounds, s.num_rotations
(3, 6)
>>> s.pairs.tolist()
[[0, 1], [2, 3], [0, 2], [1, 3], [0, 3], [1, 2]]
)";

constexpr const char* kCircle = R"(The round robin by the circle method, the schedule of the paper.

n - 1 rounds for even n, n for odd n; every pair meets once. The order is that of the paper's authors'
code (arXiv 2106.00003, section 3): with N the even one of n and n + 1, round r is step N - 2 - r of the
circle.

Parameters
----------
n : int
    Number of coordinates, at least 0.
columns : int, optional
    Columns of the frame, 0 to n; see the class.

Raises
------
ValueError
    If n or columns is out of range.

Examples
--------
>>> import givens
>>> givens.Schedule.circle(4).pairs.tolist()
[[0, 2], [1, 3], [0, 1], [2, 3], [0, 3], [1, 2]]
)";

constexpr const char* kXor =
    R"(Round r = 1 .. N - 1 pairs i with ``i ^ r``, N the next power of two.

Pairs with a coordinate of n or more are dropped; every pair meets once. Aligned at every power of two,
this is the fastest schedule.

Parameters
----------
n : int
    Number of coordinates, at least 0.
columns : int, optional
    Columns of the frame, 0 to n; see the class.

Raises
------
ValueError
    If n or columns is out of range.

Examples
--------
>>> import givens
>>> givens.Schedule.xor(3).pairs.tolist()
[[0, 1], [0, 2], [1, 2]]
)";

constexpr const char* kTeam =
    R"(Teams of consecutive coordinates: the order of the authors' second kernel.

Teams are `size` consecutive coordinates; where `size` does not divide n, the last team is smaller. First
each team plays the steps of a circle of its own number of players, in rising order; then come the circle's
rounds between teams, each match of which takes `size` rounds (arXiv 2106.00003, "TeamRR" in the authors'
code). Every pair meets once.

Parameters
----------
n : int
    Number of coordinates, at least 0; not necessarily a multiple of `size`.
size : int
    Coordinates in a team, 1 to 65536; even in the authors' code. An odd team has a bye in each of its
    steps, and with 1 this is `circle`.
columns : int, optional
    Columns of the frame, 0 to n; see the class.

Raises
------
ValueError
    If n, size or columns is out of range.

Examples
--------
>>> import givens
>>> givens.Schedule.team(4, 2).pairs.tolist()
[[0, 1], [2, 3], [0, 2], [1, 3], [0, 3], [1, 2]]
)";

constexpr const char* kBrickwall =
    R"(n rounds of nearest neighbours; round r pairs i with i + 1 for i = r mod 2, step 2.

Has n(n-1)/2 rotations, and any rotation matrix can be decomposed into it (Clements meshes).

Parameters
----------
n : int
    Number of coordinates, at least 0.

Raises
------
ValueError
    If n is out of range.

Examples
--------
>>> import givens
>>> givens.Schedule.brickwall(3).pairs.tolist()
[[0, 1], [1, 2], [0, 1]]
)";

constexpr const char* kButterfly =
    R"(Rounds 1, 2, 4, ... of `xor`: O(n log n) rotations in log2 n rounds.

Parameters
----------
n : int
    Number of coordinates, at least 0.

Raises
------
ValueError
    If n is out of range.

Examples
--------
>>> import givens
>>> givens.Schedule.butterfly(4).pairs.tolist()
[[0, 1], [2, 3], [0, 2], [1, 3]]
)";

constexpr const char* kFromRounds = R"(A schedule of the caller's rounds.

Parameters
----------
n : int
    Number of coordinates, at least 0.
rounds : iterable of rounds
    Each round a list of pairs or an integer array of shape (pairs, 2). A pair may be given in either
    order; it is stored, and its rotation turns, with the smaller coordinate first.
columns : int, optional
    Drops the pairs in which both coordinates are `columns` or more; see the class.

Raises
------
ValueError
    If a coordinate is not in 0 .. n - 1, a pair has two equal coordinates, or two pairs of a round share
    one; the message says which.
TypeError
    If the coordinates are not integers.

Examples
--------
>>> import givens
>>> s = givens.Schedule.from_rounds(4, [[(0, 1), (2, 3)], [(1, 2)]])
>>> s.num_rotations
3
)";

constexpr const char* kPairs =
    R"(The pairs (i, j), i < j, of all rotations in schedule order: int32, (K, 2).

A new array every time, at O(K) cost.)";

constexpr const char* kOffsets = R"(Where each round starts: int64, (num_rounds + 1,).

Round r holds the rotations ``offsets[r] .. offsets[r + 1] - 1``.)";

constexpr const char* kTriangularIndex =
    R"(The place of each rotation in the triangular order: int64, (K,).

In the order of the paper's authors' code the pair (i, j) has index ``i*n - (i+2)*(i+1)/2 + j``. Raises
ValueError if the schedule does not hold each pair with i < columns exactly once.)";

constexpr const char* kToTriangular = R"(Reorder angles from schedule order to the triangular order.

Parameters
----------
angles : array, (..., K)
    In schedule order. Of NumPy, any dtype; of another library float32 or float64, in the CPU's
    memory.

Returns
-------
array of the caller's library, (..., K)
    In the order of the paper's authors' code; see `triangular_index`.

Raises
------
TypeError
    If angles are no array, or of another library and in other memory or of another dtype.
ValueError
    If the last axis has not K entries, or the schedule has no triangular order.

Examples
--------
>>> import givens, numpy as np
>>> s = givens.Schedule.xor(3)  # pairs (0, 1), (0, 2), (1, 2)
>>> s.to_triangular(np.array([0.1, 0.2, 0.3]))
array([0.1, 0.2, 0.3])
)";

constexpr const char* kFromTriangular =
    R"(Reorder angles from the triangular order to schedule order.

The inverse of `to_triangular`, with the same shapes and errors.

Examples
--------
>>> import givens, numpy as np
>>> s = givens.Schedule.circle(3)  # pairs (0, 2), (0, 1), (1, 2)
>>> s.from_triangular(np.array([0.1, 0.2, 0.3]))
array([0.2, 0.1, 0.3])
)";

constexpr const char* kToDict =
    R"(A compact description, of JSON's types only, from which `from_dict` rebuilds the schedule.

Examples
--------
>>> import givens
>>> givens.Schedule.team(64, 16, columns=10).to_dict()
{'kind': 'team', 'n': 64, 'size': 16, 'columns': 10}
)";

constexpr const char* kFromDict = R"(The schedule that `to_dict` described.

Raises
------
ValueError
    If the description has an unknown kind, or keys that are missing or unknown.

Examples
--------
>>> import givens
>>> givens.Schedule.from_dict({"kind": "xor", "n": 64})
Schedule.xor(64)
)";

constexpr const char* kRound =
    R"(The pairs of round r: int32, (pairs, 2). Raises IndexError if there is no round r.)";

}  // namespace

void register_schedule(py::module_& module) {
  py::class_<Schedule> type(module, "Schedule", kClass);
  // The class belongs to the public package, not to the module that happens to compile it.
  type.attr("__module__") = "givens";
  type.def_static(
          "circle",
          [](py::handle n, py::handle columns) {
            return Schedule::circle(to_integer(n, "n"), to_optional_integer(columns, "columns"));
          },
          py::arg("n"), py::arg("columns") = py::none(), kCircle)
      .def_static(
          "xor",
          [](py::handle n, py::handle columns) {
            return Schedule::xor_(to_integer(n, "n"), to_optional_integer(columns, "columns"));
          },
          py::arg("n"), py::arg("columns") = py::none(), kXor)
      .def_static(
          "team",
          [](py::handle n, py::handle size, py::handle columns) {
            return Schedule::team(to_integer(n, "n"), to_integer(size, "size"),
                                  to_optional_integer(columns, "columns"));
          },
          py::arg("n"), py::arg("size"), py::arg("columns") = py::none(), kTeam)
      .def_static(
          "brickwall", [](py::handle n) { return Schedule::brickwall(to_integer(n, "n")); },
          py::arg("n"), kBrickwall)
      .def_static(
          "butterfly", [](py::handle n) { return Schedule::butterfly(to_integer(n, "n")); },
          py::arg("n"), kButterfly)
      .def_static("from_rounds", &from_rounds, py::arg("n"), py::arg("rounds"),
                  py::arg("columns") = py::none(), kFromRounds)
      .def_static("from_dict", &from_dict, py::arg("description"), kFromDict)
      .def("to_dict", &to_dict, kToDict)
      .def_property_readonly(
          "kind", &Schedule::kind_name,
          "The name of its rule: circle, xor, team, brickwall, butterfly or rounds.")
      .def_property_readonly("n", &Schedule::n, "Number of coordinates.")
      .def_property_readonly("columns", &Schedule::columns,
                             "Columns of `givens.matrix`; n if not given.")
      .def_property_readonly("num_rotations", &Schedule::num_rotations, "Number of angles, K.")
      .def_property_readonly("num_rounds", &Schedule::num_rounds, "Number of rounds.")
      .def_property_readonly("is_complete", &Schedule::is_complete,
                             "Whether every pair of coordinates meets exactly once.")
      .def_property_readonly(
          "pairs", [](const Schedule& s) { return pairs_to_numpy(s.pairs()); }, kPairs)
      .def_property_readonly(
          "round_offsets",
          [](const Schedule& s) {
            std::vector<std::int64_t> offsets = s.round_offsets();
            return to_numpy<std::int64_t>(std::move(offsets), {s.num_rounds() + 1});
          },
          kOffsets)
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
          py::arg("r"), kRound)
      .def_property_readonly("triangular_index", &triangular_index, kTriangularIndex)
      .def(
          "to_triangular",
          [](const Schedule& s, const py::object& angles) {
            return take(s, angles, triangular_index(s).attr("argsort")());
          },
          py::arg("angles"), kToTriangular)
      .def(
          "from_triangular",
          [](const Schedule& s, const py::object& angles) {
            return take(s, angles, triangular_index(s));
          },
          py::arg("angles"), kFromTriangular)
      .def(
          "__eq__", [](const Schedule& a, const Schedule& b) { return a == b; }, py::is_operator())
      .def("__hash__", &Schedule::hash)
      .def("__repr__", &Schedule::repr)
      // Not py::pickle, which pickle's oldest protocols do not get on with.
      .def("__reduce__", [](const py::object& self) {
        const py::object rebuild = py::module_::import("operator")
                                       .attr("methodcaller")("from_dict", self.attr("to_dict")());
        return py::make_tuple(rebuild, py::make_tuple(py::type::of(self)));
      });
}

}  // namespace givens::python
