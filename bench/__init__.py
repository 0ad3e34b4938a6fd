"""The peers, side by side, in one command: ``python -m bench``.

Every server gets the same core, the same folder and the same questions; the load runs on the other
core. The runs go round by round, and a round asks every peer the same thing in turn, so whatever
else the machine is doing falls on all of them alike. What counts is the ratio to nginx *within a
round*; the page gives the median of those ratios.

The rooms: ``work/`` says what is measured (one module a kind of work), ``peers.py`` who is
measured, ``rounds.py`` brings the two together, ``results.py`` keeps what came out, and
``report.py``, ``plot.py`` and ``page.py`` show it. Nothing outside ``process.py`` starts or stops
a server, and nothing outside ``results.py`` decides what a median or a ratio is.

A new kind of work is one new module in ``work/`` and its name in ``work/__init__.py``.
"""
