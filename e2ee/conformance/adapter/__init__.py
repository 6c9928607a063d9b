"""This implementation as the conformance runner sees it: one module for each chapter of vectors.

All modules are imported here, and so every operation is registered (``operations.OPERATIONS``).
"""

from __future__ import annotations

import pkgutil
from importlib import import_module

for _module in pkgutil.iter_modules(__path__):
    if _module.name != "__main__":
        import_module(f"{__name__}.{_module.name}")
