"""A Portfolio as bytes, and back.

* `stored`: the stored portfolio of a run: whose it is, whether it may be opened, and whether it is what was saved
* `formats`: the formats that a portfolio can be stored in
* `portable`: the format that is small, safe to open, and readable by others
* `columns`: one column of a portfolio
* `index`: the index and the columns of a portfolio as JSON"""
