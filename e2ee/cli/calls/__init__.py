"""What the commands of calls share: ``register``, ``link``, ``devices``, ``contacts``, ``verify``, ``call``, ``answer``, ``chat``,
``meet``, ``join``.

profile      where a device's keys are, and how the file is opened
options      the options that several commands have
running      a command as one run of an event loop: errors as one line, exit status, Ctrl-C
shown        what other people wrote, made harmless; numbers, QR codes
output       lines for people, or JSON objects
live         the same on a terminal, with a live view of the call
keyboard     keys or lines in, commands out
wording      the events of a call in words
outside      what happens that is of no call: letters, missed calls, the connection
sending      what is sent: devices, files, test sources; switched on and off
receiving    what is received: recorded, played, dropped
status       how a call stands
wishes       what the person wants in a call
talk         one call, from its first event to its end
meeting      a group call; with meeting_wording, meeting_wishes, meeting_status and meeting_receiving as a call has its own
doorbell     waiting for calls
desk         all of it together, for the commands
"""
