"""Regularization, learning rates of the image encoder and low-rank adapters."""

from dataclasses import dataclass

from masklet.errors import InvalidInputError
from masklet.training.settings.ranges import require_numbers


@dataclass(frozen=True)
class Regularization:
    """Stochastic depth and dropout; None leaves what the model has.

    Attributes:
        drop_path: probability of dropping the last of the backbone's blocks, earlier ones in proportion to their depth.
        memory_dropout: of values and weights of memory attention; 0.1 in the reference.
    """

    drop_path: float | None = None
    memory_dropout: float | None = None

    def __post_init__(self) -> None:
        require_numbers(self, "drop_path", "memory_dropout", at_least=0, below=1)


@dataclass(frozen=True)
class ImageEncoderRates:
    """Learning rate and layer decay of the image encoder.

    Attributes:
        learning_rate: in place of the recipe's, following the same schedule; None: the recipe's.
        layer_decay: a block of the backbone `depth` blocks below the neck learns at the rate times `layer_decay` **
            (depth + 1), the patch embedding as one block more; position tables and the neck at the full rate. The
            reference's fine-tuning has 0.9.
    """

    learning_rate: float | None = None
    layer_decay: float = 1.0

    def __post_init__(self) -> None:
        require_numbers(self, "learning_rate", at_least=0)
        require_numbers(self, "layer_decay", above=0, at_most=1)


@dataclass(frozen=True)
class LowRank:
    """Low-rank adapters (LoRA) beside frozen weights: W + alpha / rank * B A.

    Attributes:
        rank: of A and B.
        alpha: see the formula.
        dropout: of the adapters' inputs.
        layers: patterns (* and ?) of the names of the linear layers that get one; by default all that can have one.
    """

    rank: int = 16
    alpha: float = 32.0
    dropout: float = 0.0
    layers: tuple[str, ...] = ("*",)

    def __post_init__(self) -> None:
        require_numbers(self, "rank", at_least=1)
        require_numbers(self, "alpha", above=0)
        require_numbers(self, "dropout", at_least=0, below=1)
        if not self.layers:
            raise InvalidInputError('LowRank.layers is empty; give at least one pattern, "*" for example.')
