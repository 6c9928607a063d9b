"""End-to-end encrypted calls: MLS (RFC 9420) agrees keys, SFrame (RFC 9605) protects every frame, WebRTC carries them.

Importing this package imports nothing else of it. Its only work is to see that the folder is whole: another project
publishes a distribution of the same name as this package, and installed over each other they leave a mixture.

``SPEC_VERSION`` is the version of the specification in ``spec/`` that this version of the package implements.
"""

from importlib.util import find_spec

__all__ = ["DISTRIBUTION", "SPEC_VERSION", "__version__"]

DISTRIBUTION = "e2ee-calling"
SPEC_VERSION = "1.0"
__version__ = "0.1.0"

if missing := [
    name for name in ("errors", "crypto", "tls_syntax") if not find_spec(f"e2ee.{name}")
]:
    raise ImportError(
        f"the folder {__path__[0]} lacks {', '.join(missing)} of {DISTRIBUTION}: another distribution named e2ee"
        f" was installed or removed over it; uninstall both, then install {DISTRIBUTION}"
    )
