"""The command line: ``python -m skae show FILE`` prints what a file of an estimator holds."""

import argparse
import sys

from skae.saving.load import inspect


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m skae", description="Files of estimators.")
    commands = parser.add_subparsers(dest="command", required=True)
    show = commands.add_parser("show", help="print what a file holds")
    show.add_argument("file", help="the path of the file")
    options = parser.parse_args(arguments)
    try:
        print(inspect(options.file))
    except (OSError, ValueError) as error:
        print(f"{options.file}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
