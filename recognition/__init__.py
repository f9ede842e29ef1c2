"""Frames in, commands out: finds faces, follows them and scores them against a sealed watchlist.

Promise: nothing here reports home. onnxruntime's Linux wheel keeps usage records in the home
directory and sends them, unless it is told not to before it is first imported; so this is the
first thing that importing any part of the package does.
"""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"
