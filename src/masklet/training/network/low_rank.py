"""Low-rank adapters (LoRA, Hu et al. 2021, arXiv 2106.09685) through PEFT: added, merged into the weights, saved.

PEFT wraps a linear layer's call. Where the network multiplies by the weights of a layer itself, which is quicker, an
adapter would make it call the layer: those of the decoder's and the memory's attention are therefore never adapted.
"""

import copy
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, cast

from torch import nn

from masklet.atomic_files import folder_written_whole
from masklet.errors import InvalidInputError
from masklet.modeling.decoder_attention import DecoderAttention
from masklet.modeling.rotary_attention import RotaryAttention
from masklet.modeling.video_network import VideoNetwork
from masklet.training.settings.learning import LowRank

ADAPTER = "default"  # PEFT's own name for the only adapter
ADAPTER_FOLDER = "adapter"


def adaptable_layers(model: nn.Module) -> list[str]:
    """Return the names of the linear layers that an adapter may act on."""
    attentions = [
        f"{name}." for name, module in model.named_modules() if isinstance(module, DecoderAttention | RotaryAttention)
    ]
    linear = [name for name, module in model.named_modules() if type(module) is nn.Linear and name]
    return [name for name in linear if not name.startswith(tuple(attentions))]


def add_adapters(model: VideoNetwork, low_rank: LowRank | None) -> None:
    """Put adapters beside the layers that `low_rank.layers` names and freeze everything else; None: leave it all.

    A fresh adapter changes nothing.

    Raises:
        InvalidInputError: if PEFT is not installed or a pattern fits no layer.
    """
    if low_rank is None:
        return
    peft = _peft()
    config = peft.LoraConfig(
        r=low_rank.rank,
        lora_alpha=low_rank.alpha,
        lora_dropout=low_rank.dropout,
        target_modules=_chosen(adaptable_layers(model), low_rank.layers),
    )
    peft.inject_adapter_in_model(config, model)


def merged(model: VideoNetwork) -> VideoNetwork:
    """Return a copy with the adapters added to ordinary weights; the model itself where it has none."""
    if not _adapted(model):
        return model
    plain = copy.deepcopy(model)
    for name, layer in _adapted(plain).items():
        layer.merge()
        owner, _, last = name.rpartition(".")
        setattr(plain.get_submodule(owner), last, layer.get_base_layer())
    return plain


def save_adapters(model: VideoNetwork, folder: Path) -> None:
    """Write the adapters alone, if there are any, in PEFT's format: `PeftModel.from_pretrained` reads the folder."""
    if not _adapted(model):
        return
    from safetensors.torch import save_file

    tensors, configs = _peft().get_peft_model_state_dict(model, adapter_name=ADAPTER), cast(Any, model.peft_config)
    with folder_written_whole(folder) as unfinished:
        configs[ADAPTER].save_pretrained(str(unfinished))
        own = {f"base_model.model.{name}": tensor.contiguous() for name, tensor in tensors.items()}
        save_file(own, unfinished / "adapter_model.safetensors")


def _adapted(model: nn.Module) -> dict[str, Any]:
    """Return the layers with an adapter; PEFT is loaded only where it has been used."""
    if not hasattr(model, "peft_config"):
        return {}
    from peft.tuners.tuners_utils import BaseTunerLayer

    return {name: module for name, module in model.named_modules() if isinstance(module, BaseTunerLayer)}


def _chosen(names: list[str], patterns: tuple[str, ...]) -> list[str]:
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise InvalidInputError(
                f"lora.layers: {pattern!r} fits none of the {len(names)} linear layers that can be adapted, "
                f"{names[0]!r} or {names[-1]!r} for example."
            )
    return [name for name in names if any(fnmatchcase(name, pattern) for pattern in patterns)]


def _peft() -> Any:
    try:
        import peft
    except ImportError as error:
        raise InvalidInputError("Low-rank adapters need PEFT: pip install 'masklet[lora]'.") from error
    return peft
