"""How many examples hypothesis tries where one takes long: in CI, where they are the same each time, a third."""

import os

from hypothesis import settings


def expensive(max_examples, **options):
    """Return settings of a test that writes to a store in each of its examples."""
    return settings(max_examples=max_examples // 3 if os.environ.get("CI") else max_examples, **options)
