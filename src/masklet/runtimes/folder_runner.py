"""What all runners of an exported folder share: a graph is opened once, and given what it was recorded for."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import torch
from torch import Tensor

from masklet.errors import CheckpointError, InvalidInputError
from masklet.runtimes.manifest import Manifest, TensorSpec
from masklet.runtimes.names import RuntimeName

Arrays = Mapping[str, Any]
"""Of numpy, by the names of inputs."""


class FolderRunner(ABC):
    """Graphs in a library, each opened when it is first called; several threads may call them at once.

    A graph computes in as many threads as torch did when it was opened.

    Args:
        folder: of the graphs.
        manifest: of the folder.
    """

    name: RuntimeName

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self._folder, self._manifest = folder, manifest
        self._opened: dict[str, Any] = {}
        self._opening = Lock()

    def run(self, graph: str, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Return the outputs of a graph, in memory of their own.

        Raises:
            InvalidInputError: for inputs of other shapes than the graph's, and for a graph that was not exported.
            CheckpointError: for a file that is damaged.
            MemoryError: if there is too little memory.
        """
        opened = self._opened.get(graph) or self._open_first(graph)
        specs = self._manifest.graphs[graph].inputs
        _check_shapes(graph, specs, inputs)
        arrays = {spec.name: _array_of(each, spec.dtype) for spec, each in zip(specs, inputs, strict=True)}
        try:
            return [torch.from_numpy(each) for each in self._outputs(opened, arrays)]
        except Exception as error:  # of the libraries' own kinds, which share no base
            kind = MemoryError if "alloc" in str(error) else RuntimeError
            raise kind(f"{self.name} cannot run the graph {str(graph)!r}: {error}") from error

    @abstractmethod
    def _open(self, path: Path) -> Any:
        """Return a file opened, as `_outputs` takes it."""

    @abstractmethod
    def _outputs(self, opened: Any, arrays: Arrays) -> Sequence[Any]:
        """Return the outputs as arrays of numpy, in order, in memory that nobody else has."""

    def _open_first(self, graph: str) -> Any:
        with self._opening:  # which graphs that are open already do not wait for
            if graph not in self._opened:
                path = self._manifest.opened(self._folder, graph)
                try:
                    self._opened[graph] = self._open(path)
                except Exception as error:
                    raise CheckpointError(f"{self.name} cannot open {path}: {error}") from error
            return self._opened[graph]


def _check_shapes(graph: str, specs: Sequence[TensorSpec], inputs: Sequence[Tensor]) -> None:
    """Raise InvalidInputError for shapes that a graph does not take: an axis of any size has one size in all inputs."""
    sizes: dict[int | str, int] = {}
    for spec, tensor in zip(specs, inputs, strict=True):
        if tensor.ndim == len(spec.shape):
            sizes = dict(zip(spec.shape, tensor.shape, strict=True)) | sizes
        wanted = [sizes[size] if isinstance(size, str) and size in sizes else size for size in spec.shape]
        if wanted != list(tensor.shape):
            raise InvalidInputError(
                f"{spec.name} has the shape {list(tensor.shape)}; the graph {str(graph)!r} takes "
                f"[{', '.join(map(str, wanted))}]. Was it made by another model?"
            )


def _array_of(tensor: Tensor, dtype: str) -> Any:
    """Return a tensor as the numpy array of a type that a graph takes."""
    return tensor.detach().to("cpu", getattr(torch, dtype)).contiguous().numpy()
