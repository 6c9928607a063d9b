"""Requests for the forwarding unit: publish_media, subscribe_media, media_answer, want_media (SFU-3)."""

from __future__ import annotations

from e2ee.delivery.errors import DeliveryError, DeliveryReason
from e2ee.delivery.forwarding import ForwardRequest, MediaRequest
from e2ee.delivery.group_members import member_call
from e2ee.delivery.handling import Handling
from e2ee.identity.device_certificate import VerifiedCertificate
from e2ee.signalling import messages

__all__ = ["ask"]


def ask(at: Handling, device: VerifiedCertificate, request: MediaRequest) -> None:
    """Let a member ask the forwarding unit for something."""
    if not at.service.forwarding.enabled:
        raise DeliveryError(DeliveryReason.NO_FORWARDING, "this service has no forwarding unit")
    # SFU-3: "The service MUST take messages of this chapter only from members of the call"
    call, _ = member_call(at, request.call_id, device)
    # DS-23: "and `publish_media` only from those who may send media"
    publishes = isinstance(request, messages.PublishMedia)
    if publishes and not call.profile.may_speak(device.account_key):
        raise DeliveryError(DeliveryReason.NOT_A_SPEAKER, "by the call's profile")
    key = device.signature_key
    if publishes or isinstance(request, messages.SubscribeMedia):
        # DS-7: "an account's `publish_media` and `subscribe_media`"
        at.service.spending.media_connections.spend(device.account_id, at.now)
        at.service.forwarding.calls.begin(device.account_id, request.call_id, key)
    at.service.forwarding.request(ForwardRequest(request.call_id, key, call.leaf_of(key), request))
