"""Chat of a call: texts, reactions, receipts, typing, real-time text and captions (chapter Chat).

``ChatRoom`` (``room``) is the whole of it for one device; the other modules hold one concern each.
"""
