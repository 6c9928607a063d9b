"""``e2ee demo``: a real call between two processes, and the proof of what the server between them could see.

command    options, exit status
story      the platform's side: service, two processes, taps
process    a side as seen from here: JSON lines over pipes
peer       a side from inside: a client of e2ee.client that sends, records and measures
verdict    the checks
view       the terminal
"""

from e2ee.cli.demo.command import register

__all__ = ["register"]
