"""The prompts of several objects of one image, in the batches in which the network sees them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from masklet.errors import InvalidInputError
from masklet.json_files import shown
from masklet.prompts.prompt import Prompt


@dataclass(frozen=True)
class PromptBatches:
    """Prompts of N objects, and which of them the network sees together.

    Attributes:
        prompts: of each object.
        places: of each batch the places of its objects among `prompts`.
    """

    prompts: Sequence[Prompt]
    places: Sequence[Sequence[int]]

    @classmethod
    def together(cls, prompts: Sequence[Prompt]) -> Self:
        """Put all objects into one batch: those with fewer points than others are filled up."""
        return cls(prompts, [range(len(prompts))] if prompts else [])

    @classmethod
    def by_shape(cls, prompts: Sequence[Prompt]) -> Self:
        """Put prompts of one shape into one batch: none is filled up, so none changes the mask of another.

        InvalidInputError for anything but a list of prompts, and, with its number, for a prompt that marks nothing.
        """
        if not isinstance(prompts, Sequence):
            raise InvalidInputError(f"prompts must be a list with one Prompt for each object; got {shown(prompts)}.")
        places: dict[object, list[int]] = defaultdict(list)
        for place, prompt in enumerate(prompts):
            if not isinstance(prompt, Prompt) or prompt.is_empty:
                needed = "a Prompt with points, a box or a mask"
                raise InvalidInputError(f"Object {place + 1} needs {needed}; got {shown(prompt)}.")
            places[prompt.shape].append(place)
        return cls(prompts, list(places.values()))

    def __len__(self) -> int:
        return len(self.prompts)

    def __iter__(self) -> Iterator[list[Prompt]]:
        for places in self.places:
            yield [self.prompts[place] for place in places]

    def joined(self, parts: Sequence[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
        """Return what was found for the objects [n, ...] of each batch, for all N objects in their order."""
        first, second = (torch.cat(each) for each in zip(*parts, strict=True))
        order = torch.tensor([place for places in self.places for place in places], device=first.device).argsort()
        return first[order], second[order]
