"""SAM 2 for images: pixels and prompts in, masks out."""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from masklet.checkpoints.layouts.current import VIDEO_ONLY_PATTERNS
from masklet.checkpoints.pretrained import PretrainedModel
from masklet.configuration import Sam2Config
from masklet.configuration.agreement import check_image_network
from masklet.errors import InvalidInputError
from masklet.modeling.fingerprint import fingerprint
from masklet.modeling.layers import initialize, pointwise_twice
from masklet.modeling.mask_decoder import MaskDecoder
from masklet.modeling.mask_selection import multimask_outputs, single_output
from masklet.modeling.outputs import (
    DecodedMasks,
    Sam2HieraDetOutput,
    Sam2ImageSegmentationOutput,
    Sam2VisionEncoderOutput,
    flat_attentions,
)
from masklet.modeling.plain_calls import is_plain
from masklet.modeling.positions import FourierPositions
from masklet.modeling.prompt_checks import check_embeddings, check_mask_logits, check_prompts
from masklet.modeling.prompt_encoder import PromptEncoder
from masklet.modeling.values import CandidateMasks, ImageFeatures, MaskOutputs
from masklet.modeling.vision import FeaturePyramidNeck, Sam2VisionModel
from masklet.prompts.point_labels import NOT_A_POINT


