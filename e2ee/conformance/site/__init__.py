"""The specification for a browser: the whole of it, or its requirements with what shows each, as one page that stands alone.

A page needs nothing from anywhere: style, script and pictures are inside, and it can be read without the script. Only what a
requirement points to, files of the checkout or of the installed package, lies where it lies; links to it are relative.
"""

from __future__ import annotations

from e2ee.conformance.site.page import requirements_page, specification_page

__all__ = ["requirements_page", "specification_page"]
