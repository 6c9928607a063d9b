"""``python -m tests.conformance.peer``: the peer against clients with a fault each; a line for each, and what was not found.

make conformance-peer
"""

from __future__ import annotations

import sys

from tests.conformance.peer.faulty_driver import FAULTS
from tests.conformance.peer.playing import verdict_of

if __name__ == "__main__":
    wanted = sys.argv[1:] or list(FAULTS)
    missed = 0
    for name in wanted:
        verdict, why = verdict_of(FAULTS[name].scenario, name)
        found = verdict == FAULTS[name].verdict
        missed += not found
        mark = "" if found else f"  NOT FOUND ({FAULTS[name].verdict} was due)"
        sys.stdout.write(f"{verdict:5} {name}: {why}{mark}\n")
        sys.stdout.flush()
    sys.exit(bool(missed))
