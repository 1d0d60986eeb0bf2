"""Reads the newest frames with examples/python/live_frames.py and prints one JSON line for each, until it is ended.

Arguments: the folder of live_frames.py, address, seconds the consumer takes for each frame.
"""

import json
import sys
import time

sys.path.insert(0, sys.argv[1])
from live_frames import LiveFrames  # noqa: E402

address, slow = sys.argv[2], float(sys.argv[3])
with LiveFrames(address) as frames:
    for frame in frames:
        height, width = frame.picture.shape[:2]
        blue, green, red = (int(value) for value in frame.picture[height // 2, width // 2])
        line = {
            "number": frame.number,
            "received": frames.received,
            "ageMs": frame.age_ms,
            "width": width,
            "height": height,
            "middle": red << 16 | green << 8 | blue,
            "reconnects": frames.reconnects,
        }
        print(json.dumps(line), flush=True)
        time.sleep(slow)
