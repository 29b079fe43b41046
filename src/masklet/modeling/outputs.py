"""What the models return: dictionaries of the fields that are not None, which are attributes and pytrees, too."""

import inspect
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, NamedTuple, Self, dataclass_transform

from torch import Tensor
from torch.utils import _pytree as pytree

Context = list[Any]


@dataclass_transform(kw_only_default=True, eq_default=False)
class ModelOutput(dict[str, Any]):
    """Base of the outputs: `output.field`, `output["field"]`, `output[0]`, `output.to_tuple()`.

    Annotations of a subclass are its fields. A field that is None is no entry of the dictionary, and its attribute is
    None. `type(output)(mapping)` makes one of a mapping or of pairs, as `DataParallel` and accelerate do. Other entries
    may be set by key. As a pytree its leaves are its entries, as `torch.export` needs it.
    """

    fields: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.fields = tuple(inspect.get_annotations(cls))
        for name in cls.fields:
            if name in vars(cls):  # a default, which would hide the entry: attributes of classes come first
                delattr(cls, name)
        pytree.register_pytree_node(
            cls,
            _entries_and_context,
            cls._from_entries,
            serialized_type_name=f"{cls.__module__}.{cls.__name__}",
            flatten_with_keys_fn=_keyed_entries_and_context,
        )

    def __init__(self, entries: Mapping[str, Any] | Iterable[tuple[str, Any]] = (), /, **fields: Any) -> None:
        if unknown := [name for name in fields if name not in self.fields]:
            raise TypeError(f"{type(self).__name__} has the fields {', '.join(self.fields)}; got {', '.join(unknown)}.")
        super().__init__({name: value for name, value in {**dict(entries), **fields}.items() if value is not None})

    @classmethod
    def _from_entries(cls, entries: Iterable[Any], context: Context) -> Self:
        names, attributes = context
        output = cls.__new__(cls)
        output.update(zip(names, entries, strict=True))
        vars(output).update(attributes)
        return output

    def __getattr__(self, name: str) -> Any:
        if name in self or name in type(self).fields:
            return self.get(name)
        raise AttributeError(f"{type(self).__name__} has no {name!r}; it has {', '.join(type(self).fields)}.")

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self and name not in type(self).fields:
            super().__setattr__(name, value)
        elif value is None:
            self.pop(name, None)
        else:
            self[name] = value

    def __getitem__(self, key: str | int | slice) -> Any:
        return super().__getitem__(key) if isinstance(key, str) else self.to_tuple()[key]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.items())})"

    def to_tuple(self) -> tuple[Any, ...]:
        """Return the values that are not None, in order."""
        return tuple(self.values())


def _entries_and_context(output: ModelOutput) -> tuple[list[Any], Context]:
    return list(output.values()), [list(output), dict(vars(output))]


def _keyed_entries_and_context(output: ModelOutput) -> tuple[list[tuple[Any, Any]], Context]:
    entries, context = _entries_and_context(output)
    return [(pytree.MappingKey(name), entry) for name, entry in zip(output, entries, strict=True)], context


class Sam2HieraDetOutput(ModelOutput):
    """Tokens of the backbone, channels-last."""

    last_hidden_state: Tensor
    intermediate_hidden_states: tuple[Tensor, ...]
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class Sam2VisionEncoderOutput(ModelOutput):
    """Backbone tokens [batch, h, w, channels] and pyramid levels [batch, channels, h, w], high to low resolution."""

    last_hidden_state: Tensor
    fpn_hidden_states: tuple[Tensor, ...]
    fpn_position_encoding: tuple[Tensor, ...]
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


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


class DecodedMasks(NamedTuple):
    """All outputs of the decoder, mask 0 being the one for unambiguous prompts, the others the multimask outputs.

    `masks` [batch, objects, outputs, 4h, 4w] logits, `iou` [batch, objects, outputs] in 0..1, `tokens` [batch, objects,
    outputs, channels], `object_score` [batch, objects, 1] logits, `attentions` (where asked for) one a block.
    """

    masks: Tensor
    iou: Tensor
    tokens: Tensor
    object_score: Tensor
    attentions: list[Tensor]


def flat_attentions(attentions: list[Tensor]) -> tuple[Tensor, ...]:
    """[batch, objects, pixels, channels] as the reference has it: [batch * objects, 1, pixels, channels]."""
    return tuple(attention.flatten(0, 1).unsqueeze(1) for attention in attentions)