class Sam2Model(PretrainedModel):
    """SAM 2 for images.

    Inputs are what `Sam2Processor` makes: coordinates in pixels of the resized image, x before y.

    Example:
        >>> from masklet import Sam2Model, Sam2Processor
        >>> processor = Sam2Processor.from_pretrained()
        >>> inputs = processor("assets/truck.jpg", input_points=[[[[320, 425]]]], return_tensors="pt")
        >>> Sam2Model.from_pretrained()(**inputs).pred_masks.shape
        torch.Size([1, 1, 3, 96, 96])
    """

    config_class = Sam2Config
    config: Sam2Config
    main_input_name = "pixel_values"
    base_model_prefix = "sam2"
    # A full checkpoint also holds the video model's memory; images do without.
    ignored_tensor_patterns: ClassVar[tuple[str, ...]] = VIDEO_ONLY_PATTERNS

    def __init__(self, config: Sam2Config):
        super().__init__(config)
        check_image_network(config)
        prompts = config.prompt_encoder_config
        self.shared_image_embedding = FourierPositions(prompts.hidden_size, prompts.scale)
        self.vision_encoder = Sam2VisionModel(config.vision_config)
        self.prompt_encoder = PromptEncoder(prompts)
        self.mask_decoder = MaskDecoder(config.mask_decoder_config)
        self.no_memory_embedding = nn.Parameter(torch.zeros(1, 1, config.vision_config.fpn_hidden_size))
        for part in (self.prompt_encoder, self.mask_decoder):
            part.apply(initialize(config.initializer_range))
        self.prompt_encoder.shared_embedding.positional_embedding.copy_(
            self.shared_image_embedding.positional_embedding
        )

    def get_input_embeddings(self) -> nn.Module:
        """Return the patch embedding."""
        return self.vision_encoder.get_input_embeddings()

    def get_output_embeddings(self) -> None:
        """None: SAM 2 has no output embedding."""

    @property
    def fingerprint(self) -> str:
        """A hash of settings and weights, which distinguishes this model from others."""
        return fingerprint(self, self.config)

    def resize(self, image_size: int) -> None:
        """Take images of another size from now on (a multiple of 32); no weight has a shape that depends on it."""
        self.config.set_image_size(image_size)

    def encode_image(self, pixel_values: Tensor) -> ImageFeatures:
        """Encode images [batch, 3, S, S]; the two finer levels are projected for the mask decoder with the neck.

        Raises `InvalidInputError` if S is not the model's image size.
        """
        return self._encode(pixel_values)[0]

    def _encode(
        self, pixel_values: Tensor, output_hidden_states: bool = False, output_attentions: bool = False
    ) -> tuple[ImageFeatures, Sam2HieraDetOutput | Sam2VisionEncoderOutput]:
        """Return the features and what the backbone gave."""
        size, channels = self.config.image_size, self.config.vision_config.backbone_config.num_channels
        if pixel_values.ndim != 4 or pixel_values.shape[1:] != (channels, size, size):
            raise InvalidInputError(
                f"pixel_values has shape {list(pixel_values.shape)}; "
                f"this model takes [batch, {channels}, {size}, {size}]. "
                "Another size can be given when loading: from_pretrained(..., image_size=...)."
            )
        vision, projections = self.vision_encoder, (self.mask_decoder.conv_s0, self.mask_decoder.conv_s1)
        if not (is_plain(vision, Sam2VisionModel) and is_plain(vision.neck, FeaturePyramidNeck)):
            encoded: Sam2VisionEncoderOutput = vision(
                pixel_values,
                output_hidden_states=output_hidden_states,
                output_attentions=output_attentions,
                return_dict=True,
            )
            stride4, stride8, stride16 = encoded.fpn_hidden_states
            return ImageFeatures(projections[0](stride4), projections[1](stride8), stride16), encoded
        stages = vision.encode(pixel_values, output_hidden_states, output_attentions)
        tokens, neck = stages.intermediate_hidden_states, vision.neck
        finer = [pointwise_twice(neck.lateral(level), conv, tokens[level]) for level, conv in enumerate(projections)]
        features = ImageFeatures(*(level.permute(0, 3, 1, 2) for level in (*finer, neck.level(tokens, 2))))
        return features, stages

    def without_memory(self, features: ImageFeatures) -> ImageFeatures:
        """Mark the deepest level as not conditioned on any memory: what the decoder takes for a single image."""
        return features.conditioned(features.stride16 + self.no_memory_embedding.view(1, -1, 1, 1))

    @torch.no_grad()
    def get_image_embeddings(self, pixel_values: Tensor) -> list[Tensor]:
        """Return the three levels for `forward(image_embeddings=...)`, computed once an image."""
        return list(self.without_memory(self.encode_image(pixel_values)))

    @torch.no_grad()
    def get_prompt_embeddings(
        self,
        input_points: Tensor | None = None,
        input_labels: Tensor | None = None,
        input_boxes: Tensor | None = None,
        input_masks: Tensor | None = None,
    ) -> tuple[Tensor | None, Tensor]:
        """Sparse and dense embeddings of prompts as `forward` takes them; see `PromptEncoder.forward`."""
        embeddings: tuple[Tensor | None, Tensor] = self.prompt_encoder(
            input_points, input_labels, input_boxes, input_masks
        )
        return embeddings

    def get_image_wide_positional_embeddings(self) -> Tensor:
        """Return the encoding of the image embedding's grid: [1, channels, h, w]."""
        return self.shared_image_embedding.grid(*self.prompt_encoder.image_embedding_size).permute(2, 0, 1)[None]

    def get_image_features(self, pixel_values: Tensor, **options: bool | None) -> Sam2VisionEncoderOutput:
        """Return the levels that the mask decoder and the memory take, as rows of pixels.

        Args:
            pixel_values: [batch, 3, S, S].
            options: `output_hidden_states` and `output_attentions`, as of `Sam2VisionModel`.

        Returns:
            `fpn_hidden_states` and `fpn_position_encoding`, lists of [h * w, batch, channels], high to low resolution;
            the two finer levels are projected for the mask decoder (channels / 8 and channels / 4), nothing is added to
            the deepest one.
        """
        output: Sam2VisionEncoderOutput = self.vision_encoder(pixel_values, **{**options, "return_dict": True})
        levels = list(output.fpn_hidden_states)
        levels[:2] = [self.mask_decoder.conv_s0(levels[0]), self.mask_decoder.conv_s1(levels[1])]
        output.fpn_hidden_states = tuple(level.flatten(2).permute(2, 0, 1) for level in levels)
        output.fpn_position_encoding = tuple(each.flatten(2).permute(2, 0, 1) for each in output.fpn_position_encoding)
        return output

    def decode(
        self,
        features: ImageFeatures,
        points: Tensor | None = None,
        labels: Tensor | None = None,
        mask_logits: Tensor | None = None,
    ) -> MaskOutputs:
        """Decode objects of one image, or of n images with one object each: see `masklet.runtimes.protocol`."""
        axis = 0 if features.stride16.shape[0] == 1 else 1
        points, labels, mask_logits = (
            None if each is None else each.unsqueeze(axis) for each in (points, labels, mask_logits)
        )
        outputs = self.decode_images(features, points, labels, mask_logits)
        return MaskOutputs(*(each.flatten(0, 1) for each in outputs))

    def decode_images(
        self,
        features: ImageFeatures,
        points: Tensor | None = None,
        labels: Tensor | None = None,
        mask_logits: Tensor | None = None,
    ) -> MaskOutputs:
        """Decode objects of several images: as `decode`, with an axis of images before that of the objects."""
        decoded = self.decoded_masks(features, points, labels, input_masks=mask_logits)
        return MaskOutputs(decoded.masks, decoded.iou, decoded.object_score.squeeze(-1), self._pointers(decoded))

    def decode_above(
        self,
        features: ImageFeatures,
        points: Tensor,
        labels: Tensor,
        least_iou: float,
        mask_logits: Tensor | None = None,
        *,
        multimask: bool = True,
    ) -> CandidateMasks:
        """Decode the masks of an image whose predicted IoU is above a bound: see `masklet.runtimes.protocol`."""
        outputs = slice(1, None) if multimask else slice(0, 1)
        if not is_plain(self.mask_decoder, MaskDecoder):
            decoded = self.decode(features, points, labels, mask_logits)
            return CandidateMasks.above(least_iou, decoded.logits[:, outputs], decoded.iou[:, outputs])
        masks = None if mask_logits is None else mask_logits.unsqueeze(0)
        sparse, dense = self.prompt_encoder(points.unsqueeze(0), labels.unsqueeze(0), None, masks)
        positions = self.get_image_wide_positional_embeddings()
        return self.mask_decoder.candidates_above(features, positions, sparse, dense, least_iou, outputs)

    def _pointers(self, decoded: DecodedMasks) -> Tensor:
        """Return the object pointers [batch, objects, outputs, channels]: of images none, no channels."""
        return decoded.tokens[..., :0]

    def decoded_masks(
        self,
        image_embeddings: Sequence[Tensor],
        input_points: Tensor | None = None,
        input_labels: Tensor | None = None,
        input_boxes: Tensor | None = None,
        input_masks: Tensor | None = None,
        attention_similarity: Tensor | None = None,
        target_embedding: Tensor | None = None,
        keep_attentions: bool = False,
    ) -> DecodedMasks:
        """All of the decoder's outputs for prompts as in `forward`; without any, one object that may be anything."""
        check_embeddings(image_embeddings, self.prompt_encoder.config)
        batch = image_embeddings[2].shape[0]
        if input_points is None and input_boxes is None:
            objects = 1 if input_masks is None else input_masks.shape[1]
            input_points = image_embeddings[2].new_zeros(batch, objects, 1, 2)
            input_labels = torch.full((batch, objects, 1), NOT_A_POINT, device=input_points.device)
        check_prompts(batch, input_points, input_labels, input_boxes, input_masks)
        sparse, dense = self.prompt_encoder(input_points, input_labels, input_boxes, input_masks)
        decoded: DecodedMasks = self.mask_decoder(
            image_embeddings[2],
            self.get_image_wide_positional_embeddings(),
            sparse,
            dense,
            None,
            tuple(image_embeddings[:2]),
            attention_similarity,
            target_embedding,
            keep_attentions,
        )
        return decoded

    def forward(
        self,
        pixel_values: Tensor | None = None,
        input_points: Tensor | None = None,
        input_labels: Tensor | None = None,
        input_boxes: Tensor | None = None,
        input_masks: Tensor | None = None,
        image_embeddings: Sequence[Tensor] | None = None,
        multimask_output: bool = True,
        attention_similarity: Tensor | None = None,
        target_embedding: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        **ignored: object,
    ) -> Sam2ImageSegmentationOutput | tuple[object, ...]:
        """Segment every prompted object of every image.

        `pixel_values` [batch, 3, S, S], or `image_embeddings` from an earlier call; `input_points` [batch, objects,
        points, 2] with `input_labels` [batch, objects, points] (1 on the object, 0 off it, -1 not a point, -10
        padding); `input_boxes` [batch, objects, 4] (x1, y1, x2, y2); `input_masks` [batch, 1 or objects, h, w] logits
        (1: shared by all objects). `multimask_output` returns three masks an object, otherwise one.
        Further keyword arguments (the processor's `original_sizes`, ...) are accepted and not used.
        Raises `InvalidInputError` (a `ValueError`) for shapes that do not go together, and masks beyond +-60000 or NaN.
        """
        check_mask_logits(input_masks)
        if (pixel_values is None) == (image_embeddings is None):
            given = "neither" if pixel_values is None else "both"
            raise InvalidInputError(f"Images are given as pixel_values, or as image_embeddings; got {given}.")
        attentions = self.config.output_attentions if output_attentions is None else output_attentions
        hidden_states = self.config.output_hidden_states if output_hidden_states is None else output_hidden_states
        stages = None
        if pixel_values is not None:
            features, stages = self._encode(pixel_values, hidden_states, attentions)
            image_embeddings = self.without_memory(features)
        assert image_embeddings is not None
        prompts = (input_points, input_labels, input_boxes, input_masks)
        decoded = self.decoded_masks(image_embeddings, *prompts, attention_similarity, target_embedding, attentions)
        if multimask_output:
            masks, iou = multimask_outputs(decoded)
        else:
            masks, iou = single_output(decoded, self.config.mask_decoder_config, self.training)
        output = Sam2ImageSegmentationOutput(
            iou_scores=iou,
            pred_masks=masks,
            object_score_logits=decoded.object_score,
            image_embeddings=tuple(image_embeddings),
            vision_hidden_states=stages.hidden_states if stages else None,
            vision_attentions=stages.attentions if stages else None,
            mask_decoder_attentions=flat_attentions(decoded.attentions) if attentions else None,
        )
        return output if (self.config.return_dict if return_dict is None else return_dict) else output.to_tuple()
