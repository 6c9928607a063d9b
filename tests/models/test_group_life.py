"""The life of a group: anybody does anything at any time, over a network that delays, reorders, repeats and loses.

The machine is ``e2ee.testing.strategies``'; here it runs in every suite, and with many members.
"""

from __future__ import annotations

from hypothesis import settings

from e2ee.testing.group_life import MOST_MEMBERS
from e2ee.testing.strategies.group_life import GroupMachine


class LargeMachine(GroupMachine):
    """Begins with as many as there may be."""

    sizes = (MOST_MEMBERS,)


class OtherMachine(GroupMachine):
    """In the other suites of RFC 9420: fewer lives, since many are slower and nothing here depends on the suite."""

    code_points = range(0x0002, 0x0008)


class HybridMachine(GroupMachine):
    """In the hybrid suite, whose reproducible encapsulation costs 7 ms each."""

    code_points = (0xF0E2,)


def lives(part: int, steps: int) -> settings:
    """One in ``part`` of the profile's examples, each of at most so many steps."""
    return settings(max_examples=max(1, settings().max_examples // part), stateful_step_count=steps)


TestGroupLife = GroupMachine.TestCase
TestGroupLife.settings = lives(part=3, steps=40)
TestLargeLife = LargeMachine.TestCase
TestLargeLife.settings = lives(part=40, steps=20)
TestOtherLife = OtherMachine.TestCase
TestOtherLife.settings = lives(part=20, steps=25)
TestHybridLife = HybridMachine.TestCase
TestHybridLife.settings = lives(part=20, steps=25)
