"""``python -m lighten.isolate SOCKET``: the child's side."""

import sys

from lighten.isolate.child import main

main(int(sys.argv[1]))
