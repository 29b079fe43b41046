"""How commands end: their exit codes, which error gives which, and the line that reports it."""

import sys
import traceback
from enum import IntEnum

from masklet.errors import is_out_of_memory

_SHOWN = 300  # characters of torch's message about memory, which may be pages long


class ExitCode(IntEnum):
    """The exit codes of every command."""

    DONE = 0
    SOME_FAILED = 1
    WRONG_USAGE = 2
    FILE_PROBLEM = 3
    OUT_OF_MEMORY = 4
    FAULT = 70  # EX_SOFTWARE of sysexits.h
    INTERRUPTED = 130  # 128 + SIGINT, as shells have it
    TERMINATED = 143  # 128 + SIGTERM


EXPLANATION = (
    "Exit codes: 0 done; 1 some of several inputs failed, the others are done; "
    "2 wrong usage: options or prompts that cannot be used; "
    "3 an image, checkpoint or other file that cannot be read or written; "
    "4 not enough memory, of the machine or of a GPU; "
    "70 a fault in masklet itself; 130 interrupted; 143 terminated (SIGTERM)."
)


def exit_code_of(error: BaseException) -> ExitCode:
    """Return the exit code for a command that ended by `error`.

    Errors of files come first: `CheckpointError` and `UnreadableImageError` are both OSError and ValueError.
    """
    if isinstance(error, KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    if is_out_of_memory(error):
        return ExitCode.OUT_OF_MEMORY
    if isinstance(error, OSError):
        return ExitCode.FILE_PROBLEM
    if isinstance(error, ValueError) or is_usage_error(error):
        return ExitCode.WRONG_USAGE
    return ExitCode.FAULT


def is_usage_error(error: BaseException) -> bool:
    """Whether the command line parser raised `error`; the home of its classes differs between typer's versions."""
    return hasattr(error, "format_message")


def report_error(error: BaseException, *, debug: bool, subject: str = "") -> ExitCode:
    """Print `error` to stderr and return its exit code.

    The traceback is printed too if `debug`, or if the error is a fault in masklet. `subject` is what the error is
    about, such as an image's path; it is put in front unless the message names it already.
    """
    code = exit_code_of(error)
    if debug or code is ExitCode.FAULT:
        traceback.print_exception(error, file=sys.stderr)
    line = _one_line(error)
    if code is ExitCode.FAULT:
        line = f"this is a fault in masklet, please report it: {type(error).__name__}: {line}"
    prefix = f"{subject}: " if subject and subject not in line else ""
    print(f"Error: {prefix}{line}", file=sys.stderr)
    return code


def _one_line(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "interrupted; files that were not complete are removed."
    if is_usage_error(error):
        context = getattr(error, "ctx", None)
        hint = f" `{context.command_path} --help` shows what is allowed." if context else ""
        message = error.format_message() + hint  # type: ignore[attr-defined]
    elif is_out_of_memory(error):
        detail = f" ({str(error)[:_SHOWN]})" if str(error) else ""
        message = f"not enough memory; a smaller --image-size or another --device may help{detail}"
    elif isinstance(error, OSError) and error.strerror:
        message = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    else:
        message = str(error) or type(error).__name__
    return " ".join(message.split())
