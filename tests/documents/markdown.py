"""The project's documents and what they hold: code blocks, inline code, links."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "assets/*.md", "benchmarks/*.md", "rendering/*.md", "src/**/*.md")
    for path in ROOT.glob(pattern)
)

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE_CODE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and the line of the document on which the text begins."""

    language: str
    text: str
    line: int


def blocks(document: Path, language: str) -> list[Block]:
    text = document.read_text(encoding="utf-8")
    found = [Block(match[1], match[2], text.count("\n", 0, match.start(2)) + 1) for match in _BLOCK.finditer(text)]
    return [block for block in found if block.language == language]


def commands(document: Path) -> list[str]:
    return [line for block in blocks(document, "bash") for line in block.text.splitlines() if line.strip()]


def inline_code(document: Path) -> list[str]:
    return _INLINE_CODE.findall(_without_blocks(document))


def links(document: Path) -> list[str]:
    return _LINK.findall(_without_blocks(document))


def anchors(document: Path) -> set[str]:
    """What links to the headings of a document end with, as GitHub makes it."""
    headings = re.findall(r"^#+ (.+)$", _without_blocks(document), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def name_of(document: Path) -> str:
    return str(document.relative_to(ROOT))


def _without_blocks(document: Path) -> str:
    return _BLOCK.sub("", document.read_text(encoding="utf-8"))
