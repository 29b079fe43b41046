"""`masklet studio` and `masklet serve` as they are started: the line, the page, what is opened, what is refused."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from typer.testing import CliRunner

from masklet.cli.main import app

TRUCK = Path(__file__).parents[2] / "assets" / "truck.jpg"


def test_the_line_is_the_way_in(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "masklet", "studio", str(TRUCK), "--no-browser", "--port", "0", "--device", "cpu"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    data = tmp_path / "data"
    with subprocess.Popen(
        [*command, "--data", str(data)], stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        match = re.fullmatch(r"(http://127\.0\.0\.1:\d+/)#token=([\w-]{40,})\n", process.stdout.readline())
        assert match is not None
        address, token = match.groups()
        with urllib.request.urlopen(address) as page:
            assert page.headers["content-type"].startswith("text/html")
        asked = urllib.request.Request(f"{address}api/v1/projects", headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(asked) as answer:
            ((item,),) = [each["items"] for each in json.load(answer)["projects"]]
        assert (item["name"], item["kind"], item["width"], item["status"]) == ("truck.jpg", "image", 1024, "ready")
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    assert token not in "".join(path.read_text(errors="replace") for path in data.rglob("*") if path.is_file())
    assert data.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["serve"], "Missing option '--users'"),
        (["studio", "nowhere.mp4"], "There is no file or folder nowhere.mp4"),
        (["studio", "--certificate", "c.pem"], "both a certificate and its key"),
        (["studio", "--users", "nobody.json"], "nobody.json does not exist"),
        (["studio", "--proxy", "*"], "an address or a network"),
        (["studio", "--host", "300.1.1.1"], "no address '300.1.1.1'"),
    ],
)
def test_what_is_refused(tmp_path: Path, options: list[str], problem: str) -> None:
    more = ["--data", str(tmp_path), "--port", "0", *(["--no-browser"] if options[0] == "studio" else [])]
    result = CliRunner().invoke(app, [*options, *more])
    assert result.exit_code == 2
    assert problem in " ".join(result.stderr.split())
