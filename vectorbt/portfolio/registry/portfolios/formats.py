"""Portfolio to bytes and back, one class per format.

A format turns a portfolio into named blobs and reads it from them. It knows neither runs nor folders: whoever calls
it decides where the blobs lie, whether they may be trusted, and whether they are what was written."""

import abc
import pickle

from vectorbt import _typing as tp
from vectorbt.portfolio.registry.capture.metrics import return_series
from vectorbt.portfolio.registry.display import escaped, text_of
from vectorbt.portfolio.registry.encoding import dumps, loads
from vectorbt.portfolio.registry.errors import ArtifactCorruptedError, ArtifactUnreadableError, UnportablePortfolioError
from vectorbt.portfolio.registry.portfolios.columns import select_column
from vectorbt.portfolio.registry.portfolios.index import decode_index, encodable_index, encode_index
from vectorbt.portfolio.registry.portfolios.pickled_names import unimportable_name
from vectorbt.portfolio.registry.portfolios.portable.format import MAIN
from vectorbt.portfolio.registry.warning import warn

if tp.TYPE_CHECKING:
    from vectorbt.portfolio.base import Portfolio


class BlobReader(abc.ABC):
    """Reads blobs by their names."""

    @abc.abstractmethod
    def __call__(self, name: str, start: int = 0, end: tp.Optional[int] = None) -> bytes:
        """Return a blob, or its bytes from `start` up to but excluding `end`."""

    @abc.abstractmethod
    def size(self, name: str) -> int:
        """Return the size of a blob in bytes."""


class PortfolioFormat(abc.ABC):
    """A way to write a portfolio down."""

    name: tp.ClassVar[str]
    """Name of the format in a record's `artifact`."""

    ending: tp.ClassVar[str]
    """Ending of the name of the main file."""

    executes_code: tp.ClassVar[bool]
    """Whether reading runs code that the blobs contain."""

    holds_portfolio: tp.ClassVar[bool] = True
    """Whether there is a whole portfolio in the blobs."""

    @abc.abstractmethod
    def dump(self, portfolio: "Portfolio", stem: str) -> tp.Dict[str, bytes]:
        """Return a portfolio as blobs by name. The first name is the main one and is made of `stem`."""

    @abc.abstractmethod
    def load(self, names: tp.Sequence[str], read: BlobReader) -> "Portfolio":
        """Return the portfolio of the blobs with these names.

        Raises:
            ArtifactUnreadableError: If the installed versions cannot open it."""

    def load_column(self, names: tp.Sequence[str], read: BlobReader, column: int) -> "Portfolio":
        """Return one column of the portfolio, or one group where it is grouped, as `select_column` does.

        Raises the errors of `PortfolioFormat.load`.

        Raises:
            ArtifactCorruptedError: If there is no such column or group."""
        return select_column(self.load(names, read), column)

    def load_returns(self, names: tp.Sequence[str], read: BlobReader) -> tp.Frame:
        """Return the return series of all columns, or groups, in their order.

        Raises the errors of `PortfolioFormat.load`."""
        return return_series(self.load(names, read))


class PickleFormat(PortfolioFormat):
    """Exactly what `Portfolio.dumps` returns, so that `vbt.Portfolio.load` opens the file."""

    name = "pickle"
    ending = ".pkl"
    executes_code = True

    def dump(self, portfolio: "Portfolio", stem: str) -> tp.Dict[str, bytes]:
        from vectorbt.portfolio.base import Portfolio

        if type(portfolio) is not Portfolio:
            warn(
                f"vectorbt's pickle does not say that this is a {type(portfolio).__name__}: it will be loaded as a "
                f"Portfolio, whose metrics may be other ones"
            )
        pickled = self._pickled(portfolio)
        name = unimportable_name(pickled)
        if name is not None:
            raise UnportablePortfolioError(
                f"the pickle of this portfolio would refer to {name} by its name, which no other process can import: "
                f"nobody could open it. Define {name.rpartition('.')[2]} in a module that is imported, put text or "
                f"numbers in its place, or keep the return series only by save_portfolio='returns'"
            )
        return {f"{stem}{self.ending}": pickled}

    @staticmethod
    def _pickled(portfolio: "Portfolio") -> bytes:
        try:
            return portfolio.dumps()
        except (pickle.PicklingError, AttributeError, TypeError) as e:
            raise UnportablePortfolioError(
                f"this portfolio holds something that cannot be pickled: {e}. Put text or numbers in its place, or "
                f"keep the return series only by save_portfolio='returns'"
            ) from e

    def load(self, names: tp.Sequence[str], read: BlobReader) -> "Portfolio":
        from vectorbt.portfolio.base import Portfolio

        content = read(names[0])
        try:
            portfolio = Portfolio.loads(content)
        except Exception as e:  # unpickling runs code of any kind, which raises anything
            raise ArtifactUnreadableError(f"{type(e).__name__}: {escaped(text_of(e, str))}") from e
        if not isinstance(portfolio, Portfolio):
            raise ArtifactUnreadableError(f"it holds a {type(portfolio).__name__}, not a Portfolio")
        return portfolio


