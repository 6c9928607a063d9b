"""A live peer: scenarios over the real protocol with a running client (``e2ee conformance peer``).

scenario, scenarios   the table, and what is played: one function a scenario, its docstring the story
probe, watched        a device of the peer, and what it is told; tampering: frames that must be refused
service               where it is played: a service of the peer's own, which may lie, or one that was given
subject, person       the client under test: driven by a program, or by somebody who is told what to do
driver_protocol       what the peer and that program say to each other; driver: this library's own
playing, command      verdicts, options, reports
"""
