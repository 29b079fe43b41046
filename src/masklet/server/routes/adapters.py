"""Other annotation tools take this server as their model: Label Studio's ML backend, CVAT's serverless functions."""

from typing import Any

from fastapi import APIRouter, Response

from masklet.server.adapters import label_studio
from masklet.server.adapters.foreign_requests import MODEL_VERSION
from masklet.server.problems import EscapedJson
from masklet.server.routes.caller import Caller

router = APIRouter(tags=["adapters"], default_response_class=EscapedJson)
Body = dict[str, Any]


@router.get("/label-studio/health")
def label_studio_health() -> Body:
    """Answer that the model is there."""
    return label_studio.health()


@router.post("/label-studio/setup")
def label_studio_setup(body: Body) -> Body:
    """Answer with the version of the model."""
    return label_studio.setup(MODEL_VERSION)


@router.post("/label-studio/webhook", status_code=201, responses={200: {"description": "An unknown action"}})
def label_studio_webhook(body: Body, response: Response) -> Body:
    """Take note of what was annotated, from which nothing is learnt."""
    if not label_studio.is_known_action(body):
        response.status_code = 200
    return label_studio.webhook(body)


@router.post("/label-studio/predict")
def label_studio_predict(body: Body, caller: Caller) -> Response:
    """Answer with a brush for the clicks and boxes that the annotator has drawn."""
    return EscapedJson(caller.service.foreign.predict(caller.user, body))


@router.post("/cvat/nuclio")
def cvat_nuclio(body: Body, caller: Caller) -> Response:
    """Answer as an interactor to clicks and a box, as a tracker to shapes and states."""
    return EscapedJson(caller.service.foreign.invoke(caller.user, body))
