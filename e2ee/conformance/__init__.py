"""How an implementation is held against the specification: by requirement, from ``spec/``, ``vectors/`` and tests.

    by case: adapters of any implementation are fed the vectors (spec/conformance.md)
        cases             what is sent, and what is kept to judge the answer
        adapter_protocol  what runner and adapter say to each other
        adapter_process   an adapter as a process; websocket_listener: one that comes by WebSocket
        session, runner   a talk with one adapter; a whole run
        verdict           what an answer is worth; fates: of many frames; difference: where two values differ first
        results           what a run shows, by level and by requirement; report_*, badge: written down
        adapter           ours
    by requirement: from each sentence to its vectors, tests and code
        requirements, trace, coverage, and what they generate
    server                a delivery service, asked as its clients ask it (level D)
    mls_peer              an MLS client for other implementations' tests

The runner and the requirement check import nothing of the package beside these modules.
"""
