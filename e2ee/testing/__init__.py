"""What tests of this protocol need beside the protocol itself: honest clients, dishonest ones, and looks inside."""
