"""A Portfolio as bytes, in several formats."""
