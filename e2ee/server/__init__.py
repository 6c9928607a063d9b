"""The delivery service as an ASGI application: ``app.create_app`` to mount it, ``serve.serve`` to run it alone.

Needs the extra ``server`` (Starlette, and uvicorn with websockets to run it).
"""
