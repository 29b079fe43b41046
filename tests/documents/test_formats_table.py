"""docs/formats.md says of every format what it can hold."""

from tests.documents.markdown import ROOT

from masklet.formats.registry import READERS


def answer(holds: bool) -> str:
    return "yes" if holds else "no"


def test_every_format_has_its_row() -> None:
    rows = [
        [f"`{writer.NAME}`", answer(reader is not None), "images" if holds.images else "videos"]
        + [answer(holds.masks and each) for each in (holds.holes, holds.pieces, holds.overlaps)]
        + [answer(each) for each in (holds.ids, holds.categories, holds.scores, holds.crowds)]
        + [writer.LAYOUT]
        for writer, reader in READERS.items()
        for holds in [writer.HOLDS]
    ]
    text = (ROOT / "docs/formats.md").read_text(encoding="utf-8")
    shown = [
        line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| `") and line.count("|") > 4
    ]
    assert shown == rows


def test_every_format_has_its_example() -> None:
    text = (ROOT / "docs/formats.md").read_text(encoding="utf-8")
    missing = [writer.NAME for writer in READERS if f"convert DATA --to {writer.NAME} -o out" not in text]
    assert missing == []
