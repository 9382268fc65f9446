"""Has a reader read for some seconds what atheris makes up: `python -m tests.fuzz.engine READER SECONDS FOLDER`.

The folder keeps what was interesting, with which the next time begins, and an input that broke a promise."""

import hashlib
import os
import random
import sys
import traceback
from pathlib import Path

import atheris
from atheris.import_hook import AtherisMetaPathFinder

PACKAGE = "vectorbt.portfolio.registry"

LIMITS = ("-timeout=30", "-rss_limit_mb=2048", *(["-seed=1"] if os.environ.get("CI") else []))
"""Seconds and megabytes that one input may take; vectorbt alone takes 400 MB. In CI the chances are the same each time:
what is found must not depend on the day."""


class _OwnModules(AtherisMetaPathFinder):
    """Instruments the registry. Of packages, atheris itself only tells apart the outermost ones, and what vectorbt has
    compiled by Numba must stay as it is."""

    def __init__(self):
        super().__init__({"vectorbt"}, set(), enable_loader_override=True, trace_dataflow=True)

    def find_spec(self, fullname, path=None, target=None):
        return super().find_spec(fullname, path, target) if f"{fullname}.".startswith(f"{PACKAGE}.") else None


def main(name, seconds, folder):
    sys.meta_path.insert(0, _OwnModules())
    import vectorbt.portfolio.registry  # noqa: F401  # before vectorbt, which imports an installed one only
    from tests.fuzz.reader import reader_of

    reader = reader_of(name)
    corpus, tokens = prepare(reader, Path(folder))
    options = [f"-max_len={reader.longest}", "-len_control=0", f"-dict={tokens}", f"-artifact_prefix={folder}/"]
    arguments = [sys.argv[0], *options, *LIMITS, f"-max_total_time={seconds}", "-print_final_stats=1", str(corpus)]
    alteration = {} if reader.alter is None else dict(custom_mutator=alternating(reader.alter))
    atheris.Setup(arguments, keeping(reader.check, Path(folder)), **alteration)
    atheris.Fuzz()


def prepare(reader, folder):
    """Write what the engine begins with, and return where."""
    corpus, tokens = folder / "corpus", folder / "tokens"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(reader.seeds()):
        (corpus / f"seed-{number}").write_bytes(seed)
        reader.check(seed)  # some compile functions of vectorbt, which takes longer than an input may
    escaped = ("".join(f"\\x{byte:02x}" for byte in token.encode()) for token in reader.tokens)
    tokens.write_text("".join(f'"{token}"\n' for token in escaped))
    return corpus, tokens


def keeping(check, folder):
    """Return a check that keeps the input that breaks a promise, and ends the process at once.

    Left to end it, the engine may be killed by its own alarm before it has written the input."""

    def check_and_keep(data):
        try:
            check(data)
        except BaseException:
            (folder / f"broken-{hashlib.sha1(data).hexdigest()}").write_bytes(data)
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)

    return check_and_keep


def alternating(alter):
    """Return what alters inputs: the reader's own way, and that of the engine."""

    def alternate(data, longest, seed):
        chance = random.Random(seed)
        altered = data if chance.random() < 0.3 else alter(bytes(data), chance)
        return atheris.Mutate(data, longest) if altered == data else altered[:longest]

    return alternate


if __name__ == "__main__":
    main(*sys.argv[1:])
