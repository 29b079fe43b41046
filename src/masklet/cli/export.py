"""`masklet export`: a model as graphs for ONNX Runtime, OpenVINO and other programs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from masklet.cli.model_options import ImageSizeOption
from masklet.runtimes.names import Layout, Parts, Precision, Target

if TYPE_CHECKING:
    from masklet.export.folder import ExportReport


def export(
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FOLDER", help="The folder to write.")],
    model: Annotated[
        str | None,
        typer.Argument(metavar="[MODEL]", help="Folder, weight file or hub id; default: the bundled model."),
    ] = None,
    to: Annotated[Target, typer.Option("--to", help="onnx: for all runtimes; openvino: its own files.")] = Target.ONNX,
    precision: Annotated[
        Precision,
        typer.Option("--precision", help="bfloat16: in OpenVINO; int8: the image encoder. Both need --calibrate."),
    ] = Precision.FLOAT32,
    calibrate: Annotated[
        list[Path] | None,
        typer.Option("--calibrate", metavar="IMAGES", help="Images, or folders of them, to measure ranges and masks."),
    ] = None,
    parts: Annotated[
        Parts, typer.Option("--parts", help="images: without the graphs that only videos take.")
    ] = Parts.ALL,
    layout: Annotated[
        Layout,
        typer.Option("--layout", help="samexporter, transformersjs: images, with what programs of others expect."),
    ] = Layout.MASKLET,
    image_size: ImageSizeOption = None,
    tolerance: Annotated[
        float | None,
        typer.Option(
            "--tolerance",
            metavar="SHARE",
            help="How far graphs may be off, as a share of the largest value; 1e-5 by default, up to 1e-3.",
        ),
    ] = None,
) -> None:
    """Write a model as graphs, video memory included, and compare them with it.

    FOLDER gets one file a graph, manifest.json (shapes, bounds of their axes, checksums) and the settings of the
    processor. `masklet segment` and `masklet track` take it by --model FOLDER. A graph that differs from the model by
    more than the tolerance, for 1, 2 or 4 objects, is an error, and FOLDER stays as it was; so are masks in bfloat16
    and int8 that agree with the model's by a mean IoU of less than 0.97.
    """
    from masklet.cli.progress import progress_bar
    from masklet.export.folder import ExportSettings, export_model

    given = {} if tolerance is None else {"tolerance": tolerance}
    settings = ExportSettings(to, precision, parts, tuple(calibrate or ()), layout, **given)
    with progress_bar() as progress:
        task = progress.add_task("Loading the model", total=None)
        report = export_model(
            model,
            output,
            settings,
            image_size=image_size,
            progress=lambda name: progress.update(task, description=name),
        )
    _print(report)
    print(output)


def _print(report: "ExportReport") -> None:
    """Print of each graph and runtime the largest difference, for the numbers of objects beside each other."""
    rows: dict[tuple[str, str], dict[int, float]] = {}
    for each in report.differences:
        row = rows.setdefault((each.graph, each.runtime.value), {})
        row[each.objects] = max(each.largest, row.get(each.objects, 0.0))
    if rows:
        print(f"{'difference from the model':28}{'':12}" + "".join(f"{f'{n} obj.':>9}" for n in (1, 2, 4)))
    for (graph, runtime), of_objects in rows.items():
        print(f"{graph:28}{runtime:12}" + "".join(f"{of_objects[n]:9.1e}" for n in (1, 2, 4)))
    if report.agreement is not None:
        print(f"Masks agree with the model's by a mean IoU of {report.agreement:.4f}.")
