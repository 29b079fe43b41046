"""The three implementations behind one surface: read weights, encode an image, decode clicks, segment a file.

The references' own image processors need torchvision. What they do to a picture is written here in torch: transformers
resizes the 8-bit values, Meta the floats. Every opponent loads its weights from files, as its users do.
"""

import json
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import interpolate

MEAN = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
DEVIATION = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
IMAGE_PARTS_OF_META = ("image_encoder.", "sam_", "no_mem_embed")
CONFIGURATION, FOLDER, META_CHECKPOINT = "configuration.json", "folder", "meta.pt"


def write_weights(configuration: dict[str, Any], directory: Path) -> None:
    """One set of random weights as every opponent reads it: a folder of configuration and safetensors, and a `.pt`."""
    from benchmarks.references.meta_sam2 import meta_state_dict
    from benchmarks.references.random_weights import randomise
    from benchmarks.references.transformers_sam2 import build_transformers_model, build_transformers_video_model

    is_video = configuration["model_type"] == "sam2_video"
    model: Any = randomise((build_transformers_video_model if is_video else build_transformers_model)(configuration))
    if is_video:  # objects that are absent would leave nothing to compare
        with torch.no_grad():
            model.mask_decoder.pred_obj_score_head.proj_out.bias.add_(20)
    (directory / CONFIGURATION).write_text(json.dumps(configuration))
    model.save_pretrained(directory / FOLDER)
    torch.save({"model": meta_state_dict(model.state_dict())}, directory / META_CHECKPOINT)


class Opponent(ABC):
    """One implementation with its weights in memory, in evaluation mode."""

    name: str
    image_size: int

    @abstractmethod
    def encode(self, pixels: Tensor) -> list[Tensor]:
        """Pixels (1, 3, S, S) to the three levels that the decoder reads."""

    @abstractmethod
    def decode(self, embeddings: list[Tensor], points: Tensor) -> tuple[Tensor, Tensor]:
        """One positive click for each object, (P, 2) in model pixels: logits (P, 3, S/4, S/4), IoU scores (P, 3)."""

    @abstractmethod
    def preprocess(self, picture: Image.Image) -> Tensor:
        """An RGB picture to pixels (1, 3, S, S)."""

    def segment_file(self, path: Path, point: tuple[float, float]) -> Tensor:
        """A file and one click in its pixels to the best mask, boolean, in the picture's size (height, width)."""
        picture = Image.open(path).convert("RGB")
        width, height = picture.size
        scaled = torch.tensor([[point[0] * self.image_size / width, point[1] * self.image_size / height]])
        logits, iou_scores = self.decode(self.encode(self.preprocess(picture)), scaled)
        full = interpolate(logits, (height, width), mode="bilinear", align_corners=False) > 0
        return full[0, iou_scores[0].argmax()]


class Masklet(Opponent):
    """This package through its public API."""

    name = "masklet"

    def __init__(self, weights: Path) -> None:
        from masklet import Sam2ImageProcessorFast, Sam2Model, Sam2Processor

        self.model: Any = Sam2Model.from_pretrained(weights / FOLDER)
        self.image_size = self.model.config.prompt_encoder_config.image_size
        size = {"height": self.image_size, "width": self.image_size}
        self.processor: Any = Sam2Processor(Sam2ImageProcessorFast(size=size))

    def encode(self, pixels: Tensor) -> list[Tensor]:
        return list(self.model.get_image_embeddings(pixels))

    def decode(self, embeddings: list[Tensor], points: Tensor) -> tuple[Tensor, Tensor]:
        return _decode_hugging_face(self.model, embeddings, points)

    def preprocess(self, picture: Image.Image) -> Tensor:
        pixels: Tensor = self.processor(images=picture, return_tensors="pt")["pixel_values"]
        return pixels

    def segment_file(self, path: Path, point: tuple[float, float]) -> Tensor:
        inputs = self.processor(images=str(path), input_points=[[[list(point)]]], return_tensors="pt")
        outputs = self.model(**inputs)
        masks: Tensor = self.processor.post_process_masks(outputs.pred_masks, inputs["original_sizes"])[0]
        return masks[0, outputs.iou_scores[0, 0].argmax()]


class Transformers(Opponent):
    """transformers' `Sam2Model`."""

    name = "transformers"

    def __init__(self, weights: Path, dtype: torch.dtype = torch.float32) -> None:
        from transformers.models.sam2.modeling_sam2 import Sam2Model

        self.model: Any = Sam2Model.from_pretrained(weights / FOLDER, dtype=dtype).eval()
        self.image_size = self.model.config.prompt_encoder_config.image_size

    def encode(self, pixels: Tensor) -> list[Tensor]:
        return list(self.model.get_image_embeddings(pixels.to(self.model.dtype)))

    def decode(self, embeddings: list[Tensor], points: Tensor) -> tuple[Tensor, Tensor]:
        return _decode_hugging_face(self.model, embeddings, points)

    def preprocess(self, picture: Image.Image) -> Tensor:
        size = (self.image_size, self.image_size)
        resized = interpolate(_bytes(picture), size, mode="bilinear", antialias=True)
        return (resized.float() - 255 * MEAN) / (255 * DEVIATION)


class Meta(Opponent):
    """Meta's modules, assembled as its released configuration does and used as its image predictor does."""

    name = "meta"

    def __init__(self, weights: Path, dtype: torch.dtype = torch.float32) -> None:
        from benchmarks.references.meta_sam2 import build_meta_model

        configuration = json.loads((weights / CONFIGURATION).read_text())
        state = torch.load(weights / META_CHECKPOINT, map_location="cpu", weights_only=True)["model"]
        of_images = {name: value for name, value in state.items() if name.startswith(IMAGE_PARTS_OF_META)}
        self.model = build_meta_model(configuration, of_images)
        self.precision = torch.autocast("cpu", torch.bfloat16, enabled=dtype != torch.float32)
        self.image_size = configuration["prompt_encoder_config"]["image_size"]

    def encode(self, pixels: Tensor) -> list[Tensor]:
        with self.precision:
            return self.model.encode(pixels)

    def decode(self, embeddings: list[Tensor], points: Tensor) -> tuple[Tensor, Tensor]:
        labels = torch.ones(len(points), 1, dtype=torch.int32)
        with self.precision:
            logits, iou_scores, _ = self.model.segment(embeddings, points=points[:, None], labels=labels)
        return logits, iou_scores

    def preprocess(self, picture: Image.Image) -> Tensor:
        size = (self.image_size, self.image_size)
        resized = interpolate(_bytes(picture) / 255, size, mode="bilinear", antialias=True)
        return (resized - MEAN) / DEVIATION


OPPONENTS: dict[str, type[Opponent]] = {opponent.name: opponent for opponent in (Masklet, Transformers, Meta)}


def _decode_hugging_face(model: nn.Module, embeddings: list[Tensor], points: Tensor) -> tuple[Tensor, Tensor]:
    """The signature that masklet and transformers share."""
    labels = torch.ones(1, len(points), 1, dtype=torch.int64)
    points = points.to(embeddings[0].dtype)
    outputs = model(image_embeddings=embeddings, input_points=points[None, :, None], input_labels=labels)
    return outputs.pred_masks[0], outputs.iou_scores[0]


def _bytes(picture: Image.Image) -> Tensor:
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None]
