"""Real servers on this machine, for as long as a context lasts: PostgreSQL on a socket of its own, S3 on loopback."""

import glob
import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

BUCKET = "registry"


class Unavailable(Exception):
    """A server cannot be started here. Says why."""


@contextmanager
def postgres():
    """Start PostgreSQL with a data folder of its own, reachable by a unix socket only. Return the folder of the socket.

    Raises:
        Unavailable: If PostgreSQL is not installed."""
    binaries = _postgres_binaries()
    folder = Path(tempfile.mkdtemp(prefix="registry-postgres-"))
    try:
        data = folder / "data"
        as_owner = _give_away(folder)
        _run(*as_owner, binaries / "initdb", "--auth=trust", "--username=admin", "--encoding=UTF8", "-D", data)
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off -c max_connections=60"
        control = (*as_owner, binaries / "pg_ctl", "-D", data, "-w")
        _run(*control, "-l", folder / "log", "-o", options, "start")
        try:
            yield folder
        finally:
            _run(*control, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _postgres_binaries():
    found = shutil.which("initdb") or max(glob.glob("/usr/lib/postgresql/*/bin/initdb"), default=None)
    if found is None:
        raise Unavailable("PostgreSQL is not installed; on Debian: apt-get install postgresql")
    return Path(found).parent


def _give_away(folder):
    """Return what to put before the commands of PostgreSQL, which refuses to run as root."""
    if os.getuid() != 0:
        return ()
    shutil.chown(folder, "postgres")
    return ("runuser", "-u", "postgres", "--")


def _run(*command):
    # Output goes to a file: a pipe would stay open for as long as the server runs.
    with tempfile.TemporaryFile("w+") as output:
        status = subprocess.run([str(part) for part in command], stdout=output, stderr=output, cwd="/").returncode
        output.seek(0)
        if status != 0:
            raise Unavailable(f"{Path(command[-1]).name}: {output.read()}")


@contextmanager
def s3():
    """Start an S3 server on loopback with an empty bucket, point this process to it, and return its URL.

    Raises:
        Unavailable: If moto is not installed."""
    try:
        from moto.server import ThreadedMotoServer
    except ImportError as e:
        raise Unavailable(f'moto is not installed ({e}); pip install "vectorbt-registry[servers]"') from e
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        os.environ.update(
            AWS_ENDPOINT_URL=f"http://{host}:{port}",
            AWS_ACCESS_KEY_ID="testing",
            AWS_SECRET_ACCESS_KEY="secret-of-the-tests",
            AWS_DEFAULT_REGION="us-east-1",
        )
        import boto3

        boto3.client("s3").create_bucket(Bucket=BUCKET)
        yield f"s3://{BUCKET}"
    finally:
        server.stop()
