"""Capsules of DLPack, made with ctypes, and how many of them were given back."""

import ctypes
from typing import Any


class _Tensor(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    ]


_Deleter = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


class _Managed(ctypes.Structure):
    _fields_ = [("tensor", _Tensor), ("context", ctypes.c_void_p), ("deleter", _Deleter)]


class _Versioned(ctypes.Structure):
    _fields_ = [
        ("major", ctypes.c_uint32),
        ("minor", ctypes.c_uint32),
        ("context", ctypes.c_void_p),
        ("deleter", _Deleter),
        ("flags", ctypes.c_uint64),
        ("tensor", _Tensor),
    ]


# DLPack's codes of types, by the kinds of NumPy's dtypes.
CODES = {"f": 2, "c": 5, "i": 0, "b": 6}

READ_ONLY, COPIED = 1, 2

_new_capsule = ctypes.pythonapi.PyCapsule_New
_new_capsule.restype = ctypes.py_object
_new_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]

_get_name = ctypes.pythonapi.PyCapsule_GetName
_get_name.restype = ctypes.c_char_p
_get_name.argtypes = [ctypes.py_object]


def name_of(capsule: object) -> str:
    """Return the name, which tells whether a consumer has taken the array out."""
    return _get_name(capsule).decode()


class Exports:
    """What consumers got, and how often they called the deleters."""

    def __init__(self) -> None:
        self.made = 0
        self.deleted = 0
        self._alive: dict[int, tuple[Any, ...]] = {}

    def capsule(
        self,
        owner: object,
        *,
        data: int,
        device: tuple[int, int],
        dtype: tuple[int, int, int],
        shape: tuple[int, ...],
        strides: tuple[int, ...] | None,
        byte_offset: int = 0,
        version: int | None = 1,
        flags: int = 0,
        has_deleter: bool = True,
    ) -> object:
        """Make a capsule whose structure, and the owner of the memory, live until the deleter is
        called. `version` is the major one; None: from before there were versions.
        """
        extents = (ctypes.c_int64 * len(shape))(*shape)
        steps = None if strides is None else (ctypes.c_int64 * len(shape))(*strides)
        tensor = _Tensor(data, *device, len(shape), *dtype, extents, steps, byte_offset)
        if version is None:
            managed, name = _Managed(tensor), b"dltensor"
        else:
            managed = _Versioned(version, 0, None, _Deleter(), flags, tensor)
            name = b"dltensor_versioned"

        def delete(pointer: int) -> None:
            self.deleted += 1
            # An exception here would be lost; a second call finds nothing and is counted.
            self._alive.pop(pointer, None)

        if has_deleter:
            managed.deleter = _Deleter(delete)
            self.made += 1
        address = ctypes.addressof(managed)
        self._alive[address] = (managed, name, owner, extents, steps)
        return _new_capsule(address, name, None)
