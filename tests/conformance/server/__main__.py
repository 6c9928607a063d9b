"""All checks of level D against ``e2ee serve``, the slow ones and the restarts among them: ``make conformance-server``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from e2ee.conformance.server.command import main
from tests.conformance.server.served import Served

with tempfile.TemporaryDirectory() as folder:
    served = Served(Path(folder)).asks_for_tokens()
    try:
        url = served.start()
        commands = ["--restart-command", served.restart_command]
        commands += ["--token-command", served.token_command]
        status = main([url, "--slow", *commands, "--timeout", "60", *sys.argv[1:]])
    finally:
        served.end()
sys.exit(status)
