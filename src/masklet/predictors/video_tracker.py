"""Objects through a video: prompt them, then track them through the frames."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from inspect import Parameter, signature
from itertools import chain
from typing import Any, Self

import torch

from masklet.automask.policy import EverythingPolicy
from masklet.configuration.loading_arguments import with_location
from masklet.configuration.presets import SpeedPreset
from masklet.errors import InvalidInputError
from masklet.json_files import one_of
from masklet.predictors.automatic_mask_generator import AutomaticMaskGenerator
from masklet.predictors.encoded_frame import EncodedFrame, prepared_frame
from masklet.predictors.everything_in_video import EverythingInVideo, MaskFinder
from masklet.predictors.tracked_video import TrackedVideo
from masklet.processing.processor import Sam2Processor
from masklet.runtimes.names import RuntimeName
from masklet.runtimes.opening import as_runtime, exported_runtime, for_inference, network_at
from masklet.runtimes.protocol import Runtime
from masklet.tracking.saved_session import SavedSession
from masklet.tracking.session import Sam2VideoInferenceSession
from masklet.tracking.video_model import Sam2VideoModel

_NOT_OPTIONS = {"video", "video_height", "video_width"}  # given by the video itself


class VideoTracker:
    """A model, or another runtime, and its processor: `open` a video, or a stream, to follow objects through it.

    Example:
        >>> from masklet import VideoTracker
        >>> video = VideoTracker.from_pretrained().open("assets/juggle.mp4")
        >>> video.add(1, frame=0, box=(229, 105, 262, 137))
        >>> [number for number, result in video.track(frames=range(3))]
        [0, 1, 2]
    """

    def __init__(self, model: Runtime, processor: Sam2Processor) -> None:
        self.runtime = for_inference(model)
        self.processor = processor

    @property
    def model(self) -> Any:
        """The runtime, for example the `Sam2VideoModel` that was loaded."""
        return self.runtime

    @classmethod
    def from_pretrained(
        cls,
        source: str | os.PathLike[str] | None = None,
        *,
        preset: str = SpeedPreset.EXACT,
        runtime: str = RuntimeName.AUTO,
        **options: Any,
    ) -> Self:
        """Load model and processor from a folder, a weight file, a hub id or (None) the package.

        Args:
            source: where from; also a folder that `masklet export` wrote.
            preset: "exact", "balanced" or "fast", see `SpeedPreset`.
            runtime: how it is run, one of `masklet.runtimes.names.RuntimeName`; "auto" is the network itself, or what
                is installed of the runtimes of such a folder. In "compiled" the first frames take minutes.
            options: device, dtype, image_size, ... of `Sam2VideoModel.from_pretrained`; they override the preset.
        """
        name = one_of(runtime, "runtime", RuntimeName)
        model: Runtime | None = exported_runtime(source, preset, name, options)
        if model is None:
            model = as_runtime(network_at(preset, Sam2VideoModel, source, options), name)
        size = {"height": model.config.image_size, "width": model.config.image_size}
        source, place, _ = with_location(source, options)
        return cls(model, Sam2Processor.from_pretrained(source, size=size, **place))

    def open(self, video: Any = None, **options: Any) -> TrackedVideo:
        """Open a video (path, folder of frames, list or array of images, reader), or a stream if None.

        `options` (retention, ...) and errors are those of `Sam2Processor.init_video_session`. With `zoom=True` small
        objects are looked for in enlarged views that follow them, each of which is encoded as an image of its own.
        """
        defaults = {"inference_device": self.runtime.device, "dtype": self.runtime.dtype}
        _check_options(options, self.processor.init_video_session, Sam2VideoInferenceSession)
        return TrackedVideo(self, self.processor.init_video_session(video, **{**defaults, **options}))

    def encode(self, image: Any) -> EncodedFrame:
        """Encode a frame once for several streams, to which it is pushed; errors as `TrackedVideo.push` raises them.

        Example:
            >>> from masklet import VideoTracker
            >>> tracker = VideoTracker.from_pretrained()
            >>> frame, streams = tracker.encode("assets/truck.jpg"), [tracker.open(), tracker.open()]
            >>> [stream.push(frame)[0] for stream in streams]
            [0, 0]
        """
        frame = prepared_frame(self.processor, image)
        frame = replace(frame, stretched=frame.stretched.clone())  # the caller's may change before it is pushed
        pixels = frame.pixels(self.runtime.device)
        with torch.inference_mode():
            return EncodedFrame(frame, self.runtime.encode_image(pixels.to(self.runtime.dtype).unsqueeze(0)))

    def everything(
        self,
        video: Any = None,
        policy: EverythingPolicy | str | None = None,
        *,
        lookback: bool = False,
        generator: MaskFinder | None = None,
        **options: Any,
    ) -> EverythingInVideo:
        """Find and follow everything in a video: iterate over what it returns, for each frame's number and objects.

        Objects that appear later are found, too, and objects keep their ids; memory does not grow with the video.

        Args:
            video: as `open` takes it; or an iterator of images, such as `live_frames` returns, which is a stream; None:
                a stream whose frames are given to `EverythingInVideo.push`.
            policy: when to search for objects, and what becomes of them, or its name: "careful", "default" or "fast".
            lookback: whether to report an object also on the frames before its discovery, which are held back for it;
                not in streams.
            generator: what finds masks on a frame; None: an `AutomaticMaskGenerator` of this model, with the options
                that its checkpoint's folder has for it.
            **options: of the session, as `open` takes them.

        Raises:
            InvalidInputError: for another policy, for lookback in a stream, and as `open` does.
            UnreadableVideoError: if a file cannot be read as a video.

        Example:
            >>> from masklet import EverythingPolicy, VideoTracker
            >>> policy = EverythingPolicy(points_per_side=4, max_objects=5)
            >>> everything = VideoTracker.from_pretrained().everything("assets/juggle.mp4", policy)
            >>> frame, found = next(iter(everything))
            >>> frame, found.size
            (0, (270, 480))
        """
        images = video if isinstance(video, Iterator) else None
        chosen = EverythingPolicy.of(policy)
        if lookback and (video is None or images is not None):
            raise InvalidInputError("There is no way back in a stream; lookback is for videos.")
        chosen = chosen.on(is_processor=self.runtime.device.type == "cpu")
        tracked = self.open(None if images is not None else video, **{"max_results": 0, **options})
        finder = generator or self._mask_finder(chosen)
        return EverythingInVideo(tracked, finder, chosen, lookback=lookback, images=images)

    def resume_everything(
        self,
        folder: str | os.PathLike[str] | SavedSession,
        video: Any = None,
        *,
        generator: MaskFinder | None = None,
        **options: Any,
    ) -> EverythingInVideo:
        """Continue from what `EverythingInVideo.save` wrote, in the same video (a stream if None), as without a break.

        Args:
            folder: where it was saved, or what was read there.
            video: as for `everything`; an iterator continues a stream.
            generator: what finds masks, as it was given to `everything`.
            **options: as for `resume`.

        Raises:
            DamagedSessionError: for a folder without such a session, or whose files are not what was saved.
            InvalidInputError: if the session is another model's or another video's.
        """
        saved = folder if isinstance(folder, SavedSession) else SavedSession.read(folder)
        images = video if isinstance(video, Iterator) else None
        tracked = self.resume(saved, None if images is not None else video, **options)
        return EverythingInVideo.resumed(saved, tracked, lambda policy: generator or self._mask_finder(policy), images)

    def _mask_finder(self, policy: EverythingPolicy) -> MaskFinder:
        options: Any = {} if policy.points_per_side is None else {"points_per_side": policy.points_per_side}
        return AutomaticMaskGenerator(self.runtime, self.processor, **options)

    def resume(self, folder: str | os.PathLike[str] | SavedSession, video: Any = None, **options: Any) -> TrackedVideo:
        """Continue from what `TrackedVideo.save` wrote, in the same video (a stream if None), with the same results.

        `folder` is where it was saved, or what was read there.

        `options` and errors are those of `masklet.tracking.saved_session.load_session`: InvalidInputError if the
        session is another model's or another video's.
        """
        frames = None if video is None else self.processor.video_frames(video)
        return TrackedVideo(self, Sam2VideoInferenceSession.load(folder, frames, self.runtime, **options))


def _check_options(options: Mapping[str, Any], *takers: Callable[..., Any]) -> None:
    """Raise `InvalidInputError` for options that none of `takers` has as a keyword."""
    parameters = chain.from_iterable(signature(taker).parameters.values() for taker in takers)
    known = sorted({each.name for each in parameters if each.kind is not Parameter.VAR_KEYWORD} - _NOT_OPTIONS)
    if unknown := sorted(options.keys() - set(known)):
        raise InvalidInputError(f"There is no option {', '.join(unknown)}; there are {', '.join(known)}.")
