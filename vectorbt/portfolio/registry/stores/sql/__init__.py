"""Runs in a database, by SQLAlchemy. Nothing here is imported before a store of this kind is made."""

from importlib.util import find_spec

if find_spec("sqlalchemy") is None:
    raise ImportError('SQLAlchemy is not installed; pip install "vectorbt-registry[sql]"')
