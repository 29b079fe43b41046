"""Objects of an item, their masks and numbers, as the HTTP interface returns them."""

from typing import Annotated, Literal

from pydantic import Field

from masklet.server.messages import Frame, Message, ObjectId, RunLengthMessage, Span


class PromptMessage(Message):
    """The prompts of an object on a frame; points are [x, y, label]."""

    frame: Frame
    points: list[tuple[float, float, int]]
    box: tuple[float, float, float, float] | None
    mask: RunLengthMessage | None


class StateSpan(Message):
    """Neighbouring frames of one state (the numbers of the mask packet)."""

    state: Annotated[int, Field(ge=0, le=6)]
    frames: Span


class ObjectMessage(Message):
    """An object of an item."""

    id: ObjectId
    name: str
    class_name: Annotated[str | None, Field(alias="class")]
    colour: str
    hidden: bool
    locked: bool
    order: int
    prompts: list[PromptMessage]
    ranges: list[Span]
    states: list[StateSpan]


class Objects(Message):
    """The objects of an item, in their order."""

    objects: list[ObjectMessage]
    revision: int


class MaskMessage(Message):
    """One mask: predicted IoU as `score`, the object-score logit as `presence`, its box as x, y, width, height."""

    object: ObjectId
    state: int
    score: float
    presence: float
    revision: int
    run: int
    candidate: int = 0
    area: int
    box: tuple[int, int, int, int]
    rle: RunLengthMessage


class FrameMasks(Message):
    """The masks of a frame."""

    frame: Frame
    masks: list[MaskMessage]


class Masks(Message):
    """The masks of several frames."""

    frames: list[FrameMasks]


class ObjectStats(Message):
    """The numbers of one object: runs of equal states, and an entry a frame that has a mask."""

    object: ObjectId
    states: list[StateSpan]
    frames: list[Frame]
    score: list[float]
    presence: list[float]
    area: list[int]
    run: list[int]


class Stats(Message):
    """The numbers of several objects."""

    objects: list[ObjectStats]


class ReviewStop(Message):
    """A place worth a look; ranks begin with 0, the worst."""

    rank: int
    object: ObjectId
    frame: Frame
    score: float
    reasons: list[str]
    verdict: Literal["ok", "flag"] | None = None


class Review(Message):
    """The stops of an item, ranked, and how many of them were looked at."""

    stops: list[ReviewStop]
    looked_at: int
