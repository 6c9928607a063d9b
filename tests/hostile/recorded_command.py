"""The command line as it is, with all debug logging on standard error, and the secrets that it made noted in a file.

python -m tests.hostile.recorded_command FILE ARGUMENTS...
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from e2ee.cli.main import main
from tests.hostile.secrets_made import SecretsMade


def record(file: Path) -> None:
    """Run the command that the process's arguments name."""
    made = SecretsMade()
    logging.basicConfig(level=logging.DEBUG, format="%(name)s %(message)s %(args)r")
    try:
        with made.recording():
            main()
    finally:
        file.write_text("\n".join(made.dump()))


if __name__ == "__main__":
    noted = Path(sys.argv.pop(1))
    record(noted)
