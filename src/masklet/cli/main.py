"""The command `masklet`: the one place where errors become a line and an exit code.

Nothing heavy is imported before a command runs, so that `masklet --help` appears at once.
"""

import sys
import warnings
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from masklet import __version__
from masklet.cli.commands import Commands
from masklet.cli.exit_codes import EXPLANATION, report_error
from masklet.cli.interruption import exit_when_terminated


class OneLineErrors(TyperGroup):
    """Turn any error of a command into one line on stderr and a documented exit code."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "commands": Commands()})

    def invoke(self, ctx: Any) -> Any:
        """Run the chosen command."""
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort, BrokenPipeError):
            raise  # not errors, or nobody is left to read about them
        except (Exception, KeyboardInterrupt) as error:
            raise typer.Exit(report_error(error, debug=ctx.params["debug"])) from error

    def main(self, *args: Any, **options: Any) -> Any:
        """Parse the command line, run the command and exit."""
        for stream in (sys.stdout, sys.stderr):
            if getattr(stream, "errors", None) == "strict":  # names of files need not be text in UTF-8
                stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
        try:
            code = super().main(*args, **{**options, "standalone_mode": False})
        except Exception as error:  # a wrong option before any command
            code = report_error(error, debug=False)
        sys.exit(code)


app = typer.Typer(
    cls=OneLineErrors,
    help="Segment images and videos by clicks, boxes and masks; train, measure and convert SAM 2 models.",
    epilog=EXPLANATION,
    invoke_without_command=True,
    add_completion=False,
    rich_markup_mode=None,  # rendering the help by rich would take longer than all the rest of it
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        print(f"masklet {__version__}")
        raise typer.Exit


@app.callback()
def masklet(
    context: typer.Context,
    debug: Annotated[
        bool, typer.Option("--debug", envvar="MASKLET_DEBUG", help="Show the traceback of errors.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Show the help if no command is given; `debug` and `version` act elsewhere."""
    if context.invoked_subcommand is None:
        print(context.get_help())


def run() -> None:
    """Run the command line of this process."""
    exit_when_terminated()
    # Pillow's, of images from half the size on that `masklet.media.pixel_limit` refuses.
    warnings.filterwarnings("ignore", r"Image size \(\d+ pixels\) exceeds limit")
    app(prog_name="masklet")
