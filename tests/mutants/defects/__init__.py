"""Faults that other systems had, planted into ours one at a time.

From audits, advisories, papers, and what implementers reported to each other; a few are of this project's own reading of
other systems' sources, and say so (`[R]`). Each is a change of one module's text, as small as the fault is, and refuses to run once that text is not
there any more.
"""

from __future__ import annotations

from tests.mutants.defects.defect import Defect
from tests.mutants.defects.frames import FRAMES
from tests.mutants.defects.groups import GROUPS
from tests.mutants.defects.people import PEOPLE
from tests.mutants.defects.rtp import RTP

__all__ = ["DEFECTS", "Defect"]

DEFECTS = (*FRAMES, *RTP, *GROUPS, *PEOPLE)
