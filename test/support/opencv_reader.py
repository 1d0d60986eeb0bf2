"""Opens an address as a tutorial would, reads pictures, prints what it got as one JSON line.

Arguments: address, number of pictures.
"""

import json
import sys
import time

import cv2

address, count = sys.argv[1], int(sys.argv[2])
began = time.monotonic()
capture = cv2.VideoCapture(address)
opened = capture.isOpened()
seconds = time.monotonic() - began
frames, picture = 0, None
while opened and frames < count:
    good, newest = capture.read()
    if not good:
        break
    frames, picture = frames + 1, newest
middle = None
if picture is not None:
    height, width = picture.shape[:2]
    blue, green, red = (int(value) for value in picture[height // 2, width // 2])
    middle = red << 16 | green << 8 | blue
print(json.dumps({"opened": opened, "openSeconds": seconds, "frames": frames, "middle": middle}))
