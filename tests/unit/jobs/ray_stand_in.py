"""A module that stands in for Ray: actors are threads of this process, and die of what `Deadly` is raised for."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any


class RayTaskError(Exception):
    """What a method raised, as its `cause`."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(f"a traceback\n{cause!r}")
        self.cause = cause


class ActorDiedError(Exception):
    """What comes of a method whose process died."""


class Deadly(BaseException):
    """Ends an actor as a signal ends a process."""


class StandIn:
    """What of Ray is used; `cpus` are those of the cluster's machines.

    Attributes:
        started: how each actor was started: the options and the arguments.
        killed: how many actors were ended.
        stored: how many values were put where all machines get them.
    """

    def __init__(self, cpus: list[int], gpus: int = 0) -> None:
        self.exceptions = SimpleNamespace(RayTaskError=RayTaskError)
        self._machines = [{"Alive": True, "Resources": {"CPU": float(each), "GPU": float(gpus)}} for each in cpus]
        self.started: list[tuple[dict[str, Any], tuple[Any, ...]]] = []
        self.killed = self.stored = 0

    def nodes(self) -> list[dict[str, Any]]:
        return self._machines

    def put(self, value: bytes) -> bytes:
        self.stored += 1
        return value

    def remote(self, **options: Any) -> Callable[[type], Any]:
        def started(kind: type, *arguments: Any) -> "Actor":
            self.started.append((options, arguments))
            return Actor(kind(*arguments))

        return lambda kind: SimpleNamespace(remote=lambda *arguments: started(kind, *arguments))

    def kill(self, actor: "Actor") -> None:
        self.killed += 1
        actor.executor.shutdown(wait=False)


class Actor:
    """Whose methods are called in its thread."""

    def __init__(self, instance: object) -> None:
        self.executor, self._instance, self._is_dead = ThreadPoolExecutor(1), instance, False

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._instance, name)
        return SimpleNamespace(remote=lambda *given: Reference(self.executor.submit(self._called, method, given)))

    def _called(self, method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        if self._is_dead:
            raise ActorDiedError("Traceback\nit died before")
        try:
            return method(*arguments)
        except Exception as error:
            raise RayTaskError(error) from error
        except Deadly as error:
            self._is_dead = True
            raise ActorDiedError(f"Traceback\n{error}") from error


class Reference:
    """What is returned at once."""

    def __init__(self, made: "Future[Any]") -> None:
        self._made = made

    def future(self) -> "Future[Any]":
        return self._made
