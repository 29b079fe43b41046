"""The sessions of `masklet track`: the one that is resumed, and where this run is saved."""

import math
import shlex
import sys
from pathlib import Path

from masklet.atomic_files import check_writable
from masklet.errors import DamagedSessionError, InvalidInputError
from masklet.jobs.tracking_journal import SavedTracking, TrackingJournal
from masklet.tracking.saved_session import FILE


def saved_tracking(resume: Path | None) -> SavedTracking | None:
    """Return what --resume names, if it does; DamagedSessionError if nothing was saved there."""
    if resume is None:
        return None
    if not (resume / FILE).is_file():
        raise DamagedSessionError(f"{resume} holds no {FILE}; --resume takes a folder that masklet track saved.")
    return SavedTracking.read(resume)


def check_sessions(save_session: Path | None, saved: SavedTracking | None, default: Path) -> None:
    """Refuse to replace an unfinished session, and report the one that a killed run left in `default`.

    Args:
        save_session: the folder of --save-session.
        saved: the session that is resumed.
        default: where the session is saved without --save-session.

    Raises:
        InvalidInputError: if `save_session` holds an unfinished session that is not the one that is resumed.
        OSError: if it cannot be written.
    """
    if save_session is not None:
        check_writable(save_session)
        is_resumed = saved is not None and saved.is_at(save_session)
        if SavedTracking.is_unfinished(save_session) and not is_resumed:
            raise InvalidInputError(
                f"--save-session {save_session} holds an unfinished session. Continue it with {_resume(save_session)}; "
                "to begin anew, delete that folder or name another one."
            )
    elif saved is None and SavedTracking.is_unfinished(default):
        print(
            f"Note: {default} holds an unfinished session, it stays as it is; continue it with {_resume(default)}.",
            file=sys.stderr,
        )


def check_zoom(zoom: bool, saved: SavedTracking | None) -> None:
    """Raise InvalidInputError for views in a session that began without."""
    if zoom and saved is not None and not saved.session.description.zoom:
        raise InvalidInputError(
            f"The session in {saved.session.folder} began without --zoom and goes on without; track the video anew to "
            "zoom in."
        )


def opened_journal(
    save_session: Path | None, saved: SavedTracking | None, default: Path, save_every: float
) -> TrackingJournal:
    """Return where the session is saved: where that was asked for, or in the unfinished session that is resumed."""
    if math.isnan(save_every):
        raise InvalidInputError("--save-every is nan; give a number of seconds.")
    continues_there = save_session is None and saved is not None and saved.task is not None
    return TrackingJournal(
        saved.session.folder if saved is not None and continues_there else save_session,
        default,
        save_every or None,
        on_problem=lambda error: print(
            f"Warning: the session could not be saved; tracking continues: {error}", file=sys.stderr
        ),
        is_kept=saved is None or not continues_there or saved.is_kept,
    )


def _resume(folder: Path) -> str:
    return f"--resume {shlex.quote(str(folder))}"
