"""What distinguishes one model from another: its settings and a sample of its weights."""

import hashlib
import json

import torch
from torch import nn

from masklet.configuration import Sam2Config

VALUES_A_TENSOR = 64


def fingerprint(network: nn.Module, config: Sam2Config) -> str:
    """Return a hash, the same on every machine; training, conversion to another type or another size change it."""
    own_settings = {name: getattr(config, name) for name in Sam2Config.__annotations__ if "config" not in name}
    digest = hashlib.sha256(json.dumps(own_settings, sort_keys=True, default=str).encode())
    for name, tensor in sorted(network.state_dict().items()):
        values = tensor.detach().flatten()
        sample = values[:: max(1, len(values) // VALUES_A_TENSOR)]
        digest.update(f"{name} {list(tensor.shape)} {tensor.dtype}".encode())
        digest.update(sample.to("cpu", torch.float32).numpy().tobytes())
    return digest.hexdigest()
