"""`python -m hybridge`: the command `hybridge`."""

from hybridge.cli import main

if __name__ == "__main__":
    main()
