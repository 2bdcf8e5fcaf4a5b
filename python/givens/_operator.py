"""A matrix that is kept, with the coefficients of its rotations."""

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from givens._checks import check_schedule
from givens._core import PreparedOperator, Schedule, matrix_shape
from givens._dispatch.libraries import exports_dlpack, is_on_gpu, library_of
from givens._gradients import RotateGradients
from givens._transform import matrix, rotate, rotate_vjp

_PARAMETERS = ("angles", "phases", "signs", "diagonal")
# What `save` writes has this number; a later version of the package may write another.
_FORMAT = 1


class Operator:
    """The orthogonal or unitary matrix of given parameters, prepared to be applied many times.

    `rotate` and the other functions find sines and cosines anew in every call. With few vectors,
    or few rotations for each coordinate, that takes longer than the rotations themselves. An
    operator finds them once, when they are first needed, and keeps them. It never changes, and any
    number of threads may use it. What it returns is the same to the last bit as without it.

    ``U @ x`` multiplies vectors or matrices, and `scipy.sparse.linalg` takes an operator wherever
    it takes a ``LinearOperator``.

    Parameters
    ----------
    angles, schedule, phases, signs, diagonal
        As in `matrix`. The operator copies them, but for arrays on a GPU that have neither `copy`
        nor `clone`, which must then not change. Leading axes make a batch of matrices.

    Attributes
    ----------
    schedule : Schedule
        The rotations.
    angles : array, (*batch, K)
        In radians. Read-only; NumPy's, or on a GPU of the library they came from.
    phases : array, (*batch, K), or None
        In radians.
    signs : array, (*batch, n), or None
        Each +1 or -1.
    diagonal : array, (*batch, n), or None
        In radians.
    shape : tuple of int
        ``(*batch, n, n)``.
    dtype : dtype
        float32 or float64 as the angles, or complex64 or complex128 with phases or a diagonal.

    Raises
    ------
    TypeError, ValueError
        As `matrix`.

    Notes
    -----
    Memory: the parameters in full for each matrix of the batch, and up to eight numbers for each
    rotation in each of the directions and gradients that are used. On a GPU, and for batches of
    small matrices (n up to 32), coefficients are still found in every call.

    Schedules with fewer columns than rows make an operator of all n coordinates, as in `rotate`.

    Examples
    --------
    >>> import numpy as np, givens
    >>> s = givens.Schedule.butterfly(8)
    >>> U = givens.Operator(np.linspace(0.0, 1.0, s.num_rotations), s)
    >>> U
    <Operator: 8 x 8, float64, Schedule.butterfly(8)>
    >>> x = np.arange(8.0)
    >>> bool(np.allclose(U.T @ (U @ x), x))
    True
    >>> bool(np.array_equal(U.rotate(x), givens.rotate(x, U.angles, s)))
    True
    """

    # So that NumPy leaves x @ U to U.
    __array_ufunc__ = None

    def __init__(
        self,
        angles: Any,
        schedule: Schedule,
        *,
        phases: Any = None,
        signs: Any = None,
        diagonal: Any = None,
    ) -> None:
        check_schedule(schedule)
        given = {"angles": angles, "phases": phases, "signs": signs, "diagonal": diagonal}
        self._schedule = schedule
        self._is_inverse = False
        self._like = angles  # for the library of the matrix
        self._prepared: PreparedOperator | None = None
        if is_on_gpu(angles):
            self._parameters = {k: None if x is None else _copy(x) for k, x in given.items()}
            shapes = [tuple(x.shape[:-1]) for x in self._parameters.values() if x is not None]
            self._batch = np.broadcast_shapes(*shapes)
            # That there are no vectors leaves the checks of the parameters.
            nothing = (*self._batch, 0, schedule.n)
            dtype = str(self.dtype) if self._is_complex else None
            self.rotate(library_of(angles).empty(nothing, self.angles, dtype))
        else:
            full = _in_full(schedule, given)
            self._batch = full["angles"].shape[:-1]
            self._parameters = full
            self._prepared = PreparedOperator(
                full["angles"], schedule, full["phases"], full["diagonal"], full["signs"]
            )

    @property
    def schedule(self) -> Schedule:
        """The rotations."""
        return self._schedule

    @property
    def angles(self) -> Any:
        """The angles, (*batch, K), in radians."""
        return self._parameters["angles"]

    @property
    def phases(self) -> Any:
        """The phases, (*batch, K), in radians, or None."""
        return self._parameters["phases"]

    @property
    def signs(self) -> Any:
        """The signs, (*batch, n), or None."""
        return self._parameters["signs"]

    @property
    def diagonal(self) -> Any:
        """The diagonal, (*batch, n), in radians, or None."""
        return self._parameters["diagonal"]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the matrices, (*batch, n, n)."""
        n = self._schedule.n
        return (*self._batch, n, n)

    @property
    def ndim(self) -> int:
        """The number of axes of `shape`."""
        return len(self.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the matrices."""
        real = np.dtype(str(self.angles.dtype).rpartition(".")[2])
        return np.result_type(real, np.complex64) if self._is_complex else real

    @property
    def _is_complex(self) -> bool:
        return self.phases is not None or self.diagonal is not None

    def __repr__(self) -> str:
        size = " x ".join(map(str, self.shape[-2:]))
        batch = f"batch {self._batch} of " if self._batch else ""
        inverse = ", inverse" if self._is_inverse else ""
        return f"<Operator: {batch}{size}, {self.dtype}, {self._schedule!r}{inverse}>"

    # --- Other matrices ---

    @property
    def H(self) -> "Operator":  # noqa: N802  (the name of NumPy and SciPy)
        """The inverse, which is the conjugate transpose. It shares all coefficients."""
        out = object.__new__(Operator)
        out.__dict__.update(self.__dict__)
        out._is_inverse = not self._is_inverse
        return out

    @property
    def T(self) -> "Operator":  # noqa: N802
        """The transpose: for a real operator its inverse."""
        return (self.conj() if self._is_complex else self).H

    def conj(self) -> "Operator":
        """Return the complex conjugate, which has the negative phases and diagonal."""
        if not self._is_complex:
            return self
        negative = {
            name: x if x is None or name in ("angles", "signs") else -x
            for name, x in self._parameters.items()
        }
        out = Operator(schedule=self._schedule, **negative)
        out._is_inverse = self._is_inverse
        return out

    def __getitem__(self, index: Any) -> "Operator":
        """Return the operator of one or some matrices of a batch."""
        if not self._batch:
            raise TypeError("an operator of a single matrix has no parts")
        index = index if isinstance(index, tuple) else (index,)
        chosen = {
            name: None if x is None else x[(*index, slice(None))]
            for name, x in self._parameters.items()
        }
        out = Operator(schedule=self._schedule, **chosen)
        out._is_inverse = self._is_inverse
        return out

    # --- Products ---

    def rotate(
        self,
        x: Any,
        *,
        axis: int = -1,
        inverse: bool = False,
        out: Any = None,
        num_threads: int | None = None,
    ) -> Any:
        """Multiply vectors by the matrix, as `givens.rotate` does.

        Parameters
        ----------
        x, axis, inverse, out, num_threads
            As in `givens.rotate`. x may be of any library, in the memory that the parameters are
            in.

        Returns
        -------
        array of the library of x
            As `givens.rotate`; `out` if it was given.

        Raises
        ------
        TypeError, ValueError, RuntimeError
            As `givens.rotate`.
        """
        backward = self._direction(inverse)
        if self._prepared is not None:
            return self._prepared.rotate(x, axis, backward, out, num_threads)
        return rotate(
            x,
            schedule=self._schedule,
            axis=axis,
            inverse=backward,
            out=out,
            num_threads=num_threads,
            **self._parameters,
        )

    def _direction(self, inverse: bool) -> bool:
        if not isinstance(inverse, bool):
            raise TypeError(f"inverse must be True or False, got {type(inverse).__name__}")
        return inverse != self._is_inverse

    def vjp(
        self,
        y: Any,
        gy: Any,
        *,
        axis: int = -1,
        inverse: bool = False,
        num_threads: int | None = None,
    ) -> RotateGradients[Any, Any]:
        """Compute gradients through `rotate` from its output, as `givens.rotate_vjp` does.

        Parameters
        ----------
        y, gy, axis, inverse, num_threads
            As in `givens.rotate_vjp`.

        Returns
        -------
        gradients : RotateGradients
            By x and by the parameters, which have the shapes of the attributes.

        Raises
        ------
        TypeError, ValueError, RuntimeError
            As `givens.rotate_vjp`.
        """
        backward = self._direction(inverse)
        if self._prepared is not None:
            return self._prepared.rotate_vjp(y, gy, axis, backward, num_threads)
        return rotate_vjp(
            y,
            gy,
            schedule=self._schedule,
            axis=axis,
            inverse=backward,
            num_threads=num_threads,
            **self._parameters,
        )

    def matrix(self, *, num_threads: int | None = None) -> Any:
        """Return the matrix, or all of a batch, as an array of the parameters' library.

        Parameters
        ----------
        num_threads
            As in `givens.matrix`.

        Returns
        -------
        array, (*batch, n, n)
        """
        n = self._schedule.n
        if self._prepared is None:
            if self._schedule.columns < n:
                raise ValueError(
                    "a matrix on a GPU must have as many columns as rows, got a schedule of "
                    f"{self._schedule.columns} of {n}"
                )
            U = matrix(schedule=self._schedule, num_threads=num_threads, **self._parameters)
        elif self._schedule.columns < n:
            identity = np.broadcast_to(np.eye(n, dtype=self.dtype), self.shape)
            U = self._prepared.rotate(identity, -2, False, None, num_threads)
        else:
            U = self._prepared.matrix(num_threads)
        if self._is_inverse:
            U = U.conj().swapaxes(-1, -2)
        if self._prepared is not None and not isinstance(self._like, np.ndarray):
            U = library_of(self._like).from_numpy(np.ascontiguousarray(U), self._like)
        return U

    def __matmul__(self, x: Any) -> Any:
        """Multiply a vector (n,), or matrices (..., n, m), as NumPy's ``matmul`` does."""
        other = _scipy_operator(x)
        if other is not None:
            return other(self) @ x
        if not hasattr(x, "ndim") or isinstance(x, Operator):
            return NotImplemented
        if x.ndim == 0:
            raise ValueError("x must have at least one axis, got a number")
        if x.ndim == 1:
            return self._product(x[:, None])[..., 0]
        return self._product(x)

    def __rmatmul__(self, x: Any) -> Any:
        """Multiply a vector (n,), or matrices (..., m, n), from the right."""
        if not hasattr(x, "ndim"):
            return NotImplemented
        if x.ndim == 0:
            raise ValueError("x must have at least one axis, got a number")
        if x.ndim == 1:
            return self.T @ x
        return self.T._product(x.swapaxes(-1, -2)).swapaxes(-1, -2)

    def _product(self, x: Any) -> Any:
        """Multiply matrices, whose batch axes are aligned at the end."""
        missing = len(self._batch) + 2 - x.ndim
        if missing < 0 and self._batch:
            raise ValueError(
                f"x must have at most {len(self._batch) + 2} axes with an operator of shape "
                f"{self.shape}, got shape {tuple(x.shape)}: rotate has other rules"
            )
        if missing > 0:
            x = x[(None,) * missing + (...,)]
        return self.rotate(x, axis=-2)

    # --- What scipy.sparse.linalg asks for ---

    def matvec(self, x: NDArray[Any]) -> NDArray[Any]:
        """Multiply a vector (n,) or (n, 1). Numbers of another dtype are converted."""
        return self._vector_product(x)

    def rmatvec(self, x: NDArray[Any]) -> NDArray[Any]:
        """Multiply a vector by the inverse."""
        return self.H._vector_product(x)

    def matmat(self, x: NDArray[Any]) -> NDArray[Any]:
        """Multiply a matrix (n, m). Numbers of another dtype are converted."""
        return self @ self._converted(x)  # type: ignore[no-any-return]

    def rmatmat(self, x: NDArray[Any]) -> NDArray[Any]:
        """Multiply a matrix by the inverse."""
        return self.H @ self._converted(x)  # type: ignore[no-any-return]

    def _vector_product(self, x: Any) -> NDArray[Any]:
        vector = self._converted(x)
        return self.rotate(vector.reshape(-1)).reshape(vector.shape)  # type: ignore[no-any-return]

    def _converted(self, x: Any) -> NDArray[Any]:
        if self._batch:
            raise ValueError(f"this needs the operator of a single matrix, got shape {self.shape}")
        x = np.asarray(x)
        wanted = self.dtype
        if np.iscomplexobj(x):
            wanted = np.result_type(wanted, np.complex64)
        converted: NDArray[Any] = x.astype(wanted, copy=False)
        return converted

    # --- Keeping ---

    def save(self, file: Any) -> None:
        """Write the operator to a file, or a path, in NumPy's npz format; `load` reads it.

        Examples
        --------
        >>> import io, numpy as np, givens
        >>> U = givens.Operator(np.array([0.5]), givens.Schedule.xor(2))
        >>> file = io.BytesIO()
        >>> U.save(file)
        >>> _ = file.seek(0)
        >>> givens.Operator.load(file)
        <Operator: 2 x 2, float64, Schedule.xor(2)>
        """
        if self._prepared is None:
            raise TypeError("an operator on a GPU cannot be saved: make one on the CPU first")
        arrays = {name: x for name, x in self._parameters.items() if x is not None}
        np.savez(
            file,
            format=np.int64(_FORMAT),
            schedule=np.array(json.dumps(self._schedule.to_dict())),
            inverse=np.bool_(self._is_inverse),
            **arrays,
        )

    @staticmethod
    def load(file: Any) -> "Operator":
        """Read an operator that `save` wrote.

        Raises
        ------
        ValueError
            If the file is no such file, or of a format that this version does not know.
        """
        with np.load(file, allow_pickle=False) as saved:
            if "format" not in saved or "schedule" not in saved:
                raise ValueError("file must be one that Operator.save wrote")
            if int(saved["format"]) != _FORMAT:
                raise ValueError(
                    f"file must have format {_FORMAT}, got {int(saved['format'])}, of another "
                    "version of givens"
                )
            schedule = Schedule.from_dict(json.loads(str(saved["schedule"])))
            parameters = {name: saved[name] for name in _PARAMETERS if name in saved}
            inverse = bool(saved["inverse"])
        return _restored(schedule, parameters, inverse)

    def __reduce__(self) -> Any:
        return _restored, (self._schedule, self._parameters, self._is_inverse)


