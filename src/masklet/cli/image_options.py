"""The options that say which image files a command reads, and how."""

from __future__ import annotations

from typing import Annotated

import typer


def _set_limit(pixels: int | None) -> int | None:
    if pixels is not None:
        from masklet.media.image_files import set_max_image_pixels

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
