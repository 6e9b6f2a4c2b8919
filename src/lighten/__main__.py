"""``python -m lighten`` is ``lighten``."""

from lighten.cli import main

main()
