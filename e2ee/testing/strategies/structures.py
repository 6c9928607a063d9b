"""Any value of a declared structure, derived from its declaration (`@struct`): what a decoder must read back.

Nothing is signed and no number means anything: keys are any bytes, indices any numbers. For objects that a receiver would
take, see ``identity``, ``calls`` and ``mls``.

Types that are no structures and read by hand are listed below; a field with a codec of its own that is not in the list is
an error when the strategy is made, not a value that is never drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar, get_args

from hypothesis import strategies as st

from e2ee.mls.extension import Extension, Extensions
from e2ee.mls.framing import ContentType, FramedContentAuthData, auth_data
from e2ee.mls.key_package import KeyPackage
from e2ee.mls.message import MLSMessage, MLSMessageBody
from e2ee.mls.proposal import PRIVATE_USE, CustomProposal, Proposal, ProposalContent
from e2ee.testing.strategies.octets import octets, unsigned
from e2ee.tls_syntax import Codec, Struct, select
from e2ee.tls_syntax.form import (
    Converted,
    Enumeration,
    Nothing,
    Number,
    Octets,
    Optional,
    Structure,
    Vector,
)

__all__ = ["structures", "values_of"]

S = TypeVar("S", bound=Struct)
Values = st.SearchStrategy[Any]

_MOST_ELEMENTS = 3


def structures(declared: type[S], **fields: Values) -> st.SearchStrategy[S]:
    """Values of a declared structure. ``fields`` are drawn as you say in place of what their types allow.

    ``structures(KeyPackage)`` draws any KeyPackage, ``structures(KeyPackage, version=st.just(1))`` those of MLS 1.0.
    """
    return _structure(declared, fields) if fields else _whole(declared)


def _whole(declared: type[Struct]) -> Values:
    if declared not in _made:
        own = _BY_HAND_STRUCTURES.get(declared)
        _made[declared] = own() if own else _structure(declared, {})
    return _made[declared]


_made: dict[type[Struct], Values] = {}
"""A structure's strategy is made once: Hypothesis looks into each only once then."""


def _structure(declared: type[Struct], given: Mapping[str, Values]) -> Values:
    form = declared.codec().form
    if not isinstance(form, Structure):
        raise TypeError(f"{declared.__name__} was not declared")
    if unknown := given.keys() - form.fields.keys():
        raise TypeError(f"{declared.__name__} has no {', '.join(sorted(unknown))}")

    @st.composite
    def drawn(draw: st.DrawFn) -> Struct:
        values: dict[str, Any] = {}
        for name, part in form.fields.items():
            values[name] = draw(given[name] if name in given else _of_part(part, values))
        return declared(**values)

    return drawn()


def _of_part(part: Codec[Any] | select, earlier: Mapping[str, Any]) -> Values:
    if isinstance(part, Codec):
        return values_of(part)
    field, _, inner = part.tag.partition(".")
    tag = earlier[field]
    for name in inner.split(".") if inner else ():
        tag = getattr(tag, name)
    chosen = part.codec(tag)
    return st.nothing() if chosen is None else values_of(chosen)


def values_of(codec: Codec[Any]) -> Values:
    """Values of any codec that was declared: what ``encode`` takes and ``decode`` gives."""
    own = _BY_HAND.get(id(codec))
    if own is not None:
        return own()
    match codec.form:
        case Number(size):
            return unsigned(8 * size)
        case Octets(length):
            return octets(length)
        case Converted(Octets(length), to):
            return octets(length).map(to)
        case Vector(element, most):
            few = min(most, _MOST_ELEMENTS)
            return st.lists(values_of(element), max_size=few).map(tuple)
        case Optional(value):
            return st.none() | values_of(value)
        case Enumeration(members):
            return st.sampled_from(members)
        case Nothing():
            return st.none()
        case Structure(made):
            return _whole(made)
        case None:
            raise TypeError("this codec was written by hand, and nobody has said what it reads")


# What was written by hand


def _codec_of(annotated: Any) -> Codec[Any]:
    (codec,) = (each for each in get_args(annotated) if isinstance(each, Codec))
    return codec


def _extensions() -> Values:
    """ "Any field containing a list of extensions MUST NOT have more than one extension of any given type.\""""
    each = _whole(Extension)
    unique = st.lists(each, max_size=_MOST_ELEMENTS, unique_by=lambda one: one.extension_type)
    return unique.map(tuple)


def _contents() -> Values:
    declared = [each for each in get_args(ProposalContent) if issubclass(each, Struct)]
    custom = st.builds(CustomProposal, st.sampled_from(PRIVATE_USE), octets())
    return st.one_of(*map(_whole, declared), custom)


def _auth_of(content_type: ContentType) -> Callable[[], Values]:
    tags = octets() if content_type is ContentType.COMMIT else st.none()
    return lambda: st.builds(FramedContentAuthData, octets(), tags)


def _messages() -> Values:
    """ "it MUST verify that the version field of the KeyPackage has the same value as the version field of the MLSMessage\""""
    key_packages = _whole(KeyPackage).map(lambda made: replace(made, version=1))
    others = [each for each in get_args(MLSMessageBody) if each is not KeyPackage]
    return st.one_of(key_packages, *map(_whole, others)).map(MLSMessage.of)


_PROPOSAL = Proposal.codec().form
assert isinstance(_PROPOSAL, Structure)  # noqa: S101 - it is declared

_BY_HAND: dict[int, Callable[[], Values]] = {
    id(_codec_of(Extensions)): _extensions,
    id(_PROPOSAL.fields["content"]): _contents,
    **{id(codec): _auth_of(content_type) for content_type, codec in auth_data.items()},
}
"""By the codec itself: two codecs that are written alike need not read the same."""

_BY_HAND_STRUCTURES: dict[type[Struct], Callable[[], Values]] = {MLSMessage: _messages}
"""Structures whose fields go together in a way that no declaration says."""
