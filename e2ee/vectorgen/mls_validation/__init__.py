"""Vectors of what an MLS implementation must refuse (RFC 9420), and of the same things well made.

    scenes        a cipher suite, and the states in it in which cases begin
    groups        groups and clients that states and cases begin with
    states        all states
    registry      files, groups and cases; a case of a rule is made once for each cipher suite
    leaf_places, listed    what becomes a case in several places: a leaf, a list of proposals
    x509          a credential that is no basic one
    files         all of it, by its path
    the others    one module a file of vectors

The messages come from ``e2ee.testing.mls_forge``, which knows everybody's keys and checks nothing. A case differs from
the well-made one that it names (``like``) in one thing; all that covers this thing is made after the change.
"""
