"""What a member's path does not carry is held back: the least important video first, and never for a moment's wavering."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from e2ee.sfu.bandwidth import FIRST_PAUSE, LONGEST_PAUSE, MILD_CHECKS, SEVERE_CHECKS, Bandwidth

SECOND = 1_000


@dataclass
class Video:
    ssrc: int
    bitrate: int = 500_000
    held_back: bool = False

    def choose(self, now: int, *, held_back: bool) -> None:  # noqa: ARG002
        self.held_back = held_back


class Path:
    """A member at the end of a path that carries so much: it estimates what comes, as aiortc does, at most half as much again."""

    def __init__(self, carries: int, videos: int = 3) -> None:
        self.carries = carries
        self.videos = [Video(ssrc) for ssrc in range(videos)]
        self.bandwidth = Bandwidth()
        self.now = 0
        self.times: list[int] = []
        """When something was tried again."""

    def second(self) -> None:
        self.now += SECOND
        flowing = [video for video in self.videos if not video.held_back]
        sent = sum(video.bitrate for video in flowing)
        part = min(1.5, self.carries * 0.85 / sent) if sent else 0.0
        for video in flowing:
            self.bandwidth.take(int(video.bitrate * part), [video.ssrc], self.now)
        self.bandwidth.check(self.videos, self.now)
        if sum(not video.held_back for video in self.videos) > len(flowing):
            self.times.append(self.now)

    def seconds(self, count: int) -> None:
        for _ in range(count):
            self.second()

    @property
    def held_back(self) -> list[int]:
        return [video.ssrc for video in self.videos if video.held_back]


def test_a_path_that_carries_everything_gets_everything() -> None:
    path = Path(5_000_000)
    path.seconds(60)
    assert path.held_back == []
    assert path.bandwidth.estimate(path.now) == 2_250_000


@pytest.mark.requirement("SFU-5")
def test_a_narrow_path_gets_the_most_important_videos() -> None:
    path = Path(650_000)
    path.seconds(SEVERE_CHECKS)
    assert path.held_back == [2]
    path.seconds(SEVERE_CHECKS + 1)
    assert path.held_back == [1, 2]


@pytest.mark.requirement("SFU-5")
def test_a_path_that_carries_almost_everything_is_given_time() -> None:
    path = Path(1_500_000)  # of which 85 % are estimated
    path.seconds(MILD_CHECKS - 1)
    assert path.held_back == []
    path.second()
    assert path.held_back == [2]


def test_an_estimate_that_wavers_holds_nothing_back() -> None:
    path = Path(5_000_000)
    for second in range(60):
        path.carries = 900_000 if second % 4 == 0 else 5_000_000
        path.second()
    assert path.held_back == []


def test_what_was_held_back_is_tried_again_later_and_later() -> None:
    path = Path(650_000, videos=2)
    path.seconds(400)
    pauses = [after - before for before, after in zip(path.times, path.times[1:], strict=False)]
    assert path.times[0] - SEVERE_CHECKS * SECOND == FIRST_PAUSE
    assert pauses == sorted(pauses)
    assert pauses[-1] >= LONGEST_PAUSE
    assert path.videos[0].held_back is False


def test_a_path_that_has_recovered_gets_everything_again() -> None:
    path = Path(400_000)
    path.seconds(20)
    assert path.held_back[-1:] == [2]
    path.carries = 5_000_000
    path.seconds(120)
    assert path.held_back == []
    path.carries = 650_000
    path.seconds(SEVERE_CHECKS)
    assert path.held_back == [2], "and is given the first pause again"


def test_without_an_estimate_nothing_is_held_back() -> None:
    bandwidth, videos = Bandwidth(), [Video(1), Video(2)]
    for second in range(20):
        bandwidth.check(videos, second * SECOND)
    assert bandwidth.estimate(0) is None
    assert not any(video.held_back for video in videos)


def test_a_browser_says_one_sum_for_all() -> None:
    bandwidth, videos = Bandwidth(), [Video(1), Video(2)]
    for second in range(SEVERE_CHECKS):
        bandwidth.take(300_000, [1, 2], second * SECOND)
        bandwidth.check(videos, second * SECOND)
    assert [video.held_back for video in videos] == [False, True]
    assert bandwidth.estimate(2 * SECOND) == 300_000
    bandwidth.take(700_000, [1], 3 * SECOND)
    assert bandwidth.estimate(3 * SECOND) == 700_000, "a newer one takes its place"


def test_an_estimate_is_forgotten() -> None:
    bandwidth = Bandwidth()
    bandwidth.take(1_000, [1], 0)
    bandwidth.take(1_000, [], 0)
    assert bandwidth.estimate(5_000) == 1_000
    assert bandwidth.estimate(5_001) is None
