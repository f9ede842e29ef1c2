"""``python -m domain.assurance``: the verifier from the source tree."""

import sys

from domain.assurance.command import main

sys.exit(main())
