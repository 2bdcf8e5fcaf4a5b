"""Checks that the compiled CUDA module loads where there is no driver, and says so.

Usage: check_module.py _cuda.*.so
"""

import importlib.util
import re
import sys

import numpy as np
import pytest

import givens


def main() -> None:
    spec = importlib.util.spec_from_file_location("givens._cuda", sys.argv[1])
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["givens._cuda"] = module
    spec.loader.exec_module(module)
    reason = givens.cuda.unavailable_reason()
    assert givens.cuda.is_available() == (reason is None)
    print("reason:", reason)
    if reason is not None:
        with pytest.raises(RuntimeError, match=re.escape(reason)):
            givens.cuda.prepare(givens.Schedule.xor(4))
    U = givens.matrix(np.zeros(6), givens.Schedule.xor(4))
    np.testing.assert_array_equal(U, np.eye(4))


if __name__ == "__main__":
    main()
