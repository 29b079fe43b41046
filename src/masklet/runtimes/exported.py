"""A runtime whose verbs are graphs in files: the network itself is not there."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from masklet.configuration import Sam2Config
from masklet.configuration.base import CONFIG_FILE
from masklet.errors import CheckpointError
from masklet.prompts.point_labels import NOT_A_POINT
from masklet.runtimes.manifest import MANIFEST_FILE, Manifest
from masklet.runtimes.names import GraphName, Precision, RuntimeName
from masklet.runtimes.protocol import MOST_DECODED, ImageFeatures, MaskOutputs, ObjectMemory

MOST_OBJECTS = {GraphName.CONDITION: 4}
"""Of graphs that take more memory an object; in this one all share a first self-attention."""


class GraphRunner(Protocol):
    """What runs the graphs of a folder: ONNX Runtime or OpenVINO. May be called by several threads at once."""

    name: RuntimeName

    def run(self, graph: str, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Return the outputs of a graph, in memory of their own."""


class ExportedRuntime:
    """The verbs of `masklet.runtimes.protocol`, on graphs that `masklet export` wrote.

    On the CPU, in tensors of float32 whatever the graphs compute in. Several threads may use it at once.

    Args:
        folder: with the graphs and `config.json`.
        manifest: of the folder.
        runner: runs them.

    Attributes:
        precision: in which the graphs are computed.
    """

    def __init__(self, folder: Path, manifest: Manifest, runner: GraphRunner, precision: Precision) -> None:
        self.folder, self.manifest, self.runner, self.precision = folder, manifest, runner, precision
        self.config = Sam2Config.from_pretrained(folder)
        width = self.config.prompt_encoder_config.hidden_size
        sizes = (manifest.image_size, len(manifest.no_memory), len(manifest.no_object_pointer) or width)
        if sizes != (self.config.image_size, width, width):
            raise CheckpointError(f"{folder / MANIFEST_FILE} and {CONFIG_FILE} are of different models.")
        self.device, self.dtype = torch.device("cpu"), torch.float32
        self.no_object_pointer = torch.tensor([manifest.no_object_pointer])
        self._no_memory = torch.tensor(manifest.no_memory).view(1, -1, 1, 1)

    @property
    def name(self) -> RuntimeName:
        """Which runtime this is."""
        return self.runner.name

    @property
    def fingerprint(self) -> str:
        """That of the network where numbers are its own up to rounding; rounded to fewer bits they are another's.

        In int8 they depend on the images that gave the ranges, and so on the file; how they are rounded on the way is
        the runtime's.
        """
        own = self.manifest.fingerprint
        if self.precision is Precision.FLOAT32:
            return own
        is_calibrated = self.precision is Precision.INT8
        files = self.manifest.graphs[GraphName.ENCODE_IMAGE].files.values() if is_calibrated else ()
        return " ".join([own, self.name, self.precision, *files])

    def encode_image(self, pixel_values: Tensor) -> ImageFeatures:
        """Encode an image [1, 3, S, S]."""
        return ImageFeatures(*self.runner.run(GraphName.ENCODE_IMAGE, [pixel_values]))

    def without_memory(self, features: ImageFeatures) -> ImageFeatures:
        """Mark an image of its own as one without memory."""
        return features.conditioned(features.stride16 + self._no_memory)

    def condition(self, stride16: Tensor, memory: ObjectMemory) -> Tensor:
        """Condition a frame on the memories of n objects."""
        if self.config.num_maskmem == 0:
            return stride16
        if memory.is_empty:
            return stride16 + self._no_memory
        return self._run(GraphName.CONDITION, [stride16], memory)[0]

    def decode(
        self,
        features: ImageFeatures,
        points: Tensor | None = None,
        labels: Tensor | None = None,
        mask_logits: Tensor | None = None,
    ) -> MaskOutputs:
        """Decode the masks of n objects."""
        stride4, stride8, stride16 = features
        if points is None or labels is None:
            objects = stride16.shape[0] if mask_logits is None else mask_logits.shape[0]
            points, labels = torch.zeros(objects, 1, 2), torch.full((objects, 1), NOT_A_POINT)
        if mask_logits is not None:
            stride16 = stride16.expand(points.shape[0], -1, -1, -1)
            return self._decoded(GraphName.DECODE_MASK, [stride4, stride8], [stride16, points, labels, mask_logits])
        if stride16.shape[0] == 1:
            return self._decoded(GraphName.DECODE_IMAGE, features, [points, labels])
        return self._decoded(GraphName.DECODE, [stride4, stride8], [stride16, points, labels])

    def _decoded(self, graph: GraphName, frame: Sequence[Tensor], objects: Sequence[Tensor]) -> MaskOutputs:
        """Run the decoder, which makes no pointers where the graphs are of images alone."""
        logits, iou, object_score, *pointers = self._run(graph, frame, objects)
        return MaskOutputs(logits, iou, object_score, pointers[0] if pointers else iou.unsqueeze(-1)[..., :0])

    def embed_mask(self, masks: Tensor) -> Tensor:
        """Turn mask prompts [n, S, S] in 0..1 into mask logits [n, 4h, 4w]."""
        return self._run(GraphName.EMBED_MASK, [], [masks])[0]

    def encode_memory(self, stride16: Tensor, logits: Tensor, object_score: Tensor, binarize: Tensor) -> Tensor:
        """Encode the memories of n objects on a frame."""
        return self._run(GraphName.ENCODE_MEMORY, [stride16], [logits, object_score, binarize])[0]

    def _run(self, graph: GraphName, frame: Sequence[Tensor], objects: Sequence[Tensor]) -> list[Tensor]:
        """Return the outputs of a graph, which is given some objects at a time.

        Args:
            graph: its name.
            frame: inputs of which the graph takes one row: given for all objects, or one an object.
            objects: inputs with a row an object.
        """
        count = objects[0].shape[0]
        is_shared = all(each.shape[0] == 1 for each in frame)
        most = MOST_OBJECTS.get(graph, MOST_DECODED) if is_shared else 1
        parts = []
        for start in range(0, max(count, 1), most):
            rows = slice(start, start + most)
            own = [each if each.shape[0] == 1 else each[rows] for each in frame]
            parts.append(self.runner.run(graph, [*own, *(each[rows] for each in objects)]))
        return parts[0] if len(parts) == 1 else [torch.cat(each) for each in zip(*parts, strict=True)]
