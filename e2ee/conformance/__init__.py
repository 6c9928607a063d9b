"""How an implementation is held against the specification: by requirement, from ``spec/``, ``vectors/`` and tests."""
