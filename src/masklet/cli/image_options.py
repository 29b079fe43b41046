"""The options of reading and drawing images."""

from __future__ import annotations

from typing import Annotated

import typer

from masklet.errors import InvalidInputError


def _set_limit(pixels: int | None) -> int | None:
    if pixels is not None:
        from masklet.media.pixel_limit import set_max_image_pixels

        set_max_image_pixels(pixels)
    return pixels


MaxImagePixelsOption = Annotated[
    int | None,
    typer.Option(
        "--max-image-pixels",
        envvar="MASKLET_MAX_IMAGE_PIXELS",
        min=1,
        metavar="N",
        callback=_set_limit,
        help="Read images and masks of up to N pixels (height x width); default: 178,956,970.",
        show_default=False,
    ),
]

BandsOption = Annotated[
    str | None,
    typer.Option(
        "--bands", metavar="N,N,N", help="Of TIFF images show one band as grey, or three as red, green and blue: 4,3,2."
    ),
]

IdsOption = Annotated[
    bool, typer.Option("--ids", help="Write the objects' numbers into the overlay, and a video's contact sheet.")
]


def parsed_bands(option: str | None) -> tuple[int, ...] | None:
    """Return the bands of --bands; InvalidInputError if these are not one or three numbers above 0."""
    if option is None:
        return None
    parts = option.split(",")
    if len(parts) not in (1, 3) or not all(part.strip().isdecimal() and int(part) > 0 for part in parts):
        raise InvalidInputError(f"--bands {option} is not one or three numbers of bands, from 1 on: --bands 4,3,2.")
    return tuple(int(part) for part in parts)
