"""Errors at the terminal: one line that names what is wrong and what to do."""

import sys
import traceback

from masklet.cli.exit_codes import ExitCode, exit_code_of, is_usage_error
from masklet.errors import is_out_of_memory

_SHOWN = 300  # characters of torch's message about memory, which may be pages long


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
