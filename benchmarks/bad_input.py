"""Generated bad input: rows of any cells in any container, for every estimator and method.

    python -m benchmarks.bad_input [--cases 2000]

Every case ends in a result without NaN or in an error that is raised here or by scikit-learn, and
leaves the model as it was; a case that does not is shown, in its smallest form. The cases are those
of `tests/common/test_generated_input.py`, of which the tests try 300.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
CASES = "tests/common/test_generated_input.py"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=2000)
    args = parser.parse_args()
    command = [sys.executable, "-m", "pytest", "-q", CASES]
    environment = {**os.environ, "SKAE_CASES": str(args.cases)}
    sys.exit(subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode)


if __name__ == "__main__":
    main()
