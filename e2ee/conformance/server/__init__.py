"""``e2ee conformance server``: somebody's delivery service, asked as its clients ask it (level D).

    check      a check and its registration; checks: all of them, a subject a module
    stage      what a check plays on; tokens: where its accounts come from
    line       a connection, any bytes; device, talk, meeting: who is at it, with real MLS groups
    faults     what a check finds
    run        all checks of a run; arguments, command: how it is asked for

Reports and verdicts are those of the runner (``e2ee.conformance``).
"""
