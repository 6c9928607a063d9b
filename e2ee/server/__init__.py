"""The delivery service as a server.

    app, serve        the ASGI application, to be mounted; running it alone       e2ee.delivery does the work
    standalone        all of it in one process, as ``e2ee serve`` runs it        process    what that has beside
    websocket, frames, batch, outbox    connections, requests that share a transaction, what waits to go out
    forwarding, lines, units, announced    the way to the forwarding unit of group calls, and where that is
    control, sfu_process    a forwarding unit that is a process of its own, as ``e2ee sfu`` runs it
    authentication    an application's users as the accounts                      limits, entrance    who is let in
    stores            what outlives the process                                   tls, turn
    logs, metrics, forwarding_figures, operations, watching    what an operator sees, which is nobody in particular
    link_page         what a browser finds at a group call's link

Needs the extra ``server`` (Starlette; uvicorn with websockets to run it; PyJWT and prometheus-client), and ``rtc`` for a
forwarding unit.
"""
