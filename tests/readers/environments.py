"""The environments of readers that nobody here wrote: one folder each beside the repository's own."""

import os
import subprocess
import sys
import time
import venv
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REQUIREMENTS = Path(__file__).parent / "requirements"
PROGRAMS = Path(__file__).parent / "programs"


@cache
def python_of(name: str) -> Path | str:
    """The Python of an environment, which is made if need be, or why it cannot be made."""
    folder, requirements = ROOT / f".venv-readers-{name}", REQUIREMENTS / f"{name}.txt"
    python, stamp = folder / "bin/python", folder / "stamp"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == requirements.read_text(encoding="utf-8"):
        return python
    start = time.monotonic()
    venv.create(folder, with_pip=True, clear=True)
    install = ["-m", "pip", "install", "--disable-pip-version-check", "--quiet", "-r", requirements]
    done = subprocess.run([python, *install], capture_output=True, text=True, check=False)
    print(f"\n{folder.name}: {time.monotonic() - start:.0f} s", file=sys.__stderr__)
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["pip failed"])[-1]
    stamp.write_text(requirements.read_text(encoding="utf-8"), encoding="utf-8")
    return python


def read_by(name: str, program: str, *arguments: object) -> str:
    """What a program prints in an environment; the test is skipped, with the reason, where there is none."""
    python = python_of(name)
    if isinstance(python, str):
        pytest.skip(f"{name} cannot be installed: {python}")
    given = [python, PROGRAMS / f"{program}.py", *map(str, arguments)]
    clean = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(given, capture_output=True, text=True, check=False, env=clean)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.splitlines()[-1]
