"""What can be chosen for `masklet track`."""

import re
from pathlib import Path
from typing import Annotated

import typer

from masklet.errors import InvalidInputError
from masklet.jobs.track_products import Product
from masklet.tracking.frame_order import Direction

SAVE_EVERY = 30.0  # seconds
PointsOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="X,Y[,LABEL][@FRAME:N]", help="A click in pixels; label 1 (default): on the object, 0: off it."
    ),
]
BoxesOption = Annotated[list[str] | None, typer.Option(metavar="X1,Y1,X2,Y2[@FRAME:N]", help="A box in pixels.")]
MasksOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FILE[@FRAME:N]",
        help="An image as large as the video: the mask of one object, white inside, or a label map.",
    ),
]
DirectionOption = Annotated[
    Direction | None, typer.Option("--direction", help="Where to track from the prompted frames; default: forward.")
]
RangeOption = Annotated[str | None, typer.Option("--range", metavar="A:B", help="Track frames A to B - 1 only.")]
SaveSessionOption = Annotated[
    Path | None,
    typer.Option("--save-session", metavar="FOLDER", help="Keep the session, to correct or continue it with --resume."),
]
SaveEveryOption = Annotated[
    float,
    typer.Option(
        "--save-every",
        min=0,
        metavar="SECONDS",
        help="How often the session is saved meanwhile; 0: only at the end, or on Ctrl-C.",
    ),
]
ZoomOption = Annotated[
    bool,
    typer.Option(
        "--zoom",
        help="Look for small objects in enlarged views that follow them: better masks, one image encoding more a view.",
    ),
]
ResumeOption = Annotated[
    Path | None, typer.Option("--resume", metavar="FOLDER", help="Continue a session that was saved.")
]

OutputOption = Annotated[Path, typer.Option("-o", "--output", metavar="OUT", help="The folder to write to.")]
PolicyOption = Annotated[
    str | None, typer.Option("--policy", metavar="NAME", help="Of --everything: careful, default or fast.")
]
LookbackOption = Annotated[
    bool, typer.Option("--lookback", help="Of --everything: show objects also before they were discovered.")
]

_RANGE = re.compile(r"(\d*):(\d*)")


def parsed_range(option: str | None, frame_count: int) -> range:
    """Return the frames that `--range A:B` names: A, A + 1, ... B - 1; all of them if None.

    InvalidInputError for another form, or if the video has no such frames.
    """
    match = _RANGE.fullmatch(":" if option is None else option)
    if match is None:
        raise InvalidInputError(f"--range {option} is not of the form A:B, A: or :B, with the numbers of frames.")
    first, stop = int(match[1] or 0), int(match[2] or frame_count)
    if not 0 <= first < stop <= frame_count:
        raise InvalidInputError(
            f"--range {option} is not within the video, which has the frames 0 to {frame_count - 1} (B is excluded)."
        )
    return range(first, stop)


WriteOption = Annotated[
    list[Product] | None,
    typer.Option(
        "--write", metavar="WHAT", help=f"{', '.join(Product)}: beside the JSON file; repeatable; default: overlay."
    ),
]
