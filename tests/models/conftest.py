"""What the models that are searched share."""

from __future__ import annotations

import pytest

from tests.models.spin.search import Spin


@pytest.fixture(scope="module")
def spin(tmp_path_factory: pytest.TempPathFactory) -> Spin:
    """Spin, if this machine has it."""
    return Spin.installed(tmp_path_factory.mktemp("spin"))
