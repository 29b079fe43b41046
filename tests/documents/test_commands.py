"""The commands of the documents are understood by the command line and the Makefile; what can run offline runs."""

import re
import shlex
from pathlib import Path

import pytest
import typer.main
from tests.documents.markdown import DOCUMENTS, ROOT, blocks, commands, inline_code, name_of
from typer.testing import CliRunner

from masklet.cli.main import app
from masklet.media.prompt_entries import read_prompt_file

MASKLET = sorted({line for document in DOCUMENTS for line in commands(document) if line.startswith("masklet ")})
WITHOUT_WEB = {"segment", "track", "convert", "info", "benchmark"}
OFFLINE = [line for line in MASKLET if line.split()[1] in WITHOUT_WEB and "--resume" not in line]
ON_GRAPHS = [line for line in OFFLINE if "--model graphs" in line]
PROMPT_FILES = [block for document in DOCUMENTS for block in blocks(document, "json")]


def test_every_command_is_shown() -> None:
    worked, served = (
        {"segment", "track", "batch", "evaluate", "train", "convert", "info", "data", "formats", "export", "benchmark"},
        {"studio", "serve"},
    )
    assert {line.split()[1] for line in MASKLET} == worked | served


@pytest.mark.parametrize("line", MASKLET)
def test_options_exist(line: str) -> None:
    words = shlex.split(line)[1:]
    command = typer.main.get_command(app)
    while words and hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    command.make_context("masklet", words)


@pytest.mark.parametrize("line", ON_GRAPHS)
def test_command_runs_on_graphs(line: str, graphs_folder: Path) -> None:
    result = CliRunner().invoke(app, shlex.split(line)[1:])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("line", [line for line in OFFLINE if line not in ON_GRAPHS])
def test_command_runs(line: str, readers_folder: Path) -> None:
    result = CliRunner().invoke(app, shlex.split(line)[1:])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("text", [block.text for block in PROMPT_FILES])
def test_prompt_files_can_be_read(text: str, tmp_path: Path) -> None:
    file = tmp_path / "prompts.json"
    file.write_text(text, encoding="utf-8")
    assert read_prompt_file(file)


def test_the_demo_can_be_run_without_make() -> None:
    """The plain commands of README are those of the Makefile."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
    demo = re.search(r"^demo:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    assert demo is not None
    made = {" ".join(line.split()).removeprefix("$(BIN)/") for line in demo[1].splitlines()}
    plain = {line for line in commands(ROOT / "README.md") if "demo_output" in line}
    assert len(plain) == 2
    assert plain <= made


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_make_targets_exist(document: Path) -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = [code.split()[1] for code in [*commands(document), *inline_code(document)] if code.startswith("make ")]
    assert set(named) <= targets
