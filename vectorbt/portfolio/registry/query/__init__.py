"""Questions: which runs match, and in which order."""
