"""Schedules and `givens.Parameters` in the trees of JAX.

A schedule is part of a tree's structure, as static data. `givens.Parameters`, a named tuple, has
its arrays as leaves.
"""

import json

import jax
from jax import export

from givens import Parameters
from givens._core import Schedule

jax.tree_util.register_static(Schedule)

# So that exported functions can have them as arguments and results.
export.register_namedtuple_serialization(Parameters, serialized_name="givens.Parameters")
export.register_pytree_node_serialization(
    Schedule,
    serialized_name="givens.Schedule",
    serialize_auxdata=lambda schedule: json.dumps(schedule.to_dict()).encode(),
    deserialize_auxdata=lambda text: Schedule.from_dict(json.loads(text)),
)
