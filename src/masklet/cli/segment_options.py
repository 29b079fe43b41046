"""The options of `masklet segment` that say what is segmented."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ImagesArgument = Annotated[list[Path] | None, typer.Argument(metavar="IMAGE", help="Image files, or folders of them.")]
PointsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--point", metavar="X,Y[,LABEL][@N]", help="A click in pixels; label 1 (default): on the object, 0: off it."
    ),
]
BoxesOption = Annotated[list[str] | None, typer.Option("--box", metavar="X1,Y1,X2,Y2[@N]", help="A box in pixels.")]
MasksOption = Annotated[
    list[str] | None,
    typer.Option("--mask", metavar="FILE[@N]", help="An image file as large as IMAGE: a rough mask, or a label map."),
]
PromptsOption = Annotated[
    Path | None,
    typer.Option("--prompts", metavar="FILE.json", help="Prompts for each image, in place of the options above."),
]
MultimaskOption = Annotated[
    bool, typer.Option("--multimask", help="Also write all three candidates of each object, best first.")
]
