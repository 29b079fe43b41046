"""Logging in and out, and what the server says about itself."""

from fastapi import APIRouter, Request, Response

import masklet
from masklet.server.access import COOKIE, session_key
from masklet.server.messages import Info, Login
from masklet.server.routes.caller import Caller

router = APIRouter(tags=["access"])
_SESSION_SECONDS = 30 * 24 * 3600


@router.post("/login", status_code=204, response_class=Response)
def login(body: Login, request: Request) -> Response:
    """Exchange a token for a cookie."""
    address = request.client.host if request.client else ""
    key = request.app.state.service.tokens.log_in(body.token, address)
    response = Response(status_code=204)
    is_secure = request.url.scheme == "https"
    response.set_cookie(COOKIE, key, _SESSION_SECONDS, secure=is_secure, httponly=True, samesite="strict")
    return response


@router.post("/logout", status_code=204, response_class=Response)
def logout(request: Request, caller: Caller) -> Response:
    """End the session of the cookie."""
    if (key := session_key(request.headers)) is not None:
        caller.service.tokens.log_out(key)
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return response


@router.get("/info")
def info(caller: Caller) -> Info:
    """Say which version and model answer, within which limits, and who is calling."""
    service = caller.service
    return Info(
        version=masklet.__version__,
        model=service.model_info,
        limits={name: float(value) for name, value in vars(service.settings.limits).items()},
        features=list(service.features),
        user=caller.user,
    )
