"""Workers on a Ray cluster: actors that get one item at a time. Ray is imported when a cluster is asked for."""

import os
import pickle
import secrets
import socket
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import BrokenExecutor, Future
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch

import masklet
from masklet.errors import InvalidInputError
from masklet.jobs.lanes import Lane, MachineLost, Work
from masklet.jobs.worker_processes import use_threads

Item = TypeVar("Item")
Made = TypeVar("Made")

LOCAL = "local"
LEAST_STORE = 80 * 2**20  # bytes: rows are paths and prompts, results are files; the default is a third of the RAM

MACHINE_ENDED = "node was terminated expectedly"
"""In the text of the error alone; Ray's `preempted` is of machines that its autoscaler drains."""


@dataclass(frozen=True)
class RayShare:
    """What of a cluster each worker gets.

    Attributes:
        cpus: cores, which are its threads.
        gpus: 1 where it computes on one.
    """

    cpus: int
    gpus: int


class RayCluster:
    """A cluster that this process is connected to.

    Args:
        ray: the module.
    """

    def __init__(self, ray: Any) -> None:
        self._ray = ray
        machines = [each["Resources"] for each in ray.nodes() if each["Alive"]]
        self._cpus = [int(each["CPU"]) for each in machines if each.get("CPU", 0) >= 1] or [1]
        self._gpus = sum(int(each.get("GPU", 0)) for each in machines)

    def device(self, asked: str | None) -> str:
        """Return where the workers compute: on GPUs if there are any, unless something else is asked for."""
        return asked or ("cuda" if self._gpus else "cpu")

    def lanes(
        self, work: Work[Item, Made], device: str, shared: Path, workers: int | None = None
    ) -> list[Callable[[], Lane[Item, Made]]]:
        """Return what opens an actor for each worker.

        More workers than the cluster has room for wait until it has grown, or others have ended.

        Args:
            work: what each does; goes there by pickle, once.
            device: where it computes.
            shared: a file or folder that every machine has to see.
            workers: how many; None: one a GPU, or one a machine where there are none.
        """
        needs_gpu = device.startswith("cuda")  # of a cluster, perhaps, that gets its first one when it is asked for
        count = workers or (self._gpus if needs_gpu else 0) or len(self._cpus)
        cpus = min(sum(self._cpus) // count, *self._cpus)  # no more than there is on every machine
        share = RayShare(max(1, cpus), int(needs_gpu))
        pickled = self._ray.put(pickle.dumps(work))
        return [partial(RayLane, self._ray, pickled, shared, share)] * count


@contextmanager
def ray_cluster(address: str) -> Iterator[RayCluster]:
    """Connect to a cluster within the block.

    Args:
        address: HOST:PORT of a cluster, "auto" for the one that this machine belongs to, or "local", which starts one
            here that ends with this process.

    Raises:
        InvalidInputError: if Ray is not installed, there is no such cluster, or it has another version of Ray.
    """
    ray = _ray_module(is_local=address == LOCAL)
    host, _, port = address.rpartition(":")
    if host and "/" not in address:
        _check_reachable(address, host, port)
    is_own = not ray.is_initialized()
    if is_own:
        where: dict[str, Any] = {"address": address}
        if address == LOCAL:
            # Its workers have the priority of this command, as processes have it; Ray's default is close to the lowest.
            priority = {"worker_niceness": 0}
            where |= {"object_store_memory": LEAST_STORE, "include_dashboard": False, "_system_config": priority}
        try:
            ray.init(**where, log_to_driver=False, logging_level="ERROR", configure_logging=False)
        except (ConnectionError, RuntimeError, ValueError) as error:
            hint = "; if it asks for a token, set RAY_AUTH_MODE=token" if address != LOCAL else ""
            raise InvalidInputError(f"--ray {address}: {' '.join(str(error).split())}{hint}") from error
    try:
        yield RayCluster(ray)
    finally:
        if is_own:
            ray.shutdown()


class RayLane(Generic[Item, Made]):
    """A lane that is an actor."""

    def __init__(self, ray: Any, pickled: Any, shared: Path, share: RayShare) -> None:
        self._ray = ray
        # SPREAD: workers of a few machines, of which each has room for several, do not all go to the first.
        how = {"num_cpus": share.cpus, "num_gpus": share.gpus, "scheduling_strategy": "SPREAD"}
        actor = ray.remote(**how, max_restarts=0, max_task_retries=0)(RayActor)
        self._actor = actor.remote(pickled, versions(), os.getcwd(), str(shared), share.cpus)

    def prepare(self) -> Future[None]:
        """Return what is done once there is room for the actor, and it has loaded its model."""
        return self._called(self._actor.prepare)

    def submit(self, item: Item) -> Future[Made]:
        """Have an item worked on."""
        return self._called(self._actor.work, pickle.dumps(item))

    def close(self) -> None:
        """End the actor."""
        self._ray.kill(self._actor)

    def _called(self, method: Any, *arguments: Any) -> Future[Any]:
        made: Future[Any] = Future()
        method.remote(*arguments).future().add_done_callback(partial(_pass_on, made, self._ray.exceptions))
        return made


def _pass_on(made: Future[Any], exceptions: Any, ended: Future[Any]) -> None:
    """End a future as that of Ray has ended: by the error of the work itself, or as that of a process that died."""
    if (error := ended.exception()) is None:
        made.set_result(ended.result())
    elif isinstance(error, exceptions.RayTaskError):
        made.set_exception(error.cause)
    else:
        made.set_exception(_death(error))


def _death(error: BaseException) -> BrokenExecutor:
    """Return what a worker died of. A machine that is asked to end, as one that is pre-empted, is no fault of its job.

    One that vanishes is not told apart from a process that takes its machine with it, and counts.
    """
    text = str(error).strip()
    kind = MachineLost if getattr(error, "preempted", False) or MACHINE_ENDED in text else BrokenExecutor
    return kind(text.rpartition("\n")[2])  # of a traceback, its sentence


class RayActor:
    """What an actor does, in its own process.

    Args:
        pickled: the work.
        expected: the versions that it has to have, by name.
        folder: where names of files begin.
        shared: what this machine has to see.
        threads: by which it computes.
    """

    def __init__(self, pickled: bytes, expected: Mapping[str, str], folder: str, shared: str, threads: int) -> None:
        self._pickled, self._expected, self._threads = pickled, dict(expected), threads
        self._folder, self._shared = folder, shared
        self._work: Work[Any, Any] | None = None

    def prepare(self) -> None:
        """Load the model; InvalidInputError if this machine has other versions, or not the same files."""
        machine = socket.gethostname()
        if (own := versions()) != self._expected:
            found, asked = (", ".join(f"{name} {each[name]}" for name in each) for each in (own, self._expected))
            raise InvalidInputError(f"The machine {machine} of the cluster has {found}; this one has {asked}.")
        use_threads(self._threads)
        if Path(self._folder).is_dir():
            os.chdir(self._folder)
        if not Path(self._shared).exists():
            raise InvalidInputError(
                f"The machine {machine} of the cluster does not see {self._shared} of {self._folder}; all have to "
                "share the folders of input and results, under the same names."
            )
        work: Work[Any, Any] = pickle.loads(self._pickled)
        work.prepare()
        self._work = work

    def work(self, pickled: bytes) -> Any:
        """Do an item."""
        assert self._work is not None, "it is prepared first"
        return self._work(pickle.loads(pickled))


def versions() -> dict[str, str]:
    """Return what has to be the same on all machines."""
    return {"masklet": masklet.__version__, "torch": torch.__version__}


def _check_reachable(address: str, host: str, port: str) -> None:
    """Raise InvalidInputError at once for an address where nothing listens; Ray itself would try for minutes."""
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except (OSError, ValueError, OverflowError) as error:
        raise InvalidInputError(f"--ray {address}: there is no cluster ({error}).") from error


def _ray_module(*, is_local: bool) -> Any:
    """Import Ray, which reads its environment once: InvalidInputError if it is not installed."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # of clusters that are started here
    if is_local and "RAY_AUTH_MODE" not in os.environ:
        # Ray would leave a token in the home folder, which changes what clusters are that are started later.
        os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    try:
        import ray
        import ray.exceptions
    except ImportError as error:
        raise InvalidInputError("Ray is not installed: pip install 'masklet[ray]'.") from error
    return ray
