"""What a benchmark says of its circumstances, and tables in Markdown."""

import os
import platform
from importlib.metadata import version


def circumstances():
    """Return a line on the machine and the versions."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("scikit-learn", "torch", "skorch"))
    machine = f"{os.cpu_count()} cores ({platform.machine()})"
    return f"{machine}, Python {platform.python_version()}, {versions}"


def table(header, rows):
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
