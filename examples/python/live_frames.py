"""The newest picture of a live address, for programs that look at frames (OpenCV, machine learning, robots).

    with LiveFrames("rtmp://127.0.0.1:1935/live/test") as frames:
        for frame in frames:
            look_at(frame.picture)      # height x width x 3, blue green red

A thread of its own takes every picture off the connection and keeps only the newest. However slow `look_at` is, the
next picture it gets is a fresh one: pictures are skipped, never queued. When the stream ends or stands still, the
thread opens it again by itself, at first soon and then every two seconds.

Needs Python 3.9 or newer with cv2 (OpenCV with its FFmpeg backend) and numpy.
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Iterator, Optional, Type

import cv2
import numpy

ADDRESS = "rtmp://127.0.0.1:1935/live/test"

# How FFmpeg opens the stream inside OpenCV. Without these it looks at the stream for a second or more before the first
# picture; the studio's streams say at once what they are made of.
OPENCV_OPTIONS = "analyzeduration;200000|probesize;500000"
OPTIONS_VARIABLE = "OPENCV_FFMPEG_CAPTURE_OPTIONS"

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 2.0


@dataclass(frozen=True)
class Frame:
    """One picture. It is yours: nothing writes into it any more."""

    picture: numpy.ndarray
    """height x width x 3 bytes: blue, green, red"""
    number: int
    """counts the pictures received since the start, over reconnects: a step of more than 1 is what you skipped"""
    decoded_at: float
    """time.monotonic() at the moment it came out of the decoder"""

    @property
    def age_ms(self) -> float:
        """Milliseconds since the picture came out of the decoder of this program.

        This is what your own program adds. How long the picture was on its way before (capture, encoder, server,
        network) cannot be told from here: the stream carries no clock that both ends share. To measure that, film
        a clock, as the studio's `npm run bench -- readers` does.
        """
        return (time.monotonic() - self.decoded_at) * 1000


class LiveFrames:
    """The newest pictures of an address, kept fresh by a thread. Use it in a `with` statement, or call `close`."""

    def __init__(
        self,
        address: str = ADDRESS,
        *,
        open_timeout: float = 5.0,
        read_timeout: float = 3.0,
        patience: float = 30.0,
    ) -> None:
        """Begins to read at once; no exception if nothing is live yet.

        open_timeout, read_timeout: seconds after which an attempt to open, or a connection on which nothing comes, is
        given up and made anew. patience: seconds a `for` loop waits for a picture before it raises TimeoutError.
        """
        # what the user has set, in the shell for instance, stays
        os.environ.setdefault(OPTIONS_VARIABLE, OPENCV_OPTIONS)
        self._address = address
        self._open_timeout = open_timeout
        self._read_timeout = read_timeout
        self._patience = patience
        self._closing = threading.Event()
        self._fresh = threading.Condition()
        self._newest: Optional[Frame] = None
        self._handed_out = 0
        self._received = 0
        self._opened = 0
        self._thread = threading.Thread(target=self._run, name="live-frames", daemon=True)
        self._thread.start()

    @property
    def received(self) -> int:
        """Pictures received so far."""
        return self._received

    @property
    def reconnects(self) -> int:
        """Times the stream was opened again."""
        return max(0, self._opened - 1)

    def read(self, timeout: float = 1.0) -> Optional[Frame]:
        """The newest picture that was not handed out yet; None if none comes within `timeout` seconds."""
        with self._fresh:
            self._fresh.wait_for(self._has_fresh, timeout)
            if self._newest is None or self._newest.number == self._handed_out or self._closing.is_set():
                return None
            self._handed_out = self._newest.number
            return self._newest

    def __iter__(self) -> Iterator[Frame]:
        """Every new picture until `close`. Raises TimeoutError when none comes for `patience` seconds."""
        while not self._closing.is_set():
            frame = self.read(self._patience)
            if frame is not None:
                yield frame
            elif not self._closing.is_set():
                raise TimeoutError(f"no picture from the stream for {self._patience:g} s; is the studio live?")

    def close(self) -> None:
        """Ends the thread and the connection. A read that hangs is not waited for longer than its timeout."""
        self._closing.set()
        with self._fresh:
            self._fresh.notify_all()
        self._thread.join(max(self._open_timeout, self._read_timeout) + 1)

    def __enter__(self) -> LiveFrames:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close()

    def _has_fresh(self) -> bool:
        return self._closing.is_set() or (self._newest is not None and self._newest.number != self._handed_out)

    def _run(self) -> None:
        pause = FIRST_PAUSE
        while not self._closing.is_set():
            if self._read_until_it_ends():
                pause = FIRST_PAUSE
            self._closing.wait(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    def _read_until_it_ends(self) -> bool:
        """Opens the stream and keeps its newest picture. Answers whether there was one."""
        capture = cv2.VideoCapture(self._address, cv2.CAP_FFMPEG, self._open_parameters())
        any_picture = False
        try:
            # retrieve() into no array makes a new one each time, so a picture handed out is never overwritten
            while not self._closing.is_set() and capture.grab():
                good, picture = capture.retrieve()
                if not good:
                    break
                if not any_picture:
                    self._opened += 1
                any_picture = True
                with self._fresh:
                    self._received += 1
                    self._newest = Frame(picture, self._received, time.monotonic())
                    self._fresh.notify_all()
        finally:
            capture.release()
        return any_picture

    def _open_parameters(self) -> list[int]:
        parameters = [
            *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, int(self._open_timeout * 1000)),
            *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, int(self._read_timeout * 1000)),
        ]
        # one decoding thread: FFmpeg holds back one picture for each further one
        threads = getattr(cv2, "CAP_PROP_N_THREADS", None)
        return parameters if threads is None else [*parameters, threads, 1]
