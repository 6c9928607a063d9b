"""A client of calls: the asyncio shell around e2ee.call, which has the sockets, the clock and the media.

    clock         Unix time that never goes back
    connection    one WebSocket to a delivery service: logged in, messages in and out
    device        a device that is online: publishes KeyPackages, places and answers calls
    call          one call with its media

Keys and pins live in memory, as long as the object that holds them.
"""
