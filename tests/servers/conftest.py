"""Servers for the tests of this folder, and schemas of their own within them."""

import os
import uuid
from contextlib import ExitStack, contextmanager

import pytest

from tests.servers import local


@pytest.fixture(scope="session")
def postgres_socket():
    """Folder of the socket of a running PostgreSQL."""
    pytest.importorskip("psycopg", reason="needs the extra postgres")
    with running(local.postgres) as folder:
        yield folder


@pytest.fixture(scope="session")
def s3_bucket():
    """URL of an S3 bucket on a running server."""
    pytest.importorskip("s3fs", reason="needs the extra s3")
    with running(local.s3) as url:
        yield url


@contextmanager
def running(server):
    """Start a server, or skip whatever needs it and say why. In CI, where it must be there, fail."""
    with ExitStack() as stack:
        try:
            started = stack.enter_context(server())
        except local.Unavailable as e:
            if os.environ.get("CI"):
                raise
            pytest.skip(str(e))
        yield started


@pytest.fixture
def admin(postgres_socket):
    """Connection of somebody who may do everything."""
    import psycopg

    with psycopg.connect(host=str(postgres_socket), user="admin", dbname="postgres", autocommit=True) as connection:
        yield connection


@pytest.fixture
def postgres_url(postgres_socket, admin):
    """URL for a role that owns a schema of its own and nothing else."""
    name = f"quant_{uuid.uuid4().hex[:12]}"
    admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'open-sesame'")
    admin.execute(f"CREATE SCHEMA {name} AUTHORIZATION {name}")
    yield f"postgresql+psycopg://{name}:open-sesame@/postgres?host={postgres_socket}"
    admin.execute(f"DROP SCHEMA {name} CASCADE")
    admin.execute(f"DROP ROLE {name}")


@pytest.fixture
def s3_url(s3_bucket):
    """URL of an empty prefix in a bucket."""
    return f"{s3_bucket}/{uuid.uuid4().hex}"