class PortableFormat(PortfolioFormat):
    """Parquet and JSON: small, safe to open, and readable by others.

    See `vectorbt.portfolio.registry.portfolios.portable`."""

    name = "portable"
    ending = MAIN
    executes_code = False

    def dump(self, portfolio: "Portfolio", stem: str) -> tp.Dict[str, bytes]:
        from vectorbt.portfolio.registry.portfolios.portable.reading import PortableFiles, open_whole
        from vectorbt.portfolio.registry.portfolios.portable.writing import dump

        blobs = dump(portfolio, stem)
        try:
            PortableFiles(list(blobs), open_whole(blobs.__getitem__)).check()
        except ArtifactCorruptedError as e:  # what cannot be read again is not saved at all
            raise UnportablePortfolioError(
                f"this portfolio could not be read from the portable format again: {e.__cause__ or e}; "
                f"portfolio_format='pickle' takes it"
            ) from e
        return blobs

    def load(self, names: tp.Sequence[str], read: BlobReader) -> "Portfolio":
        from vectorbt.portfolio.registry.portfolios.portable.reading import PortableFiles, open_whole

        return PortableFiles(names, open_whole(read)).load()

    def load_column(self, names: tp.Sequence[str], read: BlobReader, column: int) -> "Portfolio":
        from vectorbt.portfolio.registry.portfolios.portable.reading import PortableFiles, open_partly

        return PortableFiles(names, open_partly(read, read.size)).load_column(column)

    def load_returns(self, names: tp.Sequence[str], read: BlobReader) -> tp.Frame:
        from vectorbt.portfolio.registry.portfolios.portable.reading import PortableFiles, open_whole

        return PortableFiles(names, open_whole(read)).load_returns()


class ReturnsFormat(PortfolioFormat):
    """The return series alone, in NumPy's own format: enough to judge a run, too little to look inside.

    The file is an `.npz` with `returns`, bars by columns, and `axes`, the index as JSON of
    `vectorbt.portfolio.registry.portfolios.index`. An index that has no faithful encoding does not stand in the way,
    see `vectorbt.portfolio.registry.portfolios.index.encodable_index`."""

    name = "returns"
    ending = ".returns.npz"
    executes_code = False
    holds_portfolio = False

    def dump(self, portfolio: "Portfolio", stem: str) -> tp.Dict[str, bytes]:
        import io

        import numpy as np

        returns = return_series(portfolio)
        axes = dumps(encode_index(encodable_index(returns.index)))
        file = io.BytesIO()
        np.savez_compressed(file, returns=returns.to_numpy(), axes=np.frombuffer(axes, dtype=np.uint8))
        return {f"{stem}{self.ending}": file.getvalue()}

    def load(self, names: tp.Sequence[str], read: BlobReader) -> tp.NoReturn:
        raise ArtifactUnreadableError("only the return series was saved")

    def load_returns(self, names: tp.Sequence[str], read: BlobReader) -> tp.Frame:
        import io
        import zipfile

        import numpy as np
        import pandas as pd

        content = read(names[0])
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
                return pd.DataFrame(arrays["returns"], index=decode_index(loads(arrays["axes"].tobytes())))
        except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as e:
            raise ArtifactCorruptedError(f"{names[0]} does not hold return series: {escaped(str(e))}") from e


FORMATS: tp.Dict[str, PortfolioFormat] = {
    form.name: form for form in (PickleFormat(), PortableFormat(), ReturnsFormat())
}
"""Formats by name."""


def check_format(name: tp.Any) -> str:
    """Return `name` if it is the name of a format.

    Raises:
        TypeError: If it is not a string.
        ValueError: If there is no such format."""
    if not isinstance(name, str):
        raise TypeError(f"portfolio_format must be a string, not {type(name).__name__}")
    if name not in FORMATS:
        raise ValueError(f"portfolio_format must be one of {', '.join(map(repr, FORMATS))}, not {name!r}")
    return name
