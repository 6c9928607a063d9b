"""Two sides agree on the highest version that both speak."""

from __future__ import annotations

import pytest

from e2ee.signalling.errors import VersionError, WireReason
from e2ee.signalling.versions import SUPPORTED_VERSIONS, VERSION_1_0, choose_version


def test_versions_we_do_not_know_are_passed_over() -> None:
    assert VERSION_1_0 in SUPPORTED_VERSIONS
    assert choose_version([0x0001, VERSION_1_0, 0x0900]) == VERSION_1_0


@pytest.mark.parametrize("offered", [[], [0x0001], [0x0900, 0x0901]])
def test_no_version_in_common_is_refused(offered: list[int]) -> None:
    with pytest.raises(VersionError) as refused:
        choose_version(offered)
    assert refused.value.reason is WireReason.NO_COMMON_VERSION
