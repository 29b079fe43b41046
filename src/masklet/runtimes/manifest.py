"""`manifest.json`: what an exported folder holds, and all that a program without masklet needs to call its graphs."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from masklet.errors import CheckpointError, InvalidInputError
from masklet.json_files import is_file_name, read_json, shown
from masklet.runtimes.names import GraphName, Precision, Target

MANIFEST_FILE = "manifest.json"
FORMAT = 1


@dataclass(frozen=True)
class TensorSpec:
    """An input or output of a graph.

    Attributes:
        name: in the graph.
        dtype: "float32", "int64" or "bool".
        shape: of each dimension its size, or the name of an axis that has any size within its bounds.
    """

    name: str
    dtype: str
    shape: tuple[int | str, ...]

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Return what `asdict` made plain."""
        return cls(str(value["name"]), str(value["dtype"]), tuple(value["shape"]))


@dataclass(frozen=True)
class GraphEntry:
    """A graph in the folder.

    Attributes:
        files: of each of its files the SHA-256; the first one is opened.
        inputs: in order.
        outputs: in order.
        differences: of each runtime that was tried the largest difference from the network, as a share of the largest
            value.
    """

    files: Mapping[str, str]
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    differences: Mapping[str, float]

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Return what `asdict` made plain."""
        if not value["files"] or not all(is_file_name(name) and Path(name).name == name for name in value["files"]):
            raise ValueError(f"files of a graph are {shown(value['files'])}")
        inputs, outputs = (tuple(TensorSpec.from_json(each) for each in value[key]) for key in ("inputs", "outputs"))
        return cls(dict(value["files"]), inputs, outputs, dict(value["differences"]))


@dataclass(frozen=True)
class Manifest:
    """An exported folder.

    Attributes:
        model: what was exported, in words.
        fingerprint: of the network.
        target: the kind of files.
        precision: in which they are to be computed.
        opset: of ONNX.
        image_size: side of the network's input in pixels.
        image_mean: of the three channels, of pixels in 0..1.
        image_std: likewise.
        axes: of each axis of any size the bounds that the graphs were exported with.
        graphs: by the values of `GraphName`.
        no_memory: [c], added to the deepest level of an image that has no memory.
        no_object_pointer: [c], the pointer of an absent object; empty for images alone.
        agreement: of the masks with the network's, mean IoU on the images that were given, or None.
        format: of this file.
    """

    model: str
    fingerprint: str
    target: Target
    precision: Precision
    opset: int
    image_size: int
    image_mean: tuple[float, ...]
    image_std: tuple[float, ...]
    axes: Mapping[str, tuple[int, int]]
    graphs: Mapping[str, GraphEntry]
    no_memory: tuple[float, ...]
    no_object_pointer: tuple[float, ...]
    agreement: float | None = None
    format: int = FORMAT

    def write(self, folder: Path) -> None:
        """Write `manifest.json` into a folder."""
        text = json.dumps(asdict(self), indent=1)
        (folder / MANIFEST_FILE).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Return the manifest of a folder; CheckpointError where it is damaged, or of a later version."""
        path = folder / MANIFEST_FILE
        try:
            value = read_json(path)
            if value["format"] != FORMAT:
                raise CheckpointError(f"{path} has format {shown(value['format'])}; this masklet reads {FORMAT}.")
            return cls(**{**value, **_parsed(value)})
        except (InvalidInputError, KeyError, TypeError, ValueError, AttributeError) as error:
            if isinstance(error, CheckpointError):
                raise
            raise CheckpointError(f"{path} is no manifest of an exported model: {shown(str(error))}") from error

    def opened(self, folder: Path, graph: str) -> Path:
        """Return the file of a graph that a runtime opens; CheckpointError where one is missing or was changed.

        InvalidInputError if the folder was exported without that graph.
        """
        if graph not in self.graphs:
            raise InvalidInputError(
                f"{folder} was exported without the graph {str(graph)!r}: `masklet export --parts all` writes it."
            )
        files = self.graphs[graph].files
        for name, expected in files.items():
            if not (folder / name).is_file() or checksum(folder / name) != expected:
                raise CheckpointError(f"{folder / name} is missing, or not the file that was exported.")
        return folder / next(iter(files))


def _parsed(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return those fields that JSON holds in another type."""
    return {
        "target": Target(value["target"]),
        "precision": Precision(value["precision"]),
        "axes": {str(name): (int(least), int(most)) for name, (least, most) in value["axes"].items()},
        "graphs": {str(GraphName(name)): GraphEntry.from_json(each) for name, each in value["graphs"].items()},
        **{
            name: tuple(float(each) for each in value[name])
            for name in ("image_mean", "image_std", "no_memory", "no_object_pointer")
        },
    }


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
