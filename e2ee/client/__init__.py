"""A client of calls: the asyncio shell around e2ee.call, which has the sockets, the clock, the disk and the media.

    profile       what makes a device the same device tomorrow: on disk, or in memory
    online        from a profile to a device that is online
    client        that device: calls, invitations, letters, links, contacts
    call          one call with its media
    group_call    one group call with its media; group_roster: who is in it, group_hosting: what hosts do
    media         what a call sends, and which paths it may take
    linking       a new device that waits for its account
    transport     how messages reach the service: a WebSocket, or a platform's own connection

Beneath them: connection, session, carrier, certification and relays (the service); calls, invitation, ring and link_url (who calls
whom); media_connection and media_path (media of a call); group_media with group_sending, group_receiving, forwarding_path,
speaking, wanted_video and group_recorder (of a group call); key_store, trust_store, changed_keys, sealed_store, private_file and
stored_values (the disk).
"""
