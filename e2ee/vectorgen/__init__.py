"""How the files in ``vectors/`` are made: one module a chapter of the specification.

    registry      chapters, groups and cases; what a case may hold
    models        the formulas of the chapters, a step a line, so that each intermediate value can be shown
    identity, key_agreement, frame_keys, frame_format, codecs, calls, group_calls    the chapters' cases
    call_profiles, joins, legal_commits    more of key_agreement's; people are those who meet in them
    traces    a device over time: a package of frame_keys'; rtp: from packets to frames, one of frame_format's
    mls_validation    what RFC 9420 has an implementation refuse, for every cipher suite
    files         all of it as the text of files

A case is a small documented function. Its randomness is seeded by its own name, so making the files again changes no
byte, and a new case changes no other. The models do not use the code that protects and opens frames: where the two
disagree, the tests that read the files fail.
"""
