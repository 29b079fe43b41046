"""What the HTTP interface takes and returns; OpenAPI and the page's types are made of these classes.

Objects and masks are in `object_messages.py`, commands and their replies in `commands.py` and `replies.py`.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(min_length=1, max_length=200)]
Frame = Annotated[int, Field(ge=0, lt=2**32)]
ObjectId = Annotated[int, Field(ge=1, lt=2**32)]
Side = Annotated[int, Field(ge=1, le=65535)]
"""A number of pixels."""
Span = tuple[Frame, Frame]
"""The first and the last frame of a stretch."""

ItemKind = Literal["image", "images", "video", "stream"]
ItemStatus = Literal["importing", "ready", "failed"]
UploadKind = ItemKind | Literal["masks"]
ImportAs = Literal["masks", "prompts"]
JobKind = Literal["track", "everything", "export", "import"]
JobState = Literal["queued", "running", "done", "cancelled", "interrupted", "failed"]
Verdict = Literal["ok", "flag", "clear"]


class Message(BaseModel):
    """A typed message; unknown fields are errors."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, allow_inf_nan=False)


class RunLengthMessage(Message):
    """A mask as COCO's compressed run lengths: `size` is [height, width], `counts` COCO's code."""

    size: tuple[Side, Side]
    counts: str


class ProblemMessage(Message):
    """An error as RFC 9457 has it."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    field: str | None = None


class Login(Message):
    """What is exchanged for the cookie."""

    token: Annotated[str, Field(max_length=1000)]


class ModelInfo(Message):
    """The model that answers; `image_size` is the side of its square input in pixels."""

    name: str
    image_size: int
    device: str
    dtype: str
    preset: str


class Info(Message):
    """About this server and its caller."""

    version: str
    model: ModelInfo
    limits: dict[str, float]
    features: list[str]
    user: str


class ClassOfObjects(Message):
    """A class that objects of a project may have."""

    name: Name
    colour: Annotated[str, Field(pattern="^#[0-9a-fA-F]{6}$")]


class NewProject(Message):
    """A project to be made."""

    name: Name
    classes: list[ClassOfObjects] = []


class ProjectChange(Message):
    """What of a project is changed; None: stays."""

    name: Name | None = None
    classes: list[ClassOfObjects] | None = None


class ItemMessage(Message):
    """An image, a folder of images, a video or a stream; `frames` is None for a stream that goes on."""

    id: str
    project: str
    kind: ItemKind
    name: str
    width: int | None
    height: int | None
    frames: int | None
    fps: float | None
    sha256: str | None
    status: ItemStatus
    error: str | None = None
    revision: int
    seq: int
    retention: Literal["spill", "window"]


class ProjectMessage(Message):
    """A project and its items."""

    id: str
    name: str
    classes: list[ClassOfObjects]
    items: list[ItemMessage]
    revision: int
    created: float


class Projects(Message):
    """A page of the caller's projects; `next` is the `after` of the page that follows."""

    projects: list[ProjectMessage]
    next: str | None = None


class NewUpload(Message):
    """A file to be uploaded; `masks` are imported into items that are there."""

    name: Name
    size: Annotated[int, Field(ge=1)]
    kind: UploadKind
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None


class UploadMessage(Message):
    """An upload; parts of at most `part_size` bytes go on at `offset`."""

    upload: str
    offset: int
    part_size: int


class Offset(Message):
    """How many bytes of an upload are there."""

    offset: int


class Uploaded(Message):
    """The item that an upload became."""

    item: ItemMessage


class NewStream(Message):
    """A camera whose frames, of this size in pixels, come through the socket; `record` keeps them."""

    width: Side
    height: Side
    name: Name = "Camera"
    record: bool = False


class NewItem(Message):
    """An item from a source of the server's, or a stream of the caller's: one of the four."""

    path: Annotated[str, Field(min_length=1, max_length=2000)] | None = None
    url: Annotated[str, Field(min_length=1, max_length=2000)] | None = None
    camera: Annotated[int, Field(ge=0, le=63)] | None = None
    live: NewStream | None = None


class ItemChange(Message):
    """What of an item is changed."""

    name: Name


class JobMessage(Message):
    """Work with progress; `number` is that of mask packets."""

    id: str
    number: int
    kind: JobKind
    state: JobState
    project: str
    item: str | None = None
    done: int
    total: int
    fps: float | None = None
    eta_s: float | None = None
    error: str | None = None
    notes: list[str] = []
    result: dict[str, Any] | None = None
    created: float = 0.0


class Jobs(Message):
    """A page of the caller's jobs, newest first; `next` is the `after` of the page that follows."""

    jobs: list[JobMessage]
    next: str | None = None


class ExportOptions(Message):
    """How a format of another tool is written.

    `strict` refuses what would lose anything, `polygons` writes outlines where a format knows both, and without
    `images` they are only named. `dry_run` counts what would be lost, and writes nothing.
    """

    strict: bool = False
    dry_run: bool = False
    polygons: bool = False
    images: bool = True


class NewExport(Message):
    """What is exported, and as what."""

    format: Annotated[str, Field(pattern="^[a-z0-9-]{1,40}$")]
    items: Annotated[list[str], Field(min_length=1, max_length=1000)]
    objects: list[ObjectId] | None = None
    frames: Span | None = None
    options: ExportOptions = ExportOptions()


class NewImport(Message):
    """Masks of an upload of the kind `masks` that are added to items; None: to those of the project that they name."""

    upload: Annotated[str, Field(max_length=100)]
    items: Annotated[list[str], Field(min_length=1, max_length=1000)] | None = None
    as_: Annotated[ImportAs, Field(alias="as")] = "masks"


class Metrics(Message):
    """What the server did and holds; `model_units` are encodes, steps and decodes since its start."""

    model_units: dict[str, int]
    queue: dict[str, int]
    caches: dict[str, int]
    rss: int
    share: dict[str, float]
