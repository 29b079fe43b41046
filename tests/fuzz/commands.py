"""A command of masklet run in this process, and what every command promises of its end."""

import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from unittest.mock import patch

from tests.fuzz.attempt import FaultError, RefusedError, is_refusal

from masklet.cli import exit_codes
from masklet.cli.exit_codes import ExitCode, exit_code_of, is_usage_error
from masklet.cli.main import run

PROMISED = {ExitCode.DONE, ExitCode.SOME_FAILED, ExitCode.WRONG_USAGE, ExitCode.FILE_PROBLEM}


def run_command(*words: str) -> None:
    """Run `masklet` with these words; raise RefusedError if it refused its input as every command promises to.

    Raises whatever else it reported, and FaultError if it ended in another way: with another exit code, with a
    traceback, or without a line that says why.
    """
    reported: list[BaseException] = []

    def noted(error: BaseException) -> ExitCode:
        reported.append(error)
        return exit_code_of(error)

    sys.argv = ["masklet", *words]
    printed = io.StringIO()
    with redirect_stdout(io.StringIO()), redirect_stderr(printed), patch.object(exit_codes, "exit_code_of", noted):
        code = _exit_code()
    for error in reported:
        if not is_refusal(error) and not is_usage_error(error):
            raise error
    text = printed.getvalue()
    lines = [line for line in text.splitlines() if line.startswith("Error: ")]
    is_refused = code in (ExitCode.WRONG_USAGE, ExitCode.FILE_PROBLEM)
    if code not in PROMISED or "Traceback (most recent call last)" in text or (is_refused and not lines):
        raise FaultError(f"exit code {code}: {' '.join(words)[:500]}\n{text[-2500:]}")
    if is_refused:
        raise RefusedError(lines[-1])


def _exit_code() -> int:
    try:
        run()
    except SystemExit as end:
        return int(end.code or 0)
    return 0
