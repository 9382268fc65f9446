"""A database: SQLite or PostgreSQL, by SQLAlchemy."""
