"""Arrays to model inputs, and model outputs back to arrays."""

from masklet.processing.batch import BatchFeature
from masklet.processing.image_processor import Sam2ImageProcessorFast
from masklet.processing.processor import Sam2Processor
from masklet.processing.video_processor import Sam2VideoProcessor

__all__ = ["BatchFeature", "Sam2ImageProcessorFast", "Sam2Processor", "Sam2VideoProcessor"]
