"""Print the lowest version of each requirement that users of the distribution have, as constraints for pip.

What only the tests and the developers need is left out: nobody is promised that these work with old versions."""

import re
import tomllib
from pathlib import Path

FOR_DEVELOPERS = {"dev", "fuzz", "oracles", "servers", "test"}


def main():
    project = tomllib.loads(Path(__file__).parents[1].joinpath("pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    requirements = [
        *project["dependencies"],
        *(line for name in extras.keys() - FOR_DEVELOPERS for line in extras[name]),
    ]
    bounds = (re.fullmatch(r"([\w.-]+)(?:\[[\w,-]+\])?>=([\w.]+)", requirement) for requirement in requirements)
    for name, version in sorted({bound.groups() for bound in bounds if bound}):
        print(f"{name}=={version}")


if __name__ == "__main__":
    main()
