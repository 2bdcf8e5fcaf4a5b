"""The arguments of a call besides its arrays."""

from typing import Any, NamedTuple

import jax.numpy as jnp

from givens._core import Schedule


class Setting(NamedTuple):
    """The static arguments of a call, which JAX compares and hashes.

    Calls take their arrays in this order: vectors, parameters, tangents of vectors, tangents of
    parameters. Parameters are the angles and then what is `given` of phases, diagonal and signs.
    They have one batch shape, the vectors' leading axes, but for axes of 1 that are repeated.
    """

    schedule: Schedule
    given: tuple[str, ...]
    axis: int = -1  # negative, since batching puts axes before it
    inverse: bool = False
    num_threads: int | None = None

    @property
    def num_parameters(self) -> int:
        """The number of parameters with the angles."""
        return 1 + len(self.given)

    @property
    def num_differentiable(self) -> int:
        """The number of parameters without the signs, which are the last."""
        return self.num_parameters - ("signs" in self.given)

    def named(self, parameters: tuple[Any, ...]) -> dict[str, Any]:
        """Return parameters by their names."""
        return dict(zip(("angles", *self.given), parameters, strict=True))

    def split(self, arrays: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """Separate parameters from what follows them."""
        return arrays[: self.num_parameters], arrays[self.num_parameters :]

    def inverted(self) -> "Setting":
        """Return the setting of the inverse."""
        return self._replace(inverse=not self.inverse)

    def of_columns(self) -> "Setting":
        """Return the setting in which the columns of matrices are the vectors."""
        return self._replace(axis=-2, inverse=False)

    def dtype_of_matrix(self, parameters: tuple[Any, ...]) -> Any:
        """Return the dtype of U, which is complex with phases or a diagonal."""
        dtype = parameters[0].dtype
        is_complex = "phases" in self.given or "diagonal" in self.given
        return jnp.promote_types(dtype, jnp.complex64) if is_complex else dtype
