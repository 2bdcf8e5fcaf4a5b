"""Checks that the compiled CUDA module loads where there is no driver, and says so.

Usage: check_module.py _cuda.*.so
"""

import importlib.util
import sys

import numpy as np

import givens


def main() -> None:
    spec = importlib.util.spec_from_file_location("givens._cuda", sys.argv[1])
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["givens._cuda"] = module
    spec.loader.exec_module(module)
    reason = givens.cuda.unavailable_reason()
    assert givens.cuda.is_available() == (reason is None)
    print("reason:", reason)
    if reason is not None:
        try:
            givens.cuda.prepare(givens.Schedule.xor(4))
        except RuntimeError as error:
            assert reason in str(error), error
        else:
            raise AssertionError("a call did not say why it cannot run")
    U = givens.matrix(np.zeros(6), givens.Schedule.xor(4))
    assert (U == np.eye(4)).all()


if __name__ == "__main__":
    main()
