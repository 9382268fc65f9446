"""Install each given distribution beside vectorbt, use it, uninstall it, and hold vectorbt's files against its RECORD.

Runs in the environment that it checks: `python tests/packaging/check_install.py dist/*.whl dist/*.tar.gz`.
Installing and uninstalling happen in that environment, so it should be one made for this check."""

import base64
import hashlib
import subprocess
import sys
import sysconfig
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

PACKAGE = Path(sysconfig.get_path("purelib"), "vectorbt", "portfolio", "registry")

USE_WITHOUT_FURTHER_IMPORT = """
import vectorbt as vbt
assert callable(vbt.Portfolio.save_to_registry), "Portfolio has no save_to_registry"
from vectorbt.portfolio.registry import RunRegistry
"""


def pip(*args):
    subprocess.run([sys.executable, "-m", "pip", "--disable-pip-version-check", *args, "-qq"], check=True)


def python(code):
    """Run code in a fresh interpreter, away from the source tree."""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=sys.prefix)


def recorded_digest(content):
    """Digest in the form of RECORD: urlsafe base64 without padding."""
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def check_vectorbt_is_untouched():
    files = [file for file in distribution("vectorbt").files if file.hash is not None]
    altered = [str(file) for file in files if recorded_digest(file.locate().read_bytes()) != file.hash.value]
    if altered:
        sys.exit(f"These files of vectorbt differ from its RECORD: {', '.join(altered)}")
    print(f"  {len(files)} files of vectorbt {distribution('vectorbt').version} are as its RECORD says")


def check_nothing_is_left(files):
    left = [str(path) for path in files if path.exists()]
    if PACKAGE.exists():
        left.append(str(PACKAGE))
    if left:
        sys.exit(f"Uninstalling left behind: {', '.join(left)}")
    try:
        distribution("vectorbt-registry")
    except PackageNotFoundError:
        print("  uninstalled, nothing left behind")
    else:
        sys.exit("vectorbt-registry is still installed after uninstalling it")


def check(path):
    print(f"{Path(path).name}:", flush=True)
    pip("install", path)
    files = [Path(file.locate()) for file in distribution("vectorbt-registry").files]
    check_vectorbt_is_untouched()
    python(USE_WITHOUT_FURTHER_IMPORT)
    print("  Portfolio.save_to_registry is there after `import vectorbt` alone")
    pip("uninstall", "-y", "vectorbt-registry")
    check_nothing_is_left(files)
    check_vectorbt_is_untouched()
    python("import vectorbt")


def main(paths):
    if not paths:
        sys.exit("Name at least one wheel or sdist")
    # An interrupted check may have left it installed.
    pip("uninstall", "-y", "vectorbt-registry")
    for path in paths:
        check(path)


if __name__ == "__main__":
    main(sys.argv[1:])
