"""The commands of a person, one schema for the socket and for POST."""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, model_validator

from masklet.server.messages import Frame, Message, Name, ObjectId, RunLengthMessage, Span, Verdict

Coordinate = Annotated[float, Field(ge=-65536, le=131072)]
Point = tuple[Coordinate, Coordinate, Literal[0, 1]]
Box = tuple[Coordinate, Coordinate, Coordinate, Coordinate]


class CommandMessage(Message):
    """Fields of every command: its number on the socket, and the revision that it expects the item to have."""

    n: Annotated[int, Field(ge=0, lt=2**32)] = 0
    if_revision: int | None = None


class Hello(CommandMessage):
    """Begin, or go on after the last `seq` that was seen."""

    do: Literal["hello"]
    since: int = 0


class Prompted(CommandMessage):
    """A prompt of an object (0: a new one) on a frame; points are [x, y, label]."""

    do: Literal["prompt"]
    object: Annotated[int, Field(ge=0, lt=2**32)]
    frame: Frame
    points: Annotated[list[Point], Field(default_factory=list)]
    box: Box | None = None
    mask: RunLengthMessage | None = None
    keep: bool = False


class Preview(CommandMessage):
    """A hover answer, never stored."""

    do: Literal["preview"]
    frame: Frame
    x: Coordinate | None = None
    y: Coordinate | None = None
    box: Box | None = None
    object: ObjectId | None = None

    @model_validator(mode="after")
    def _has_a_place(self) -> "Preview":
        if self.box is None and (self.x is None or self.y is None):
            raise ValueError("give x and y, or a box")
        return self


class Candidates(CommandMessage):
    """Three readings of the prompt of an object on a frame, best first."""

    do: Literal["candidates"]
    object: ObjectId
    frame: Frame


class Choose(CommandMessage):
    """Take one of the candidates of an object on a frame, as a mask prompt."""

    do: Literal["choose"]
    object: ObjectId
    frame: Frame
    candidate: Annotated[int, Field(ge=0, le=2)]


class Paint(CommandMessage):
    """A brush: the mask becomes (mask or add) minus sub."""

    do: Literal["paint"]
    object: ObjectId
    frame: Frame
    add: RunLengthMessage | None = None
    sub: RunLengthMessage | None = None


class Clear(CommandMessage):
    """Forget the prompts of an object on a frame."""

    do: Literal["clear"]
    object: ObjectId
    frame: Frame


class Segment(CommandMessage):
    """Masks of objects on a frame, conditioned by memory, while scrubbing."""

    do: Literal["segment"]
    frame: Frame
    objects: list[ObjectId] | None = None


class EditObject(CommandMessage):
    """Change an object; what is not given stays."""

    do: Literal["object"]
    object: ObjectId
    name: Name | None = None
    class_name: Annotated[Name | None, Field(alias="class")] = None
    colour: Annotated[str, Field(pattern="^#[0-9a-fA-F]{6}$")] | None = None
    hidden: bool | None = None
    locked: bool | None = None
    order: Annotated[int, Field(ge=0, lt=2**31)] | None = None


class Add(CommandMessage):
    """Add an object without prompts."""

    do: Literal["add"]
    name: Name | None = None
    class_name: Annotated[Name | None, Field(alias="class")] = None
    colour: Annotated[str, Field(pattern="^#[0-9a-fA-F]{6}$")] | None = None


class Remove(CommandMessage):
    """Remove an object; its number is not used again."""

    do: Literal["remove"]
    object: ObjectId


class Merge(CommandMessage):
    """Make two objects one: masks of both become those of `into`."""

    do: Literal["merge"]
    from_: Annotated[ObjectId, Field(alias="from")]
    into: ObjectId


class Split(CommandMessage):
    """Give what an object has from a frame on to a new object."""

    do: Literal["split"]
    object: ObjectId
    frame: Frame


class Swap(CommandMessage):
    """Exchange what two objects have from a frame on."""

    do: Literal["swap"]
    a: ObjectId
    b: ObjectId
    from_: Annotated[Frame, Field(alias="from")]


class Absent(CommandMessage):
    """Mark an object as absent on stretches of frames, or take that back."""

    do: Literal["absent"]
    object: ObjectId
    frames: Annotated[list[Span], Field(min_length=1, max_length=1000)]
    value: bool = True


class Track(CommandMessage):
    """Start tracking: what changed, all objects, or some of them."""

    do: Literal["track"]
    objects: Literal["changed", "all"] | list[ObjectId] = "changed"
    direction: Literal["forward", "backward", "both"] = "forward"
    frames: Span | None = None
    full: bool = False


class Cancel(CommandMessage):
    """Stop a job after the step at hand."""

    do: Literal["cancel"]
    job: str


class Everything(CommandMessage):
    """Propose all objects of a frame."""

    do: Literal["everything"]
    frame: Frame
    grid: Annotated[int, Field(ge=1, le=64)] | None = None
    min_area: Annotated[int, Field(ge=0)] | None = None
    min_score: Annotated[float, Field(ge=0, le=1)] | None = None


class Accept(CommandMessage):
    """Make proposals objects."""

    do: Literal["accept"]
    proposals: Annotated[list[ObjectId], Field(min_length=1)]
    class_name: Annotated[Name | None, Field(alias="class")] = None


class Reject(CommandMessage):
    """Drop proposals."""

    do: Literal["reject"]
    proposals: Annotated[list[ObjectId], Field(min_length=1)]


class Look(CommandMessage):
    """What the person looks at: that frame is encoded first, and as many after it when the model is idle."""

    do: Literal["look"]
    frame: Frame
    ahead: Annotated[int, Field(ge=0, le=60)] = 0


class Undo(CommandMessage):
    """Take the last act back."""

    do: Literal["undo"]


class Redo(CommandMessage):
    """Do again what was taken back."""

    do: Literal["redo"]


class Finish(CommandMessage):
    """End a live stream; what was recorded of it is a video from then on."""

    do: Literal["finish"]


class Mark(CommandMessage):
    """The verdict of a person on a mask."""

    do: Literal["review"]
    object: ObjectId
    frame: Frame
    verdict: Verdict


Command = Annotated[
    Hello
    | Prompted
    | Preview
    | Candidates
    | Choose
    | Paint
    | Clear
    | Segment
    | EditObject
    | Add
    | Remove
    | Merge
    | Split
    | Swap
    | Absent
    | Track
    | Cancel
    | Everything
    | Accept
    | Reject
    | Look
    | Undo
    | Redo
    | Finish
    | Mark,
    Field(discriminator="do"),
]
COMMANDS: TypeAdapter[Command] = TypeAdapter(Command)
