"""What the system gives the process."""

import subprocess
import sys

import pytest

from masklet.server.process import resident_bytes

resource = pytest.importorskip("resource")


def test_memory_is_measured() -> None:
    assert 2**23 < resident_bytes() < 2**40


@pytest.mark.parametrize(("current", "most", "expected"), [(64, 256, 256), (256, 256, 256)])
def test_as_many_files_as_allowed(current: int, most: int, expected: int) -> None:
    program = (
        f"import resource as r; r.setrlimit(r.RLIMIT_NOFILE, ({current}, {most}));"
        "from masklet.server.process import allow_many_files; allow_many_files();"
        "print(r.getrlimit(r.RLIMIT_NOFILE)[0])"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(run.stdout) == expected
