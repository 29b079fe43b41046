"""`python -m masklet` is the command `masklet`."""

from masklet.cli.main import run

if __name__ == "__main__":
    run()
