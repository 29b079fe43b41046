"""What needs Node: the types and tests of the studio, its tests in Chromium, and that the page is what is built."""

import filecmp
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.studio.message_types import STUDIO, TYPES, written_types

import masklet

STATIC = Path(masklet.__file__).parent / "server" / "static"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")

pytestmark = pytest.mark.skipif(
    shutil.which("npm") is None or not (STUDIO / "node_modules").is_dir(),
    reason="tests of the studio need Node and its packages; `make test-studio` installs them and runs these tests",
)
needs_a_browser = pytest.mark.skipif(
    not any(map(shutil.which, BROWSERS)),
    reason="tests of the studio in a browser need Chromium: `apt-get install chromium`, then `make test-studio`",
)


def run(*command: str) -> None:
    result = subprocess.run(["npm", "run", *command], cwd=STUDIO, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout[-6000:] + result.stderr[-2000:]


@pytest.mark.parametrize("script", ["check", "test", pytest.param("test-browser", marks=needs_a_browser)])
def test_the_script_passes(script: str) -> None:
    run(script)


def test_the_types_are_those_of_the_server(tmp_path: Path) -> None:
    renewed = tmp_path / "schema.d.ts"
    written_types(renewed)
    assert renewed.read_text(encoding="utf-8") == TYPES.read_text(encoding="utf-8"), (
        "The server's messages changed; `python -m tests.studio.message_types` renews the types of the studio."
    )


def test_a_rebuild_gives_the_committed_page(tmp_path: Path) -> None:
    run("build", "--", "--outDir", str(tmp_path), "--emptyOutDir")
    built = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert built == sorted(path.relative_to(STATIC) for path in STATIC.rglob("*") if path.is_file())
    assert filecmp.cmpfiles(tmp_path, STATIC, list(map(str, built)), shallow=False)[1:] == ([], [])
