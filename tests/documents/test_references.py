"""Links lead somewhere, named files and names of the code exist, versions agree."""

import re
import tomllib
from pathlib import Path

import pytest
from tests.documents.markdown import DOCUMENTS, ROOT, anchors, inline_code, links, name_of

import masklet

FOLDERS = ("src", "tests", "benchmarks", "examples", "rendering")
SOURCES = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_links_lead_to_files(document: Path) -> None:
    targets = [link for link in links(document) if not link.startswith(("https://", "#"))]
    assert [target for target in targets if not (document.parent / target.split("#")[0]).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_links_lead_to_headings(document: Path) -> None:
    for link in links(document):
        path, _, anchor = link.partition("#")
        target = document.parent / path if path else document
        if anchor and not link.startswith("https://") and target.suffix == ".md":
            assert anchor in anchors(target), f"{name_of(document)}: {link}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_named_files_exist(document: Path) -> None:
    places = [f"/{path.relative_to(ROOT).as_posix()}" for path in SOURCES]
    named = [code for code in inline_code(document) if re.fullmatch(r"[\w/]+\.py", code)]
    assert [name for name in named if not any(place.endswith(f"/{name}") for place in places)] == []


def test_the_architecture_names_what_the_code_names() -> None:
    words = {word for path in SOURCES for word in re.findall(r"\w+", path.read_text(encoding="utf-8"))}
    codes = [
        code for code in inline_code(ROOT / "ARCHITECTURE.md") if re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", code)
    ]
    named = {part for code in codes if not code.endswith(".py") for part in code.split(".")}
    assert len(named) > 20
    assert named - words == set()


def test_versions_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == masklet.__version__
    assert f"\n## {masklet.__version__} " in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"\nversion: {masklet.__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
