"""Programs of other documents, run with small changes."""


def changed(code: str, old: str, new: str) -> str:
    assert old in code
    return code.replace(old, new)
