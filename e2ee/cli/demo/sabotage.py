"""What ``--sabotage`` breaks, to show that the demo's checks can fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from e2ee.cli.demo.settings import Sabotage
from e2ee.crypto.secret import Secret
from e2ee.crypto.system_entropy import SystemEntropy
from e2ee.media.frame_epoch import FrameEpoch
from e2ee.media.frame_keys import FrameKeys

__all__ = ["frame_keys"]


class _WrongKeys(FrameKeys):
    """Frame keys that come from nowhere: nobody else has them."""

    def install(self, epoch: FrameEpoch, now: int) -> None:
        stray = Secret(SystemEntropy().random(len(epoch.base_key)))
        super().install(replace(epoch, base_key=stray), now)


class _OldKeys(FrameKeys):
    """Frame keys that stay when somebody is removed: what is sent goes on under the keys that are known to who is out."""

    def install(self, epoch: FrameEpoch, now: int) -> None:
        if epoch.removed:
            self.receive.install(epoch, now)
        else:
            super().install(epoch, now)


def frame_keys(sabotage: str | None) -> Callable[[], FrameKeys]:
    """What a device makes its frame keys with."""
    return FrameKeys if sabotage is None else _BROKEN[Sabotage(sabotage)]


_BROKEN: Mapping[Sabotage, type[FrameKeys]] = {
    Sabotage.WRONG_KEY: _WrongKeys,
    Sabotage.OLD_KEY: _OldKeys,
}
