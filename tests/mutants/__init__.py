"""Faults planted one at a time into this implementation: the vectors alone must show each (``make mutants``)."""
