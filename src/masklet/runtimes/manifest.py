"""`manifest.json`: what an exported folder holds, and all that a program without masklet needs to call its graphs."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from masklet.errors import CheckpointError, InvalidInputError
from masklet.json_files import CHECKSUM, checksum_of, is_file_name, is_finite_number, read_json, shown, whole_number
from masklet.runtimes.names import GraphName, Parts, Precision, Target

MANIFEST_FILE = "manifest.json"
FORMAT = 3  # from 3 on with a checksum of all the rest
_DTYPES = ("float32", "int64", "bool")


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
        name, dtype = value["name"], value["dtype"]
        if not isinstance(name, str) or dtype not in _DTYPES:
            raise ValueError(f"{shown(name)}: the type {shown(dtype)} is none of {_DTYPES}")
        sizes = value["shape"]
        return cls(name, dtype, tuple(size if isinstance(size, str) else whole_number(size, name) for size in sizes))


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
        inputs, outputs = (tuple(TensorSpec.from_json(each) for each in value[key]) for key in ("inputs", "outputs"))
        names = list(value["differences"])
        differences = _numbers([value["differences"][name] for name in names], "differences")
        return cls(_files(value["files"]), inputs, outputs, dict(zip(names, differences, strict=True)))


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
        settings: of each file with settings of the network and the processor the SHA-256.
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
    settings: Mapping[str, str]
    no_memory: tuple[float, ...]
    no_object_pointer: tuple[float, ...]
    agreement: float | None = None
    format: int = FORMAT

    @staticmethod
    def is_in(folder: Path) -> bool:
        """Whether a folder has a manifest of this kind, damaged or not: other programs have files of that name, too."""
        path = folder / MANIFEST_FILE
        try:
            value = read_json(path) if path.is_file() else {}
        except InvalidInputError:
            return True
        return isinstance(value, dict) and not value.keys().isdisjoint({"fingerprint", "graphs"})

    def write(self, folder: Path) -> None:
        """Write `manifest.json` into a folder."""
        content = asdict(self)
        text = json.dumps({**content, CHECKSUM: checksum_of(content)}, indent=1)
        (folder / MANIFEST_FILE).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Return the manifest of a folder; CheckpointError where it is damaged, or of another version."""
        path = folder / MANIFEST_FILE
        with _damage_named(path):
            value = _content(path)
            if value["format"] != FORMAT:
                raise CheckpointError(
                    f"{path} has format {shown(value['format'])}; this masklet reads {FORMAT}: export it again."
                )
            return cls(**{**value, **_parsed(value)})

    @staticmethod
    def files_in(folder: Path) -> list[str]:
        """Return the names of all files of an exported folder, the manifest's own among them.

        Of this version or an earlier one; CheckpointError where the manifest is damaged, or of a later version.
        """
        path = folder / MANIFEST_FILE
        with _damage_named(path):
            value = _content(path)
            named = [value["settings"], *(each["files"] for each in value["graphs"].values())]
            return [MANIFEST_FILE, *(name for files in named for name in _files(files))]

    def check_settings(self, folder: Path) -> None:
        """Raise CheckpointError where a file with settings is missing or was changed."""
        _check_files(folder, self.settings)

    def opened(self, folder: Path, graph: str) -> Path:
        """Return the file of a graph that a runtime opens; CheckpointError where one is missing or was changed.

        InvalidInputError if the folder was exported without that graph.
        """
        if graph not in self.graphs:
            raise InvalidInputError(
                f"{folder} was exported without the graph {str(graph)!r}: `masklet export --parts all` writes it."
            )
        files = self.graphs[graph].files
        _check_files(folder, files)
        return folder / next(iter(files))


@contextmanager
def _damage_named(path: Path) -> Iterator[None]:
    """Raise CheckpointError, naming the file, for whatever its content makes of the code that reads it."""
    try:
        yield
    except CheckpointError:
        raise
    except (InvalidInputError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(f"{path} is no manifest of an exported model: {shown(str(error))}") from error


def _content(path: Path) -> dict[str, Any]:
    """Return what a manifest holds, as it was written; CheckpointError for one of a later version."""
    value: dict[str, Any] = read_json(path)
    version = whole_number(value["format"], "format", least=1)
    if version > FORMAT:
        raise CheckpointError(
            f"{path} has format {version}, of a later masklet; this one reads {FORMAT}: update masklet."
        )
    if version == FORMAT and value.pop(CHECKSUM) != checksum_of(value):
        raise ValueError("it was changed, its checksum is another one")
    return {**value, "format": version}


def _check_files(folder: Path, files: Mapping[str, str]) -> None:
    for name, expected in files.items():
        if not (folder / name).is_file() or _checksum(folder / name) != expected:
            raise CheckpointError(f"{folder / name} is missing, or not the file that was exported.")


def _parsed(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields, checked, some of which JSON holds in another type."""
    texts = {name: value[name] for name in ("model", "fingerprint")}
    if not all(isinstance(each, str) for each in texts.values()):
        raise ValueError(f"model and fingerprint are texts; got {shown(texts)}")
    agreement, graphs = value["agreement"], value["graphs"]
    if missing := set(Parts.IMAGES.graphs) - graphs.keys():
        raise ValueError(f"without the graphs {sorted(missing)}")
    return {
        **texts,
        "target": Target(value["target"]),
        "precision": Precision(value["precision"]),
        "opset": whole_number(value["opset"], "opset"),
        "image_size": whole_number(value["image_size"], "image_size", least=1),
        "axes": {
            name: (whole_number(least, name), whole_number(most, name)) for name, (least, most) in value["axes"].items()
        },
        "graphs": {str(GraphName(name)): GraphEntry.from_json(each) for name, each in graphs.items()},
        "settings": _files(value["settings"]),
        "agreement": agreement if agreement is None else _numbers([agreement], "agreement")[0],
        **{name: _numbers(value[name], name) for name in ("image_mean", "image_std", "no_memory", "no_object_pointer")},
    }


def _numbers(values: Any, name: str) -> tuple[float, ...]:
    if not isinstance(values, list) or not all(map(is_finite_number, values)):
        raise ValueError(f"{name} must be finite numbers; got {shown(values)}")
    return tuple(map(float, values))


def _files(value: Any) -> dict[str, str]:
    """Return the checksums of files by their names, which lead out of no folder."""
    if not value or not all(is_file_name(name) and Path(name).name == name for name in value):
        raise ValueError(f"files are {shown(value)}")
    return dict(value)


def checksums(files: Iterable[Path]) -> dict[str, str]:
    """Return the SHA-256 of files by their names."""
    return {path.name: _checksum(path) for path in files}


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
