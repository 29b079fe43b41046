"""A small job: letters, of which each becomes its number."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from masklet.errors import InvalidInputError
from masklet.jobs.journal import ItemJournal

NAMES = ("a", "b", "c")


@dataclass(frozen=True)
class Number:
    """What comes of a letter."""

    value: int

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        if not isinstance(content["value"], int):
            raise InvalidInputError("A value is a number.")
        return cls(content["value"])


def journal(folder: Path, *, setting: int = 1, older: Mapping[str, str] | None = None) -> ItemJournal[Number]:
    """The journal in a folder, whose results come of files of the letters' names in it."""
    settings = {"setting": setting, "pair": (1, 2)}
    return ItemJournal(folder, settings, lambda name: [folder / name], Number, older or {})
