"""What a call is about besides its arrays."""

from typing import Any, NamedTuple

import jax.numpy as jnp

from givens._core import Schedule


class Setting(NamedTuple):
    """The static arguments of a call, which JAX compares and hashes.

    Calls take their arrays in this order: vectors, parameters, tangents of vectors, tangents of
    parameters. Parameters are the angles and then those `given`: phases, diagonal, signs. They have
    one batch shape, which is that of the vectors' leading axes; an axis of theirs may be 1 where
    that of the vectors is not.
    """

    schedule: Schedule
    given: tuple[str, ...]
    axis: int = -1  # negative: axes may come before it
    inverse: bool = False
    num_threads: int | None = None

    @property
    def num_parameters(self) -> int:
        """Angles included."""
        return 1 + len(self.given)

    @property
    def num_differentiable(self) -> int:
        """All but the signs, which are the last."""
        return self.num_parameters - ("signs" in self.given)

    def named(self, parameters: tuple[Any, ...]) -> dict[str, Any]:
        """Parameters by their names."""
        return dict(zip(("angles", *self.given), parameters, strict=True))

    def split(self, arrays: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """Separate parameters from what follows them."""
        return arrays[: self.num_parameters], arrays[self.num_parameters :]

    def inverted(self) -> "Setting":
        """Return the setting of the inverse."""
        return self._replace(inverse=not self.inverse)

    def of_columns(self) -> "Setting":
        """Return that of the columns of matrices as vectors."""
        return self._replace(axis=-2, inverse=False)

    def dtype_of_matrix(self, parameters: tuple[Any, ...]) -> Any:
        """Complex with phases or a diagonal."""
        dtype = parameters[0].dtype
        is_complex = "phases" in self.given or "diagonal" in self.given
        return jnp.promote_types(dtype, jnp.complex64) if is_complex else dtype
