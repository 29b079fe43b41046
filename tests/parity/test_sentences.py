"""Every sentence is our own: no text in the package repeats six words in a row of a reference's texts."""

import ast
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

WORDS = 6
FOLDERS = (("transformers", "models/sam*/*.py"), ("sam2", "**/*.py"))
OURS = Path(__file__).resolve().parents[2] / "src/masklet"
NAMES = {"facebook sam2 1 hiera base plus", "size height and width of the"}  # what has no other words


def texts_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(each.value) if isinstance(each, ast.Constant) else "..." for each in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def runs_of(text: str) -> set[str]:
    words = re.findall(r"[a-z0-9_]+", text.lower())
    return {" ".join(words[start : start + WORDS]) for start in range(len(words) - WORDS + 1)}


def runs_of_references() -> set[str]:
    found: set[str] = set()
    for package, pattern in FOLDERS:
        spec = importlib.util.find_spec(package)
        assert spec is not None
        assert spec.origin is not None
        for path in Path(spec.origin).parent.glob(pattern):
            for text in texts_of(path):
                found |= runs_of(text)
    return found


def test_no_sentence_is_a_references() -> None:
    theirs = runs_of_references()
    assert "please specify it manually or run" in theirs
    repeated = {
        (str(path.relative_to(OURS)), run)
        for path in sorted(OURS.rglob("*.py"))
        for text in texts_of(path)
        for run in runs_of(text) & theirs - NAMES
    }
    assert repeated == set()
