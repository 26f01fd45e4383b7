"""What a benchmark says of its circumstances, and tables in Markdown."""

import json
import os
import platform
from importlib.metadata import version
from pathlib import Path


def circumstances():
    """Return a line on the machine and the versions."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("scikit-learn", "torch", "skorch"))
    machine = f"{os.cpu_count()} cores ({platform.machine()})"
    return f"{machine}, Python {platform.python_version()}, {versions}"


def table(header, rows):
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def earlier(path):
    """Return the runs of an earlier call."""
    return json.loads(Path(path).read_text()) if path and Path(path).exists() else []
