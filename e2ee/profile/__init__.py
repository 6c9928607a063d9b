"""The MLS profile of calls (spec chapter Key agreement): what of MLS is used, judged from public bytes alone.

Members and the delivery service call the same functions here, so they judge alike (KEYS-13). Only the public half
of MLS is imported: nothing in this package can hold a secret.
"""
