"""A runtime that holds every tensor at the seam to the dimensions that `masklet.runtimes.protocol` names."""

from collections.abc import Sequence

import torch
from torch import Tensor

from masklet.modeling.object_memory import ObjectMemory
from masklet.runtimes.protocol import ImageFeatures, MaskOutputs, Runtime


class Dimensions:
    """The sizes that letters stand for: known from the start, or from where they are met first."""

    def __init__(self, **known: int) -> None:
        self.known = known

    def check(self, value: Tensor, *names: str | int) -> None:
        """Assert that a tensor has these dimensions; `4h` is four times h, `1|n` is 1 or n."""
        assert value.dim() == len(names), (list(value.shape), names)
        for size, name in zip(value.shape, names, strict=True):
            assert size in self._allowed(name, size), (list(value.shape), names, self.known)

    def _allowed(self, name: str | int, size: int) -> Sequence[int]:
        if isinstance(name, int) or name.isdigit():
            return (int(name),)
        if "|" in name:
            return [each for part in name.split("|") for each in self._allowed(part, size)]
        factor, letter = (int(name[:-1]), name[-1]) if name[0].isdigit() else (1, name)
        return (factor * self.known.setdefault(letter, size),)


class CheckedRuntime:
    """Another runtime, whose arguments and results are checked; `calls` are the names of the verbs in turn."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.calls: list[str] = []
        config = runtime.config
        side, width = config.image_size, config.memory_attention_hidden_size
        self._sizes = {"S": side, "h": side // 16, "w": side // 16, "t": (side // 16) ** 2, "c": width}
        self._sizes |= {"d": width // 8, "e": width // 4, "m": config.memory_encoder_output_channels}

    config = property(lambda self: self._runtime.config)
    device = property(lambda self: self._runtime.device)
    dtype = property(lambda self: self._runtime.dtype)
    fingerprint = property(lambda self: self._runtime.fingerprint)
    no_object_pointer = property(lambda self: self._runtime.no_object_pointer)

    def _called(self, verb: str) -> Dimensions:
        self.calls.append(verb)
        return Dimensions(**self._sizes)

    def encode_image(self, pixel_values: Tensor) -> ImageFeatures:
        sizes = self._called("encode_image")
        sizes.check(pixel_values, 1, 3, "S", "S")
        return self._features(sizes, self._runtime.encode_image(pixel_values), "1")

    def without_memory(self, features: ImageFeatures) -> ImageFeatures:
        return self._features(self._called("without_memory"), self._runtime.without_memory(features), "1")

    def condition(self, stride16: Tensor, memory: ObjectMemory) -> Tensor:
        sizes = self._called("condition")
        sizes.check(memory.features, "n", "f", "t", "m")
        sizes.check(memory.temporal_positions, "n", "f")
        sizes.check(memory.pointers, "n", "p", "c")
        sizes.check(memory.times, "n", "p")
        assert not memory.temporal_positions.is_floating_point()
        sizes.check(stride16, "1|n", "c", "h", "w")
        conditioned = self._runtime.condition(stride16, memory)
        sizes.check(conditioned, "1" if memory.is_empty else "n", "c", "h", "w")
        return conditioned

    def decode(
        self,
        features: ImageFeatures,
        points: Tensor | None = None,
        labels: Tensor | None = None,
        mask_logits: Tensor | None = None,
    ) -> MaskOutputs:
        sizes = self._called("decode")
        assert (points is None) == (labels is None)
        if points is not None and labels is not None:
            sizes.check(points, "n", "k", 2)
            sizes.check(labels, "n", "k")
        if mask_logits is not None:
            sizes.check(mask_logits, "n", "4h", "4w")
        outputs = self._runtime.decode(features, points, labels, mask_logits)
        sizes.check(outputs.logits, "n", 4, "4h", "4w")
        sizes.check(outputs.iou, "n", 4)
        sizes.check(outputs.object_score, "n")
        sizes.check(outputs.pointers, "n", 4, "c")
        self._features(sizes, features, "1|n")
        return outputs

    def embed_mask(self, masks: Tensor) -> Tensor:
        sizes = self._called("embed_mask")
        sizes.check(masks, "n", "S", "S")
        logits = self._runtime.embed_mask(masks)
        sizes.check(logits, "n", "4h", "4w")
        return logits

    def encode_memory(self, stride16: Tensor, logits: Tensor, object_score: Tensor, binarize: Tensor) -> Tensor:
        sizes = self._called("encode_memory")
        sizes.check(logits, "n", "4h", "4w")
        sizes.check(object_score, "n")
        sizes.check(binarize, "n")
        assert binarize.dtype == torch.bool
        sizes.check(stride16, "1|n", "c", "h", "w")
        memory = self._runtime.encode_memory(stride16, logits, object_score, binarize)
        sizes.check(memory, "n", "t", "m")
        return memory

    @staticmethod
    def _features(sizes: Dimensions, features: ImageFeatures, images: str) -> ImageFeatures:
        sizes.check(features.stride4, images, "d", "4h", "4w")
        sizes.check(features.stride8, images, "e", "2h", "2w")
        sizes.check(features.stride16, images, "c", "h", "w")
        return features
