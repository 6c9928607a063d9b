"""A service that delivers everything changed first, then as it is, then twice more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from e2ee.signalling import messages
from e2ee.signalling.messages import ServiceMessage
from e2ee.testing.hostile.trial import Trial

__all__ = ["Disturbing"]


@dataclass
class Disturbing:
    """A ``WireRule``: of what a device said, once more under the number of the mailbox that it had, and once under none."""

    tries: int = 0

    def __call__(self, _: str, message: ServiceMessage) -> Iterable[ServiceMessage]:
        """What is delivered in the place of a message."""
        if isinstance(message, messages.Sent):
            changed: ServiceMessage = replace(message, message=flipped(message.message), number=0)
        elif isinstance(message, messages.Committed):
            changed = replace(message, commit=flipped(message.commit), number=0)
        elif isinstance(message, (messages.Invited, messages.Added)):
            changed = replace(message, welcome=flipped(message.welcome), number=0)
        else:
            return (message,)
        self.tries += 3
        return (changed, message, message, replace(message, number=0))

    def report(self, trial: Trial) -> None:
        """Nothing of that had an effect, if the trial's claims are true."""
        for _ in range(self.tries):
            trial.tried("something repeated or changed", held=True, outcome="no effect")


def flipped(data: bytes) -> bytes:
    """The same with one bit changed, in the middle."""
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
