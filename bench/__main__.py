"""`python -m bench [name [arguments]]`: the measurements there are, or one of them."""

import runpy
import sys
from pathlib import Path

names = sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))
if len(sys.argv) < 2 or sys.argv[1] not in names:
    print(f"make bench ARGS=<name>, or python -m bench <name>: {', '.join(names)}")
    raise SystemExit(0 if len(sys.argv) < 2 else 2)
name = sys.argv.pop(1)
runpy.run_module(f"bench.{name}", run_name="__main__")
