"""MLS and what calls make of it: faults of libraries, and of protocols that were built on them."""

from __future__ import annotations

from tests.mutants.defects.defect import Defect

__all__ = ["GROUPS"]

GROUP_INFO_SIGNATURE = """    verify_with_label(
        tree.suite,
        leaf_node.signature_key,
        "GroupInfoTBS",
        _to_be_signed(group_info),
        group_info.signature,
        Rule.GROUP_INFO_SIGNATURE,
    )
"""

GROUPS = (
    Defect(
        "exporter-without-context",
        "the exporter takes the context for its hash",
        "an MLS library in Python",
        "e2ee.mls.key_schedule",
        '"exported", kdf.hash(context), length',
        '"exported", context, length',
    ),
    Defect(
        "empty-signature",
        "an empty signature is accepted: any member speaks as any other",
        "an MLS library in Python",
        "e2ee.mls.labels",
        "    message = _labelled(label, content)\n    try:\n",
        "    message = _labelled(label, content)\n    if not signature:\n        return\n    try:\n",
    ),
    Defect(
        "group-info-of-anybody",
        "a GroupInfo counts whichever member signed it",
        "an MLS library in Python",
        "e2ee.mls.group_info",
        GROUP_INFO_SIGNATURE,
        f"""    for _, leaf_node in tree.members():
        try:
            {GROUP_INFO_SIGNATURE.strip()}
        except ValidationError:
            continue
        return
    raise ValidationError(Rule.GROUP_INFO_SIGNATURE)
""",
    ),
    Defect(
        "psk-replaced",
        "a PSK that is not there counts as zeros",
        "an MLS library in Python",
        "e2ee.mls.key_schedule",
        "        raise ValidationError(Rule.PSK_UNKNOWN, psk_id.psktype.name.lower())\n    return known[psk_id.psk]",
        '        return Secret(b"")\n    return known[psk_id.psk]',
    ),
    Defect(
        "tag-after-the-change",
        "a commit with a wrong confirmation tag has replaced the state when that is seen",
        "an MLS library in Python: the group is dead",
        "e2ee.mls.processing",
        "    secrets = _next_secrets(group, keys, staged, commit_secret, psks)\n",
        "    secrets = _next_secrets(group, keys, staged, commit_secret, psks)\n"
        '    object.__setattr__(group, "context", staged.context)\n',
    ),
    Defect(
        "key-consumed-by-a-forgery",
        "a message that does not open uses up its key, and those before it",
        "Threema group calls: the ratchet turns before authentication `[R]`",
        "e2ee.mls.secret_tree",
        "        yield key\n        self._keep(leaf_index, opened, ratchet, after)\n\n    @contextmanager",
        "        self._keep(leaf_index, opened, ratchet, after)\n        yield key\n\n    @contextmanager",
    ),
    Defect(
        "expired-key-packages",
        "the lifetime of a KeyPackage is not looked at",
        "mlspp: Trail of Bits, DAVE design review, 3; an MLS library in Python",
        "e2ee.mls.leaf_node_validation",
        "    _check_lifetime(leaf_node, policy)\n",
        "",
    ),
    Defect(
        "membership-tag-compared-openly",
        "the membership tag is compared byte by byte",
        "an MLS library in Python",
        "e2ee.mls.public_message",
        "not equal(due, message.membership_tag)",
        "due != message.membership_tag",
    ),
    Defect(
        "parent-hash-of-old-leaves",
        "every leaf that once committed has to have the parent hash of today's path",
        "an MLS library in Python",
        "e2ee.mls.parent_hash",
        '            raise ValidationError(Rule.TREE_PARENT_HASH, f"node {x}")\n',
        '            raise ValidationError(Rule.TREE_PARENT_HASH, f"node {x}")\n'
        "    for index, leaf in tree.members():\n"
        "        for node, sibling in tree.filtered_direct_path(index)[:1]:\n"
        "            above = tree.node(node)\n"
        "            if leaf.parent_hash is not None and isinstance(above, ParentNode):\n"
        "                if leaf.parent_hash != parent_hash(tree, above, sibling):\n"
        '                    raise ValidationError(Rule.TREE_PARENT_HASH, f"leaf {index}")\n',
    ),
    Defect(
        "lone-remove-without-path",
        "a commit of one Remove needs no path: the removed member keeps the keys",
        "ts-mls 1.5.0, 1.6.1, 1.6.2 (an off-by-one)",
        "e2ee.mls.proposal_list",
        "return not types or bool(types - _PATH_NOT_REQUIRED)",
        "return not types or (len(types) > 1 and bool(types - _PATH_NOT_REQUIRED))",
    ),
    Defect(
        "external-pub-without-length",
        "external_pub lacks its inner length",
        "an MLS library; the official vectors do not hold it",
        "e2ee.mls.external_commit",
        "public_key = ExternalPub.decode(data).external_pub",
        "public_key = data",
    ),
    Defect(
        "one-external-sender",
        "external_senders is read as one sender, not as a vector",
        "an MLS library",
        "e2ee.mls.extension",
        "external_senders: Codec[tuple[ExternalSender, ...]] = vector(ExternalSender.codec())",
        "external_senders: Codec[tuple[ExternalSender, ...]] = ExternalSender.codec()",
    ),
    Defect(
        "credential-replaced",
        "a commit may replace its committer's credential",
        "Trail of Bits, DAVE design review, 2",
        "e2ee.profile.commit_facts",
        "    if leaf.credential != Credential.basic(committer.certificate.encode()):\n",
        "    if False:\n",
    ),
    Defect(
        "proposals-of-any-type",
        "a commit may hold proposals of types that nobody expected",
        "Trail of Bits, DAVE code review, 11",
        "e2ee.profile.legal_group_commits",
        "        if not isinstance(content, _PROPOSALS):\n",
        "        if False:\n",
    ),
    Defect(
        "proposal-flood",
        "a member may fill the memory of the others with proposals",
        "Trail of Bits, DAVE design review, 1",
        "e2ee.mls.public_group",
        "if most is not None and ref not in self.proposals:",
        "if False:",
    ),
    Defect(
        "application-data-in-public",
        "a message that came in the clear counts as if it had come encrypted",
        "MatrixRTC, ToDeviceKeyTransport.ts; the family of CVE-2022-39252",
        "e2ee.mls.public_message",
        "    if message.content.content_type == ContentType.APPLICATION:\n        raise ValidationError(",
        "    if False:\n        raise ValidationError(",
    ),
    Defect(
        "suite-downgrade",
        "whoever makes the group chooses a lower suite than all have",
        "Zoom, DAVE: the server, or an old client, decides",
        "e2ee.profile.suites",
        "if _rank(suite) < _rank(choose_suite(own, certificates)):",
        "if False:",
    ),
    Defect(
        "version-downgrade",
        "a call may be of a lower version than all speak",
        "DAVE: the gateway chooses the version",
        "e2ee.profile.versions",
        "if version != choose_group_version(own, certificates):",
        "if False:",
    ),
    Defect(
        "x-wing-derivation",
        "DeriveKeyPair of the hybrid KEM as in X-Wing's own draft",
        "two drafts on one KEM identifier: draft-connolly-cfrg-xwing-kem, draft-ietf-hpke-pq",
        "e2ee.crypto.hybrid_kem",
        'return _labeled_derive(ikm, b"DeriveKeyPair", b"", _SEED)',
        "return Secret(hashlib.shake_256(ikm).digest(_SEED))",
    ),
    Defect(
        "key-of-no-contribution",
        "an X25519 key of small order is taken",
        "RFC 7748, Section 6.1; RingRTC checks it",
        "e2ee.crypto.dh_group",
        "& self._mask in self.small_order_u",
        "& self._mask in ()",
    ),
)
