"""examples/cluster.py: processes of dask and joblib share one registry."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from vectorbt.portfolio.registry import RunRegistry

pytestmark = pytest.mark.servers

EXAMPLE = Path(__file__).parents[2] / "examples" / "cluster.py"


def test_a_cluster_shares_one_registry(postgres_url, s3_url):
    pytest.importorskip("distributed", reason="needs the extra servers")
    url = postgres_url.replace(":open-sesame@", "@")
    command = [sys.executable, str(EXAMPLE), url, s3_url]
    environment = {**os.environ, "PGPASSWORD": "open-sesame"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    registry = RunRegistry(url, artifacts=s3_url)
    n_runs = int(re.match(r"(\d+) runs were saved", done.stdout)[1])
    assert n_runs == len(registry) == 64
    assert len(registry.list_sweeps()) == len(registry.store.artifacts.list()) == 8
    assert registry.check() == []
    registry.close()
