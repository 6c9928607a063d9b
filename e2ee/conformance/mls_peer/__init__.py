"""``e2ee mls-peer``: MLS clients that another implementation talks to, by JSON lines.

peer       a line in, a line out: the clients by id, the table of operations, errors as replies
client     one client and its group: what its operations do
identity   what a client keeps from leaf to leaf
replies    what each operation answers
fields     what a request's fields hold, read into typed values
surroundings   time, randomness, and the leniency of a test peer
errors     what is wrong with a request itself

Sans-IO: ``e2ee.cli.mls_peer`` owns the pipes and the clock.
"""
