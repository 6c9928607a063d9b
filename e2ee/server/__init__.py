"""The delivery service as a server.

    app, serve        the ASGI application, to be mounted; running it alone       e2ee.delivery does the work
    standalone        all of it in one process, as ``e2ee serve`` runs it
    websocket, batch, outbox    connections, requests that share a transaction, what waits to go out
    authentication    an application's users as the accounts                      limits    who is let in
    stores            what outlives the process                                   tls, turn
    logs, metrics, operations, watching    what an operator sees, which is nobody in particular

Needs the extra ``server`` (Starlette; uvicorn with websockets to run it; PyJWT and prometheus-client).
"""
