"""Frames in, commands out: finds faces, follows them and scores them against a sealed watchlist.

Promise: nothing here reports home. onnxruntime's Linux wheel keeps usage records for its makers
under the home directory unless it is told not to before it is first imported; so telling it is the
first thing that importing any part of this package does.
"""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

# A product of a gallery with one face is too small to share between threads: on busy cores two
# threads made it forty times slower. numpy reads this when it is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
