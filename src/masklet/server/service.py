"""What a server consists of: its users, its model and the projects; made once, before the first request."""

from masklet.predictors.video_tracker import VideoTracker
from masklet.server.messages import ModelInfo
from masklet.server.settings import ServerSettings
from masklet.server.tokens import Tokens

FEATURES = ("images", "videos", "tracking")


class Service:
    """Everything that routes need.

    Args:
        settings: what the server was started with.
        tracker: the model.
        tokens: who callers are.
        model_name: what the model was loaded from.
    """

    features = FEATURES

    def __init__(self, settings: ServerSettings, tracker: VideoTracker, tokens: Tokens, model_name: str) -> None:
        self.settings, self.tracker, self.tokens = settings, tracker, tokens
        runtime = tracker.runtime
        self.model_info = ModelInfo(
            name=model_name,
            image_size=runtime.config.image_size,
            device=str(runtime.device),
            dtype=str(runtime.dtype).removeprefix("torch."),
            preset=settings.preset,
        )
