"""Reads an address with OpenCV for a while and prints, as one JSON line, how old its pictures were when they came.

Arguments: address, seconds. The pictures are those of timecode.ts; OPENCV_FFMPEG_CAPTURE_OPTIONS says how to open.
"""

import json
import sys
import time

import cv2

COLUMNS, ROWS, BITS = 8, 3, 24
WRAP = 1 << BITS
REACH = 2


def block(picture, column, row):
    """Mean colour (blue, green, red) in the middle of a block."""
    height, width = picture.shape[:2]
    x = round((column + 0.5) * width / COLUMNS)
    y = round((row + 0.5) * height / (ROWS + 2))
    return picture[y - REACH : y + REACH + 1, x - REACH : x + REACH + 1].reshape(-1, 3).mean(axis=0)


def timecode(picture):
    """Milliseconds shown, modulo 2^24; None when the picture is not whole."""
    above, below = block(picture, 0, 0), block(picture, 0, ROWS + 1)
    if above[2] - above[0] < 100 or below[0] - below[2] < 100:
        return None
    value = 0
    for bit in range(BITS):
        light = block(picture, bit % COLUMNS, 1 + bit // COLUMNS).mean()
        if 80 < light < 175:
            return None
        value = value * 2 + (light >= 175)
    return int(value)


address, seconds = sys.argv[1], float(sys.argv[2])
began = time.monotonic()
capture = cv2.VideoCapture(address, cv2.CAP_FFMPEG)
opened = time.monotonic() - began
first, ages, unread = None, [], 0
while capture.isOpened() and time.monotonic() - began < seconds:
    good, picture = capture.read()
    if not good:
        break
    now = time.time() * 1000
    if first is None:
        first = time.monotonic() - began
    shown = timecode(picture)
    if shown is None:
        unread += 1
        continue
    age = (now - shown) % WRAP
    ages.append([time.monotonic() - began, age - WRAP if age > WRAP / 2 else age])
print(json.dumps({"openSeconds": opened, "firstSeconds": first, "ages": ages, "unread": unread}))
