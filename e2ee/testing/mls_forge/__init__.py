"""A forge of MLS messages: what a member or a joiner makes who knows everything and obeys nothing.

    forge      the keys of everybody, and the labelled operations with them
    clients    clients with a KeyPackage, well made or not
    epochs     one epoch of a group, with the secrets that its members share
    messages   PublicMessage and PrivateMessage
    paths      UpdatePaths
    commits    commits, and the epoch that each leads to
    welcomes   Welcomes and GroupInfos
    outsiders  external commits, and proposals of those who are no members

Nothing here checks anything. Every function makes what RFC 9420 says, and takes ``changes``: a change is applied to
one value, and all that follows (hashes, signatures, tags, keys) is made of the changed value. So what comes out breaks
the rule that the change breaks, and as far as can be no other.

Structures, labels, tree arithmetic, tree hashes and the key schedule are the library's; who may do what is decided
nowhere here, and the code that decides it in the library is not used.
"""
