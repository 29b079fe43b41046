"""Some of the inputs of `make fuzz`, and whether its runner sees each kind of harm."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from random import Random

import numpy as np
import pytest
from tests.fuzz.attempt import Entry, FaultError
from tests.fuzz.running import Case, Limits, Outcome, run_cases

from masklet.errors import InvalidInputError

INPUTS = 300
ROOT = Path(__file__).parents[2]


def test_hostile_inputs_are_accepted_or_refused_in_a_line() -> None:
    command = [sys.executable, "-m", "tests.fuzz", "--inputs", str(INPUTS)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout[-20_000:] + ended.stderr[-5_000:]


def raises(error: BaseException) -> Callable[[object], object]:
    def use(_: object) -> object:
        raise error

    return use


def warns(_: object) -> None:
    np.float32(1e300)


def waits(_: object) -> None:
    time.sleep(60)


def loops(_: object) -> None:
    while True:
        pass


def takes_memory(_: object) -> None:
    np.ones(2**28)


def ends_itself(_: object) -> None:
    os._exit(0)


def crashes(_: object) -> None:
    import ctypes

    ctypes.string_at(0)


def prints_a_traceback(_: object) -> None:
    print("Traceback (most recent call last):", flush=True)


USES = {
    "accepted": (print, "accepted", ""),
    "refused": (raises(InvalidInputError("no number")), "refused", "no number"),
    "no such file": (raises(FileNotFoundError(2, "No such file")), "refused", "No such file"),
    "another exception": (raises(KeyError("seven")), "exception", "KeyError: 'seven'"),
    "an error without words": (raises(InvalidInputError("")), "exception", "InvalidInputError"),
    "a long line": (raises(InvalidInputError("x" * 10**6)), "output", "a message of 1000000 characters"),
    "a fault": (raises(FaultError("exit code 70")), "output", "exit code 70"),
    "a warning": (warns, "exception", "RuntimeWarning"),
    "memory": (takes_memory, "exception", "MemoryError"),
    "a traceback": (prints_a_traceback, "output", "Traceback"),
    "a crash": (crashes, "signal", "SIGSEGV"),
    "an endless loop": (loops, "hang", "in loops"),
    "waiting": (waits, "hang", "in waits"),
    "an exit": (raises(SystemExit(0)), "exception", "SystemExit"),
    "an end": (ends_itself, "exit", "ended by itself"),
}


def harmful_entries() -> dict[str, Entry]:
    return {name: Entry(lambda folder: folder, lambda _, folder: ("", folder), use) for name, (use, *_) in USES.items()}


def outcomes() -> list[Outcome]:
    working = [Case(name, 0) for name in USES if name != "waiting"]
    found = run_cases(working, harmful_entries(), 4, Limits(processor_seconds=2, wall_seconds=60, memory=2**30))
    return [*found, *run_cases([Case("waiting", 0)], harmful_entries(), 1, Limits(wall_seconds=2))]


@pytest.fixture(scope="module")
def outcome_of() -> dict[str, Outcome]:
    """Run in a process of its own: this one has threads, which are not there in a forked child."""
    with get_context("spawn").Pool(1) as pool:
        return {outcome.case.entry: outcome for outcome in pool.apply(outcomes)}


@pytest.mark.parametrize("name", USES)
def test_every_kind_of_harm_is_seen(name: str, outcome_of: dict[str, Outcome]) -> None:
    _, kind, detail = USES[name]
    found = outcome_of[name]
    assert (found.kind, found.is_fault) == (kind, kind not in ("accepted", "refused")), found.detail
    assert detail in found.detail


def test_a_valid_input_that_is_refused_is_a_fault() -> None:
    assert Outcome(Case("a", None), "valid", "refused", "no").is_fault
    assert not Outcome(Case("a", 0), "spoiled", "refused", "no").is_fault


def test_chance_comes_from_seed_entry_and_number_alone() -> None:
    def drawn(case: Case) -> float:
        assert isinstance(case.rng, Random)
        return case.rng.random()

    assert drawn(Case("a", 1, 2)) == drawn(Case("a", 1, 2))
    assert len({drawn(case) for case in (Case("a", 1, 2), Case("a", 2, 2), Case("b", 1, 2), Case("a", 1, 3))}) == 4
