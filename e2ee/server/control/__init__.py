"""A forwarding unit that is a process of its own (``e2ee sfu``), and its service: one WebSocket between them.

    proof         each shows that it has the shared secret, before anything else is read
    messages      what they say then
    controlled    the unit's side: an ASGI application around any ``ForwardingUnit``
    remote        the service's side, itself a ``ForwardingUnit``

    unit                                                      service
      | <------------------------------------------ connects --- |
      | --- 32 random bytes ----------------------------------->  |
      | <--------------------- 32 random bytes, 32 of its proof - |    wrong: closed with 1008, and nothing was said
      | --- 32 bytes of the unit's proof ---------------------->  |    wrong: the service says nothing
      | <---------------------------------- publish, want, … ---- |    binary frames, MessagePack as between service and devices
      | --- done, refused, offer, lost, … --------------------->  |

Each connection has a unit of its own, which ends with it: a service that comes back begins anew, and its members with it. The
proofs say who is there; that nobody listens or writes in between is TLS's business.
"""
