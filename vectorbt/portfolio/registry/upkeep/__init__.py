"""What is done with a registry as a whole.

* `check`: what is wrong with it, and files that nobody needs
* `convert`: saved portfolios from one format into another
* `transfer`: runs from one registry into another"""
