"""PostgreSQL, with portfolios in S3: what every store promises, and a bucket that is not there."""

import pytest

from tests.support.factories import make_record
from vectorbt.portfolio.registry import RunRegistry, StoreError
from vectorbt.portfolio.registry.testing import StoreSuite

pytestmark = pytest.mark.servers

pytest.importorskip("sqlalchemy", reason="needs the extra sql")

from vectorbt.portfolio.registry import SqlStore  # noqa: E402


class TestPostgresWithS3(StoreSuite):
    @pytest.fixture
    def open_store(self, postgres_url, s3_url):
        return lambda: SqlStore(postgres_url, artifacts=s3_url)


def test_a_bucket_that_is_not_there(postgres_url, s3_bucket, portfolio):
    store = SqlStore(postgres_url, artifacts=f"{s3_bucket}-that-is-not-there/prefix")
    with pytest.raises(StoreError, match="s3://registry-that-is-not-there/prefix"):
        store.save_run(make_record(), portfolio)
    assert store.count() == 0
    with pytest.raises(StoreError, match="no bucket registry-that-is-not-there"):
        RunRegistry(store).gc(min_age=0)
    store.close()
