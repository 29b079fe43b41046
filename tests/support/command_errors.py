"""What every command promises about errors."""

from typing import Any


def assert_one_line(result: Any, code: int, *fragments: str) -> None:
    """The command's result is an error of this exit code, said in one line of stderr that holds the fragments."""
    assert result.exit_code == code, result.output
    assert result.stderr.count("\n") == 1, result.stderr
    assert result.stderr.startswith("Error: ")
    for fragment in fragments:
        assert fragment in result.stderr
