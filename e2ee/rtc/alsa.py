"""ALSA as this system has it configured.

PyAV's wheels bring an ALSA library of their own, which looks for its configuration and its plugins, that is for code
to load, below ``/tmp/vendor``: there is nothing there, and whoever may write to /tmp could put something. So it is
told where the system has both, before it is used for the first time.
"""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path

__all__ = ["use_system_alsa"]

_CONFIGURATION = "/usr/share/alsa"


def use_system_alsa() -> None:
    """Keep ALSA out of /tmp, for this process and those that it starts. What the environment says already stays."""
    os.environ.setdefault("ALSA_CONFIG_DIR", _CONFIGURATION)
    os.environ.setdefault("ALSA_PLUGIN_DIR", str(_plugins()))


def _plugins() -> Path:
    """Where distributions put them; the last place, even if there is none."""
    multiarch = sysconfig.get_config_var("MULTIARCH") or ""
    places = [Path("/usr/lib", multiarch, "alsa-lib"), Path("/usr/lib64/alsa-lib")]
    return next((place for place in places if place.is_dir()), Path("/usr/lib/alsa-lib"))
