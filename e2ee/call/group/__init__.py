"""Group calls at one member (chapter Group calls)."""
