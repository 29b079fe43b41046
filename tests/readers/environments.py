"""The environments of programs that nobody here wrote: one folder each beside the repository's own.

`python -m tests.readers.environments` makes all that are missing.
"""

import os
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REQUIREMENTS = Path(__file__).parent / "requirements"
PROGRAMS = Path(__file__).parent / "programs"


@cache
def python_of(name: str) -> Path | str:
    """The Python of an environment, which is made if need be, or why it cannot be made.

    What stands in a file NAME-alone.txt is installed without what it asks for.
    """
    requirements, alone = REQUIREMENTS / f"{name}.txt", REQUIREMENTS / f"{name}-alone.txt"

    def make(folder: Path) -> str:
        venv.create(folder, with_pip=True, clear=True)
        install = [folder / "bin/python", "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
        install += ["--no-compile", "-r"]  # most of what is installed is never imported
        return _failed([*install, requirements]) or (alone.exists() and _failed([*install, alone, "--no-deps"])) or ""

    wanted = "".join(each.read_text(encoding="utf-8") for each in (requirements, alone) if each.exists())
    made = _environment(name, wanted, make)
    return made if isinstance(made, str) else made / "bin/python"


@cache
def node_of(name: str) -> Path | str:
    """The folder of Node's modules of an environment, which is made if need be, or why it cannot be made."""
    wanted = (REQUIREMENTS / f"{name}.json").read_text(encoding="utf-8")

    def make(folder: Path) -> str:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / "package.json").write_text(wanted, encoding="utf-8")
        return _failed(["npm", "install", "--prefix", folder, "--no-audit", "--no-fund", "--ignore-scripts"])

    if shutil.which("npm") is None:
        return "npm is not installed"
    made = _environment(name, wanted, make)
    return made if isinstance(made, str) else made / "node_modules"


def read_by(name: str, program: str, *arguments: object) -> str:
    """What a program prints in an environment; the test is skipped, with the reason, where there is none."""
    python = python_of(name)
    if isinstance(python, str):
        pytest.skip(f"{name} cannot be installed: {python}")
    return _printed([python, PROGRAMS / f"{program}.py", *arguments])


def read_by_node(name: str, program: str, *arguments: object) -> str:
    """As `read_by`, of a program for Node, whose first argument is the folder of modules."""
    modules = node_of(name)
    if isinstance(modules, str):
        pytest.skip(f"{name} cannot be installed: {modules}")
    return _printed(["node", PROGRAMS / f"{program}.mjs", modules, *arguments])


def _environment(name: str, wanted: str, make: Callable[[Path], str]) -> Path | str:
    """The folder of an environment, or what `make` reported; its stamp remembers what it was made of."""
    folder = ROOT / f".venv-readers-{name}"
    stamp = folder / "stamp"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return folder
    start = time.monotonic()
    failure = make(folder)
    print(f"\n{folder.name}: {time.monotonic() - start:.0f} s", file=sys.__stderr__)
    if failure:
        return failure
    stamp.write_text(wanted, encoding="utf-8")
    return folder


def _failed(command: Sequence[object]) -> str:
    """The last line of what a command reports if it fails; else nothing."""
    done = subprocess.run([str(each) for each in command], capture_output=True, text=True, check=False)
    return (done.stderr.strip().splitlines() or ["it reports nothing"])[-1] if done.returncode else ""


def _printed(command: Sequence[object]) -> str:
    clean = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    given = [str(each) for each in command]
    done = subprocess.run(given, capture_output=True, text=True, check=False, env=clean)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.splitlines()[-1]


if __name__ == "__main__":
    for each in sorted(REQUIREMENTS.glob("*.txt")):
        if not each.stem.endswith("-alone"):
            python_of(each.stem)
    for each in sorted(REQUIREMENTS.glob("*.json")):
        node_of(each.stem)
