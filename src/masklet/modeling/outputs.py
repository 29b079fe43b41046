"""What the models return: fields by attribute, by key, and by position among those that are not None."""

from collections.abc import ItemsView, Iterator, KeysView, ValuesView
from dataclasses import dataclass, fields
from typing import Any

from torch import Tensor


class ModelOutput:
    """Base of the output dataclasses: `output.field`, `output["field"]`, `output[0]`, `output.to_tuple()`."""

    def _present(self) -> dict[str, Any]:
        values = {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]
        return {name: value for name, value in values.items() if value is not None}

    def __getitem__(self, key: str | int | slice) -> Any:
        return self._present()[key] if isinstance(key, str) else self.to_tuple()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._present())

    def __len__(self) -> int:
        return len(self._present())

    def __contains__(self, key: object) -> bool:
        return key in self._present()

    def keys(self) -> KeysView[str]:
        """Names of the fields that are not None."""
        return self._present().keys()

    def values(self) -> ValuesView[Any]:
        """Values of the fields that are not None."""
        return self._present().values()

    def items(self) -> ItemsView[str, Any]:
        """Names and values of the fields that are not None."""
        return self._present().items()

    def get(self, key: str, default: Any = None) -> Any:
        """The field's value, or `default` where it is None."""
        return self._present().get(key, default)

    def to_tuple(self) -> tuple[Any, ...]:
        """The values that are not None, in declaration order."""
        return tuple(self._present().values())


@dataclass
class Sam2HieraDetOutput(ModelOutput):
    """Tokens of the backbone, channels-last."""

    last_hidden_state: Tensor
    intermediate_hidden_states: tuple[Tensor, ...]
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


@dataclass
class Sam2VisionEncoderOutput(ModelOutput):
    """Backbone tokens [batch, h, w, channels] and pyramid levels [batch, channels, h, w], high to low resolution."""

    last_hidden_state: Tensor
    fpn_hidden_states: tuple[Tensor, ...]
    fpn_position_encoding: tuple[Tensor, ...]
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


@dataclass
class Sam2ImageSegmentationOutput(ModelOutput):
    """Masks of an image.

    `iou_scores` [batch, objects, masks], `pred_masks` [batch, objects, masks, h, w] (logits, h = image_size / 4),
    `object_score_logits` [batch, objects, 1], `image_embeddings` (three levels, high to low resolution, reusable).
    """

    iou_scores: Tensor
    pred_masks: Tensor
    object_score_logits: Tensor
    image_embeddings: tuple[Tensor, ...]
    vision_hidden_states: tuple[Tensor, ...] | None = None
    vision_attentions: tuple[Tensor, ...] | None = None
    mask_decoder_attentions: tuple[Tensor, ...] | None = None

    @property
    def low_res_masks(self) -> Tensor:
        """The name an older API gave to `pred_masks`."""
        return self.pred_masks
