"""Stands in for the root `conftest.py` of vectorbt's tests, which its source distribution lacks."""

import pandas as pd

# vectorbt's expected values hold strings as objects, which is no longer what pandas 3 makes of them.
pd.set_option("future.infer_string", False)
