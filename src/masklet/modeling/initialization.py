"""Fresh weights, as the reference draws them before training."""

from collections.abc import Callable

from torch import nn


def initialize(deviation: float) -> Callable[[nn.Module], None]:
    """Make a function for `Module.apply`: linear and convolution weights normal(0, deviation), biases 0, norms 1."""

    def initialize_one(module: nn.Module) -> None:
        if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, std=deviation)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=deviation)
        elif isinstance(module, nn.LayerNorm):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)

    return initialize_one
