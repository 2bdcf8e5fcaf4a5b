"""Two processes that compute together, over gloo."""

import multiprocessing
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from pathlib import Path

import pytest
import torch
import torch.distributed as dist

# Both processes are forks of one that has imported what takes long.
_IMPORTED = ["torch._dynamo", "torch.distributed.fsdp", "torch.distributed.tensor", "givens.torch"]


def _serve(rank: int, folder: Path, connection: Connection) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    while (function := connection.recv()) is not None:
        try:
            function(rank)
            connection.send("")
        except BaseException:
            connection.send(traceback.format_exc())
    dist.destroy_process_group()


class TwoProcesses:
    """Calls functions in both processes, ``function(rank)``. After a failure there are new ones."""

    def __init__(self, make_folder: Callable[[], Path]) -> None:
        self._make_folder = make_folder
        self._started: list[tuple[multiprocessing.Process, Connection]] = []

    def __call__(self, function: Callable[[int], None]) -> None:
        if not self._started:
            self._start()
        own = {connection: rank for rank, (_, connection) in enumerate(self._started)}
        for connection in own:
            connection.send(function)
        while own:
            for connection in wait([*own]):
                rank = own.pop(connection)
                try:
                    failure = connection.recv()
                except EOFError:
                    failure = "it has ended"
                if failure:  # the other one may wait for it
                    for process, _ in self._started:
                        process.kill()
                    self._started = []
                    pytest.fail(f"process {rank}: {failure}")

    def stop(self) -> None:
        for _, connection in self._started:
            connection.send(None)
        for process, _ in self._started:
            process.join()

    def _start(self) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(_IMPORTED)
        folder = self._make_folder()
        for rank in range(2):
            here, there = context.Pipe()
            process = context.Process(target=_serve, args=(rank, folder, there), daemon=True)
            process.start()
            there.close()
            self._started.append((process, here))
