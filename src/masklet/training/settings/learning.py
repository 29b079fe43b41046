"""How the network learns."""

from dataclasses import dataclass

from masklet.errors import InvalidInputError


@dataclass(frozen=True)
class Regularization:
    """What the network goes without at times while it learns.

    `drop_path`: how often the last of the backbone's blocks is left out, earlier ones in proportion to their depth.
    `memory_dropout`: of values and weights of memory attention. 0.1 in the reference; None: as the model has it.
    """

    drop_path: float | None = None
    memory_dropout: float | None = None

    def __post_init__(self) -> None:
        for name in ("drop_path", "memory_dropout"):
            if not 0 <= (getattr(self, name) or 0) < 1:
                raise InvalidInputError(f"{name}={getattr(self, name)}; it must be at least 0 and below 1.")


@dataclass(frozen=True)
class ImageEncoderRates:
    """How fast the image encoder learns.

    `learning_rate` in place of the recipe's (None: the same; it falls in the same proportion); a block of the backbone
    `depth` blocks below the neck learns at that times `layer_decay` ** (depth + 1), what comes before the blocks as
    one block more; position tables and the neck at the full rate (the reference's fine-tuning: 0.9).
    """

    learning_rate: float | None = None
    layer_decay: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.layer_decay <= 1:
            raise InvalidInputError(f"layer_decay={self.layer_decay}; it must be above 0 and at most 1.")


@dataclass(frozen=True)
class LowRank:
    """Train low-rank adapters (LoRA) beside frozen weights: W + alpha / rank * B A.

    `layers`: patterns (* and ?) of the names of the linear layers that get one; by default all that can have one.
    """

    rank: int = 16
    alpha: float = 32.0
    dropout: float = 0.0
    layers: tuple[str, ...] = ("*",)

    def __post_init__(self) -> None:
        if self.rank < 1 or self.alpha <= 0 or not 0 <= self.dropout < 1:
            raise InvalidInputError(f"{self}: rank must be at least 1, alpha above 0, dropout from 0 to below 1.")
