"""The circumstances of a benchmark, and tables in Markdown."""

import json
import os
import platform
import resource
import sys
import time
from importlib.metadata import version
from pathlib import Path
from statistics import median

N_WARM_UP = 20


def circumstances():
    """Return a line on the machine and the versions."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("scikit-learn", "torch", "skorch"))
    machine = f"{os.cpu_count()} cores ({platform.machine()})"
    return f"{machine}, Python {platform.python_version()}, {versions}"


def table(header, rows):
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def milliseconds(function, n_rounds):
    """Return the median time of a call, after some that do not count."""
    laps = []
    for _ in range(N_WARM_UP + n_rounds):
        start = time.perf_counter()
        function()
        laps.append(time.perf_counter() - start)
    return 1e3 * median(laps[N_WARM_UP:])


def peak():
    """Return the largest resident memory of this process so far, in MiB.

    On Linux `getrusage` would give the parent's where that was larger.
    """
    status = Path("/proc/self/status")
    if status.exists():
        lines = status.read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 2**10
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def earlier(path):
    """Return the runs of an earlier call."""
    return json.loads(Path(path).read_text()) if path and Path(path).exists() else []
