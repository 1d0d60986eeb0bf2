"""Shows the live stream with its frame rate: python3 opencv_window.py [ADDRESS] [--no-window] [--seconds N]

With --no-window it prints one line a second instead, for machines without a screen. Q, Escape or Ctrl+C ends it.
"""

from __future__ import annotations

import argparse
import time
from typing import Optional

import cv2

from live_frames import ADDRESS, Frame, LiveFrames

TITLE = "Live frames"
KEYS_THAT_END = (27, ord("q"))


def caption(frame: Frame, fps: float, reconnects: int) -> str:
    height, width = frame.picture.shape[:2]
    return f"{width}x{height}  {fps:.1f} fps  age {frame.age_ms:.0f} ms here  {reconnects} reconnects"


def show(frame: Optional[Frame], text: str) -> bool:
    """Draws the picture; answers False when the window is to be closed."""
    if frame is not None:
        for colour, thickness in (((0, 0, 0), 4), ((255, 255, 255), 1)):
            cv2.putText(frame.picture, text, (12, 28), cv2.FONT_HERSHEY_SIMPLEX, 0.7, colour, thickness, cv2.LINE_AA)
        cv2.imshow(TITLE, frame.picture)
    return cv2.waitKey(1) & 0xFF not in KEYS_THAT_END


def main() -> None:
    parser = argparse.ArgumentParser(description="Shows the live stream with its frame rate.")
    parser.add_argument("address", nargs="?", default=ADDRESS)
    parser.add_argument("--no-window", action="store_true", help="print one line a second instead")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="end after that time")
    options = parser.parse_args()

    began = time.monotonic()
    second, received, fps = began, 0, 0.0
    with LiveFrames(options.address) as frames:
        while time.monotonic() - began < options.seconds:
            frame = frames.read(timeout=0.5)
            now = time.monotonic()
            tick = now - second >= 1
            if tick:
                fps = (frames.received - received) / (now - second)
                second, received = now, frames.received
            text = "no picture yet" if frame is None else caption(frame, fps, frames.reconnects)
            if options.no_window:
                if tick:
                    print(text, flush=True)
            elif not show(frame, text):
                break


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
