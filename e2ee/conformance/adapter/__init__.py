"""This implementation as the conformance runner sees it: one module for each chapter of vectors."""
