"""Reads the live stream with PyAV instead of OpenCV: python3 pyav_frames.py [ADDRESS] [PICTURES]

PyAV decodes in the thread that asks, so keep up with the stream, or put this loop into a thread as live_frames.py does.
"""

from __future__ import annotations

import sys

import av

ADDRESS = "rtmp://127.0.0.1:1935/live/test"
OPTIONS = {"analyzeduration": "200000", "probesize": "500000"}


def main(address: str = ADDRESS, pictures: int = 30) -> None:
    # not `options`, with which Debian 12's PyAV 10.0.0 crashes on a live stream
    with av.open(address, container_options=OPTIONS, timeout=(5.0, 3.0)) as stream:
        # several pictures at once would hold each of them back
        stream.streams.video[0].thread_type = "SLICE"
        for number, frame in enumerate(stream.decode(video=0), start=1):
            picture = frame.to_ndarray(format="bgr24")
            height, width = picture.shape[:2]
            print(f"picture {number}: {width}x{height}, at {frame.time:.3f} s of the stream", flush=True)
            if number >= pictures:
                break


if __name__ == "__main__":
    main(*sys.argv[1:2], *map(int, sys.argv[2:3]))
