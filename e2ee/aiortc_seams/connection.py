"""What a connection logs."""

from __future__ import annotations

from typing import Any

from aiortc import RTCPeerConnection

__all__ = ["log_no_descriptions"]

_LOG = "_RTCPeerConnection__log_debug"


def log_no_descriptions(connection: RTCPeerConnection) -> None:
    """Keep session descriptions, which hold ICE passwords and addresses, out of the debug log; states are logged as before.

    ``setLocalDescription`` and ``setRemoteDescription`` would write each of them there whole.
    """
    log = getattr(connection, _LOG)

    def log_states(message: str, *args: Any) -> None:
        if "Description(" not in message:
            log(message, *args)

    setattr(connection, _LOG, log_states)
