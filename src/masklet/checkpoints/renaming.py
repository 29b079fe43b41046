"""Tables of tensor names as data, and the one engine that applies them in both directions."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import torch

from masklet.errors import CheckpointError

Tensors = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Renamed:
    """One row of a name table: a leading part of dotted names, as written there (`foreign`) and here (`ours`).

    `#` stands for a number and `*` for one whole dotted part; they appear equally often, in the same order, on both
    sides. The rest of the name stays as it is.
    """

    foreign: str
    ours: str

    def to_ours(self, name: str) -> str | None:
        """Return the name here, or None if this row does not apply."""
        return _replace_leading_part(name, self._foreign_pattern, self.ours)

    def to_foreign(self, name: str) -> str | None:
        """Return the name there, or None if this row does not apply."""
        return _replace_leading_part(name, self._our_pattern, self.foreign)

    @cached_property
    def _foreign_pattern(self) -> re.Pattern[str]:
        return _leading_part(self.foreign)

    @cached_property
    def _our_pattern(self) -> re.Pattern[str]:
        return _leading_part(self.ours)


@dataclass(frozen=True)
class Stacked:
    """Tensors `foreign` (a name with `#` counting from 0), each a row or rows of the one tensor `ours`."""

    foreign: str
    ours: str

    def to_ours(self, tensors: Tensors) -> Tensors:
        """Concatenate the numbered tensors along their first dimension, in the order of their numbers."""
        pattern = _leading_part(self.foreign, whole=True)
        numbered = {int(match[1]): name for name in tensors if (match := pattern.match(name))}
        if not numbered:
            return tensors
        if sorted(numbered) != list(range(len(numbered))):
            raise CheckpointError(
                f"{self.foreign} is there for # in {sorted(numbered)}; the numbers must count from 0."
            )
        stacked = torch.cat([tensors[numbered[number]] for number in sorted(numbered)])
        return {**_without(tensors, numbered.values()), self.ours: stacked}

    def to_foreign(self, tensors: Tensors) -> Tensors:
        """Give every row its own tensor (of one row)."""
        if self.ours not in tensors:
            return tensors
        rows = torch.split(tensors[self.ours], 1)
        separate = {self.foreign.replace("#", str(number)): row.clone() for number, row in enumerate(rows)}
        return {**_without(tensors, [self.ours]), **separate}


@dataclass(frozen=True)
class Copied:
    """A tensor that the foreign layout stores once and ours also under the name `copy` (both names are ours)."""

    original: str
    copy: str

    def to_ours(self, tensors: Tensors) -> Tensors:
        """Add whichever of the two names is missing.

        Both may differ: they are equal in every trained checkpoint, but transformers draws them apart in a new network.
        """
        if self.original in tensors:
            return {self.copy: tensors[self.original], **tensors}
        if self.copy in tensors:
            return {**tensors, self.original: tensors[self.copy]}
        return tensors

    def to_foreign(self, tensors: Tensors) -> Tensors:
        """Drop the copy; CheckpointError if it differs, which the foreign layout cannot express."""
        both = self.to_ours(tensors)
        if self.copy in both and not torch.equal(both[self.original], both[self.copy]):
            raise CheckpointError(
                f"{self.original} and {self.copy} differ here; the layout to write has one table for both."
            )
        return _without(both, [self.copy])


@dataclass(frozen=True)
class Layout:
    """One way of naming the tensors of SAM 2.

    The current names follow from the foreign ones by `renamed` (the first row that applies; a name that no row knows
    stays), then `combined`, then the steps of `nearer`, a layout between this one and the current one.
    `signs` are expressions of which at least one matches some name of every checkpoint in this layout, and none a name
    of a layout that is nearer to the current one.
    """

    name: str
    signs: tuple[str, ...] = ()
    renamed: tuple[Renamed, ...] = ()
    combined: tuple[Stacked | Copied, ...] = ()
    nearer: "Layout | None" = field(default=None, repr=False)

    def matches(self, names: Iterable[str]) -> bool:
        """Return whether some of these tensor names is written as only this layout writes it."""
        return any(re.search(sign, name) for name in names for sign in self.signs)

    def to_current(self, tensors: Mapping[str, torch.Tensor]) -> Tensors:
        """Return the same tensors under their current names."""
        ours = {_first(row.to_ours(name) for row in self.renamed) or name: tensor for name, tensor in tensors.items()}
        for step in self.combined:
            ours = step.to_ours(ours)
        return self.nearer.to_current(ours) if self.nearer else ours

    def from_current(self, tensors: Mapping[str, torch.Tensor]) -> Tensors:
        """Return tensors with current names under the names of this layout."""
        ours = self.nearer.from_current(tensors) if self.nearer else dict(tensors)
        for step in reversed(self.combined):
            ours = step.to_foreign(ours)
        return {_first(row.to_foreign(name) for row in self.renamed) or name: tensor for name, tensor in ours.items()}


_WILDCARDS = {"#": r"(\d+)", "*": r"([^.]+)"}


def _leading_part(template: str, *, whole: bool = False) -> re.Pattern[str]:
    pieces = (_WILDCARDS.get(piece, re.escape(piece)) for piece in re.split(r"([#*])", template))
    return re.compile("".join(pieces) + ("$" if whole else r"(?=\.|$)"))


def _replace_leading_part(name: str, pattern: re.Pattern[str], template: str) -> str | None:
    match = pattern.match(name)
    if match is None:
        return None
    found = iter(match.groups())
    return re.sub(r"[#*]", lambda _: next(found), template) + name[match.end() :]


def _first(candidates: Iterator[str | None]) -> str | None:
    return next((candidate for candidate in candidates if candidate is not None), None)


def _without(tensors: Tensors, names: Iterable[str]) -> Tensors:
    left_out = set(names)
    return {name: tensor for name, tensor in tensors.items() if name not in left_out}
