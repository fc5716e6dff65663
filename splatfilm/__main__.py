"""`python -m splatfilm` is the `splatfilm` command."""

from splatfilm.cli.main import main

raise SystemExit(main())
