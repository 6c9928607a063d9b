"""Both halves of a device's frame keys, which live by the same epochs (spec chapter Frame keys)."""

from __future__ import annotations

from e2ee.media.frame_epoch import FrameEpoch
from e2ee.media.receive_epochs import ReceiveEpochs
from e2ee.media.send_epochs import SendEpochs

__all__ = ["FrameKeys"]


class FrameKeys:
    """What a call installs its epochs in. ``now`` is Unix time in milliseconds.

    After ``install``, frames that came before their key are had from ``FrameOpener.release``.
    """

    def __init__(self) -> None:
        self.send = SendEpochs()
        self.receive = ReceiveEpochs()

    def install(self, epoch: FrameEpoch, now: int) -> None:
        """``epoch`` was applied at ``now``. Raises BadEpoch if it, or a newer one, was before."""
        self.receive.install(epoch, now)  # FKEY-6: at once
        self.send.install(epoch, now)

    def heard(self, leaf_index: int, epoch: int, now: int) -> None:
        """A message of the member at ``leaf_index`` authenticated in ``epoch`` at ``now``."""
        self.receive.heard(leaf_index, epoch, now)

    def acknowledged(self, leaf_index: int, epoch: int, now: int) -> None:
        """That message says that the member has applied ``epoch`` (FKEY-7)."""
        self.heard(leaf_index, epoch, now)
        self.send.acknowledged(leaf_index, epoch, now)

    def get_timer(self) -> int | None:
        """When ``handle_timer`` is due."""
        timers = (self.send.get_timer(), self.receive.get_timer())
        return min((timer for timer in timers if timer is not None), default=None)

    def handle_timer(self, now: int) -> None:
        """Do what is due at ``now``: send with a newer epoch, drop what has ended."""
        self.send.handle_timer(now)
        self.receive.handle_timer(now)

    def erase(self) -> None:
        """The call is over: drop every key. Nothing is protected or opened any more."""
        self.send.erase()
        self.receive.erase()
