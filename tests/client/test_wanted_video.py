"""Which videos are asked for: screens first, then whom the person chose, then who spoke, and never more than the unit sends."""

from __future__ import annotations

import pytest

from e2ee.client.wanted_video import MOST, Video, wanted
from e2ee.media.encoded_frame import Kind

CAMERAS = [Video(leaf, Kind.CAMERA, f"c{leaf}") for leaf in range(20)]
SCREEN = Video(7, Kind.SCREEN_VIDEO, "s7")


@pytest.mark.requirement("SFU-6")
def test_screens_then_the_chosen_then_who_spoke_then_the_others() -> None:
    mids = wanted([*CAMERAS, SCREEN], chosen=[12], speaking=[5, 12, 3])
    assert mids[:6] == ("s7", "c12", "c5", "c3", "c0", "c1")
    assert len(mids) == MOST


def test_who_is_gone_is_wanted_no_more() -> None:
    assert wanted(CAMERAS[:3], chosen=[9], speaking=[8]) == ("c0", "c1", "c2")


def test_the_order_of_the_offer_says_nothing() -> None:
    videos = [*CAMERAS, SCREEN]
    assert wanted(videos, [], [4]) == wanted(reversed(videos), [], [4])
