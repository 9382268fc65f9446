"""Exceptions and warnings of the run registry.

```text
RegistryError
├── RunExistsError (ValueError)
├── AmbiguousRunIdError (ValueError)
├── RunNotFoundError (KeyError)
├── QueryError (ValueError)
├── SchemaVersionError
├── StoreError (OSError)
└── ArtifactError
    ├── ArtifactMissingError (FileNotFoundError)
    ├── ArtifactCorruptedError
    ├── ArtifactUnreadableError
    ├── UntrustedArtifactError
    └── UnportablePortfolioError (TypeError)

CorruptedRecordWarning (UserWarning)
LockHeldWarning (UserWarning)
```

A wrong type is a plain `TypeError`, a wrong value a plain `ValueError`, and the errors of the operating system
stay themselves. A message names the thing, says what was expected, and what to do."""

__all__ = [
    "RegistryError",
    "RunExistsError",
    "AmbiguousRunIdError",
    "RunNotFoundError",
    "QueryError",
    "SchemaVersionError",
    "StoreError",
    "CorruptedRecordWarning",
    "LockHeldWarning",
    "ArtifactError",
    "ArtifactMissingError",
    "ArtifactCorruptedError",
    "ArtifactUnreadableError",
    "UntrustedArtifactError",
    "UnportablePortfolioError",
]


class RegistryError(Exception):
    """Base class of all errors that the registry raises on its own account."""


class RunExistsError(RegistryError, ValueError):
    """A record was saved under a run_id that the registry holds already."""


class AmbiguousRunIdError(RegistryError, ValueError):
    """A prefix of a run_id fits more than one run."""


class RunNotFoundError(RegistryError, KeyError):
    """A call that needs a run was given an id that the registry does not hold."""

    def __str__(self) -> str:
        # KeyError shows the repr of its argument, which is unreadable for a sentence.
        return Exception.__str__(self)


class QueryError(RegistryError, ValueError):
    """A filter, an expression, or a metric to sort by cannot be understood."""


class SchemaVersionError(RegistryError):
    """The registry was written by a newer version of this package, or is none at all."""


class StoreError(RegistryError, OSError):
    """A database or a bucket cannot be reached, or refuses. Names it without its password.

    Or a file of metadata is too long to be read, or somebody else holds the lock of a folder for longer than
    `lock_timeout`."""


class CorruptedRecordWarning(UserWarning):
    """A line of the metadata, or a record in a database, is damaged and was left out. `RunRegistry.check` lists it."""


class LockHeldWarning(UserWarning):
    """A change waits for somebody else who is changing the registry. Says who that is, as far as it is known."""


class ArtifactError(RegistryError):
    """Base class of the errors about a stored portfolio."""


class ArtifactMissingError(ArtifactError, FileNotFoundError):
    """A run was saved with a portfolio, but its file is gone."""


class ArtifactCorruptedError(ArtifactError):
    """A stored portfolio is not, byte for byte, what was saved."""


class ArtifactUnreadableError(ArtifactError):
    """A stored portfolio is intact, but the installed versions cannot open it."""


class UntrustedArtifactError(ArtifactError):
    """Opening a stored portfolio would execute code, and the registry was opened with `allow_pickle=False`."""


class UnportablePortfolioError(ArtifactError, TypeError):
    """A portfolio holds something that its format cannot represent so that another process can read it."""
