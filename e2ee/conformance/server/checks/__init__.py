"""All checks, a subject a module; importing this registers them."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from e2ee.conformance.server.check import registered

__all__ = ["registered"]

for _module in sorted(each.name for each in pkgutil.iter_modules(__path__)):
    import_module(f"{__name__}.{_module}")
