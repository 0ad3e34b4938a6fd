"""A short film of one valley from dawn to night: its frames, and the sound that goes with it.

Frames are pictures of Pillow, sounds are lists of floats; `make_film.py` has both encoded.
"""
