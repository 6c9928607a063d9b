"""The delivery service: untrusted, without input or output of its own (spec chapter Delivery service).

It stores KeyPackages, orders commits and relays messages. Nothing here can hold a group's secret: only the public half of
MLS is imported, which the import contracts check.
"""
