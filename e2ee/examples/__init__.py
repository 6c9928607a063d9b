"""Small whole programs. Each is run by the tests."""
