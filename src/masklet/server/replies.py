"""What commands are answered with, and what the server sends on its own."""

from typing import Any, Literal

from pydantic import SerializerFunctionWrapHandler, model_serializer

from masklet.server.messages import ItemMessage, JobMessage, Message, ObjectId, Span
from masklet.server.object_messages import MaskMessage


class StaleFrames(Message):
    """Stretches of an object whose masks are older than one of its prompts."""

    object: ObjectId
    frames: list[Span]


class Sparse(Message):
    """A message that leaves out what it has nothing to say about; what it says is complete."""

    @model_serializer(mode="wrap")
    def _said(self, serialized: SerializerFunctionWrapHandler) -> Any:
        return {name: value for name, value in serialized(self).items() if value is not None}


class ErrorMessage(Sparse):
    """Why a command was refused."""

    code: str
    message: str
    field: str | None = None


class Reply(Sparse):
    """The answer to the command with the number `re`; what a command has nothing to say about is left out."""

    re: int
    ok: bool
    error: ErrorMessage | None = None
    revision: int | None = None
    seq: int | None = None
    item: ItemMessage | None = None
    jobs: list[JobMessage] | None = None
    job: JobMessage | None = None
    object: int | None = None
    objects: list[int] | None = None
    stale: list[StaleFrames] | None = None
    resync: bool | None = None
    notes: list[str] | None = None
    ms: dict[str, float] | None = None
    masks: list[MaskMessage] | None = None
    frame: int | None = None


class Event(Sparse):
    """News of an item: a job moved on, its objects or its masks changed, or it is gone."""

    ev: Literal["job", "objects", "masks", "item", "everything", "live", "deleted"]
    seq: int
    job: JobMessage | None = None
    item: ItemMessage | None = None
    revision: int | None = None
    objects: list[int] | None = None
    frames: list[Span] | None = None
    live: dict[str, Any] | None = None
