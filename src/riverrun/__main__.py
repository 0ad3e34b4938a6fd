"""`python -m riverrun`, for where the program is not on the path."""

from riverrun.cli import main

if __name__ == "__main__":
    main()
