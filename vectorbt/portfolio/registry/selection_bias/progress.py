"""A progress bar for what takes more than two seconds."""

from contextlib import contextmanager

from vectorbt import _typing as tp

_SECONDS = 2


@contextmanager
def progress_bar(total: int, description: str, progress: tp.Optional[bool]) -> tp.Iterator[tp.Callable[[int], tp.Any]]:
    """Yield what is to be told by how much the work has gone on.

    Args:
        total (int): Amount of work.
        description (str): What the bar is about.
        progress (bool): Whether there is a bar. None for a bar in a terminal only."""
    from tqdm.auto import tqdm

    disable = None if progress is None else not progress
    with tqdm(total=total, desc=description, delay=_SECONDS, disable=disable, leave=False) as bar:
        yield bar.update
