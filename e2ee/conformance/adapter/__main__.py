"""``python -m e2ee.conformance.adapter``: this implementation, for ``e2ee conformance run --``."""

from __future__ import annotations

import sys

from e2ee.conformance.adapter.loop import answers


def main() -> None:
    """Answer stdin's lines on stdout until stdin ends."""
    for answer in answers(sys.stdin.buffer):
        sys.stdout.buffer.write(answer)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
