"""The files of validation vectors: which there are, and each as JSON values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from e2ee.crypto.cipher_suite import CIPHER_SUITES
from e2ee.errors import Reason
from e2ee.vectorgen.mls_validation import (
    commits,
    encodings,
    extensions,
    external_commits,
    external_joins,
    external_proposals,
    framing,
    joined_groups,
    key_packages,
    leaf_nodes,
    pre_shared_keys,
    proposal_lists,
    ratchet_trees,
    successors,
    update_paths,
)
from e2ee.vectorgen.mls_validation.scenes import STATES, Scene, comment_on
from e2ee.vectorgen.registry import plain

__all__ = ["FILES", "FOLDER", "documents"]

FOLDER = "mls-validation"

FILES = (
    encodings.FILE,
    framing.FILE,
    leaf_nodes.FILE,
    update_paths.FILE,
    ratchet_trees.FILE,
    pre_shared_keys.FILE,
    key_packages.FILE,
    successors.FILE,
    proposal_lists.FILE,
    external_proposals.FILE,
    commits.FILE,
    joined_groups.FILE,
    external_commits.FILE,
    external_joins.FILE,
    extensions.FILE,
)
"""In the order of the RFC's sections."""


def documents() -> Mapping[str, Callable[[], dict[str, Any]]]:
    """Path below ``vectors/`` -> what makes the file; the same at every call."""
    made: dict[str, Callable[[], dict[str, Any]]] = {}
    for suite in sorted(CIPHER_SUITES.values(), key=lambda suite: suite.code_point):
        scene, folder = Scene(suite), f"{FOLDER}/{suite.code_point:#06x}"
        made[f"{folder}/states.json"] = partial(_states, scene)
        shown: frozenset[Reason] = frozenset()
        for file in FILES:
            made[f"{folder}/{file.name}.json"] = partial(file.document, scene, shown)
            shown |= file.reasons
    return made


def _states(scene: Scene) -> dict[str, Any]:
    return {
        "specification": "RFC 9420",
        "chapter": f"{FOLDER}/states",
        "cipher_suite": scene.suite.code_point,
        "description": "Members of groups and clients in none, in which the cases of the other files begin.",
        "states": {
            name: {"comment": comment_on(build), **plain(scene.state(build).document)}
            for name, build in STATES.items()
        },
    }