def _restored(schedule: Schedule, parameters: dict[str, Any], is_inverse: bool) -> Operator:
    out = Operator(schedule=schedule, **parameters)
    return out.H if is_inverse else out


def _copy(x: Any) -> Any:
    """Copy an array on a GPU; one of a library that has no way to copy is kept as it is."""
    copy = getattr(x, "clone", None) or getattr(x, "copy", None)
    return copy() if copy else x


def _in_full(schedule: Schedule, given: dict[str, Any]) -> dict[str, Any]:
    """Return read-only copies of the parameters with all batch axes."""
    arrays: dict[str, Any] = {}
    for name, x in given.items():
        if x is not None and not isinstance(x, np.ndarray) and exports_dlpack(x):
            library_of(x).check(x, name)
            x = np.from_dlpack(x)
        arrays[name] = x
    shape = matrix_shape(
        arrays["angles"], schedule, arrays["phases"], arrays["diagonal"], arrays["signs"], None
    )
    for name, x in arrays.items():
        if x is not None:
            full = np.array(np.broadcast_to(x, (*shape[:-2], x.shape[-1])))
            full.flags.writeable = False
            arrays[name] = full
    return arrays


def _scipy_operator(x: object) -> Any:
    """Return the function that makes SciPy's operators, if x is one."""
    if type(x).__module__.partition(".")[0] != "scipy" or not hasattr(x, "matvec"):
        return None
    from scipy.sparse.linalg import aslinearoperator

    return aslinearoperator
