"""The rows of a project's tables as values."""

import json
import sqlite3
from dataclasses import dataclass
from typing import Self

from masklet.prompts.prompt import Prompt
from masklet.server.messages import ItemKind, ItemMessage, ItemStatus
from masklet.server.packets import Entry, PackedMask, State

LONGEST_SPILLED = 20_000
"""Frames of an item up to which all memories are kept on disk."""


@dataclass(frozen=True)
class ItemRow:
    """An image, a folder of images, a video or a stream; `media` is its file below the project's folder, or outside."""

    key: int
    id: str
    kind: ItemKind
    name: str
    media: str
    width: int | None
    height: int | None
    frames: int | None
    fps: float | None
    sha256: str | None
    size: int
    status: ItemStatus
    error: str | None
    revision: int
    seq: int
    next_object: int
    next_proposal: int = 1

    @classmethod
    def of(cls, row: sqlite3.Row) -> Self:
        """Return the item of a row of its table."""
        return cls(**dict(row))

    @property
    def retention(self) -> str:
        """What becomes of memories that are out of reach."""
        return "spill" if (self.frames or 0) < LONGEST_SPILLED else "window"

    @property
    def is_live(self) -> bool:
        """Whether it is a stream that goes on."""
        return self.kind == "stream" and self.frames is None and self.status == "ready"

    def message(self, project: str) -> ItemMessage:
        """Return the item as a message."""
        shown = {name: value for name, value in vars(self).items() if name in ItemMessage.model_fields}
        return ItemMessage(project=project, retention="spill" if self.retention == "spill" else "window", **shown)


@dataclass(frozen=True)
class ObjectRow:
    """An object of an item."""

    object: int
    name: str
    class_name: str | None
    colour: str
    hidden: bool
    locked: bool
    place: int

    @classmethod
    def of(cls, row: sqlite3.Row) -> Self:
        """Return the object of a row of its table."""
        flags = bool(row["hidden"]), bool(row["locked"])
        return cls(row["object"], row["name"], row["class"], row["colour"], *flags, row["place"])


@dataclass(frozen=True)
class PromptRow:
    """A prompt as it was given: what a later one keeps stands in a row of its own.

    Attributes:
        corrects: whether the frame was tracked when it was given, so that it corrects what was there.
    """

    id: int
    object: int
    frame: int
    prompt: Prompt
    corrects: bool

    @classmethod
    def of(cls, row: sqlite3.Row) -> Self:
        """Return the prompt of a row of its table."""
        prompt = Prompt.from_json(json.loads(row["prompt"]))
        return cls(row["id"], row["object"], row["frame"], prompt, bool(row["corrects"]))


@dataclass(frozen=True)
class StoredMask:
    """The mask of an object on a frame, of a run of the model or a person's own, and its numbers.

    Attributes:
        pieces: of how many parts the mask is that count (`pieces_of`); 0 where that is not known.
    """

    object: int
    frame: int
    run: int
    state: State
    score: float
    presence: float
    revision: int
    mask: PackedMask
    pieces: int = 0

    @classmethod
    def of(cls, row: sqlite3.Row, runs: bytes = b"") -> Self:
        """Return the mask of a row of its numbers and its runs, which may be left out."""
        numbers = row["object"], row["frame"], row["run"], State(row["state"]), row["score"], row["presence"]
        return cls(*numbers, row["revision"], packed_in(row, runs), row["pieces"])

    def entry(self) -> Entry:
        """Return the mask as an entry of a packet."""
        scores = self.score, self.presence, self.revision
        return Entry(self.object, self.mask, *scores, self.state, run=self.run)


@dataclass(frozen=True)
class Proposal:
    """A mask of everything mode that might become an object, on a frame."""

    frame: int
    entry: Entry

    @classmethod
    def of(cls, row: sqlite3.Row) -> Self:
        """Return the proposal of a row of its table."""
        mask = packed_in(row, row["runs"])
        return cls(row["frame"], Entry(row["number"], mask, row["score"], 0.0, state=State.PROVISIONAL))


def packed_in(row: sqlite3.Row, runs: bytes) -> PackedMask:
    """Return the mask whose crop a row has."""
    return PackedMask(row["x"], row["y"], row["width"], row["height"], runs, row["area"])
