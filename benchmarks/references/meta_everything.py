"""Meta's automatic mask generator, on its own classes and without torchvision.

What it takes of torchvision is put in its place: preparation of images in floats, and non-maximum suppression (that of
masklet, which `tests/unit/masks/test_suppression.py` holds to torchvision's).
"""

import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.references.meta_sam2 import (
    MetaImageModel,
    build_image_encoder,
    build_mask_decoder,
    build_prompt_encoder,
)


class Resize(nn.Module):
    """Bilinear, antialiased, in floats."""

    def __init__(self, size: tuple[int, int]) -> None:
        super().__init__()
        self.height, self.width = size

    def forward(self, pixels: Tensor) -> Tensor:
        resized = F.interpolate(
            pixels.unsqueeze(0), [self.height, self.width], mode="bilinear", align_corners=False, antialias=True
        )
        return resized.squeeze(0)


class Normalize(nn.Module):
    def __init__(self, mean: list[float], std: list[float]) -> None:
        super().__init__()
        self.mean, self.std = torch.tensor(mean).view(-1, 1, 1), torch.tensor(std).view(-1, 1, 1)

    def forward(self, pixels: Tensor) -> Tensor:
        return (pixels - self.mean) / self.std


class ToTensor:
    def __call__(self, image: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1).float().div(255)


def batched_nms(boxes: Tensor, scores: Tensor, idxs: Tensor, iou_threshold: float) -> Tensor:
    """All boxes are of one class here."""
    from masklet.masks.suppression import box_suppression

    return torch.from_numpy(box_suppression(boxes.float().numpy(), scores.numpy(), iou_threshold))


def box_area(boxes: Tensor) -> Tensor:
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def stand_in_for_torchvision() -> None:
    """Put modules of these names in place, for Meta's generator to import."""
    contents: dict[str, dict[str, Any]] = {
        "torchvision": {},
        "torchvision.ops": {},
        "torchvision.ops.boxes": {"batched_nms": batched_nms, "box_area": box_area},
        "torchvision.transforms": {"Normalize": Normalize, "Resize": Resize, "ToTensor": ToTensor},
    }
    for name, content in contents.items():
        module = ModuleType(name)
        module.__dict__.update(content)
        sys.modules.setdefault(name, module)


class MetaGeneratorModel(MetaImageModel):
    """The image model with what Meta's image predictor asks of a `SAM2Base`."""

    use_high_res_features_in_sam = True
    num_feature_levels = 3
    directly_add_no_mem_embed = True

    def __init__(self, configuration: dict[str, Any]) -> None:
        vision, prompts = configuration["vision_config"], configuration["prompt_encoder_config"]
        super().__init__(
            build_image_encoder(vision),
            build_prompt_encoder(prompts),
            build_mask_decoder(configuration["mask_decoder_config"]),
            vision["fpn_hidden_size"],
        )
        self.image_size = prompts["image_size"]

    @property
    def device(self) -> torch.device:
        return self.no_mem_embed.device

    def forward_image(self, pixels: Tensor) -> Any:
        from sam2.modeling.sam2_base import SAM2Base

        return SAM2Base.forward_image(self, pixels)

    def _prepare_backbone_features(self, backbone_out: Any) -> Any:
        from sam2.modeling.sam2_base import SAM2Base

        return SAM2Base._prepare_backbone_features(self, backbone_out)


def build_meta_generator(configuration: dict[str, Any], state: Mapping[str, Tensor], **settings: Any) -> Any:
    """A `SAM2AutomaticMaskGenerator` for an image configuration and weights under Meta's names."""
    stand_in_for_torchvision()
    from sam2.automatic_mask_generator import SAM2AutomaticMaskGenerator

    model = MetaGeneratorModel(configuration)
    wanted = model.state_dict().keys()
    model.load_state_dict({name: value.float() for name, value in state.items() if name in wanted})
    model.sam_mask_decoder.dynamic_multimask_via_stability = configuration["mask_decoder_config"].get(
        "dynamic_multimask_via_stability", True
    )
    generator = SAM2AutomaticMaskGenerator(model.eval(), **settings)
    size = model.image_size  # the predictor fixes those of an image of 1024 pixels
    generator.predictor._bb_feat_sizes = [(size // stride, size // stride) for stride in (4, 8, 16)]
    return generator
