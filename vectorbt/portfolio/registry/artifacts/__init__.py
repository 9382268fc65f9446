"""Bytes under names: where portfolios lie."""
