"""A window that flashes white while a tone of 1 kHz sounds, a tenth of a second in every second, until it is ended.

The moment a sample is heard at is what libpulse says of its output, and the window is filled at that moment, so picture and sound belong
together to within a few milliseconds. A player would do it too, but mpv draws some 35 ms late under Xvfb.

Usage: flash_beep.py SINK TITLE WIDTH HEIGHT
"""

import ctypes
import math
import struct
import sys
import threading
import time

RATE = 48000
CHUNK = 480

x11 = ctypes.CDLL('libX11.so.6')
x11.XOpenDisplay.restype = ctypes.c_void_p
x11.XDefaultRootWindow.argtypes = [ctypes.c_void_p]
x11.XDefaultRootWindow.restype = ctypes.c_ulong
x11.XCreateSimpleWindow.argtypes = [ctypes.c_void_p, ctypes.c_ulong, *[ctypes.c_int] * 2, *[ctypes.c_uint] * 3, *[ctypes.c_ulong] * 2]
x11.XCreateSimpleWindow.restype = ctypes.c_ulong
x11.XStoreName.argtypes = [ctypes.c_void_p, ctypes.c_ulong, ctypes.c_char_p]
x11.XSetWindowBackground.argtypes = [ctypes.c_void_p, ctypes.c_ulong, ctypes.c_ulong]
x11.XSync.argtypes = [ctypes.c_void_p, ctypes.c_int]
for name in ('XMapWindow', 'XClearWindow'):
    getattr(x11, name).argtypes = [ctypes.c_void_p, ctypes.c_ulong]

pulse = ctypes.CDLL('libpulse-simple.so.0')
pulse.pa_simple_new.restype = ctypes.c_void_p
pulse.pa_simple_write.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p]
pulse.pa_simple_get_latency.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
pulse.pa_simple_get_latency.restype = ctypes.c_uint64


class Spec(ctypes.Structure):
    _fields_ = [('format', ctypes.c_int), ('rate', ctypes.c_uint32), ('channels', ctypes.c_uint8)]


class Buffering(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint32) for name in ('maxlength', 'tlength', 'prebuf', 'minreq', 'fragsize')]


def chunk(first_frame):
    """One chunk of the tone, whose first frame is this one of it; silence for None."""
    if first_frame is None:
        return bytes(CHUNK * 4)
    tone = [int(16000 * math.sin(2 * math.pi * 1000 * (first_frame + i) / RATE)) for i in range(CHUNK)]
    return b''.join(struct.pack('<hh', value, value) for value in tone)


def main():
    sink, title, width, height = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    display = x11.XOpenDisplay(None)
    if not display:
        sys.exit('no display')
    window = x11.XCreateSimpleWindow(display, x11.XDefaultRootWindow(display), 0, 0, width, height, 0, 0, 0x202020)
    x11.XStoreName(display, window, title.encode())
    x11.XMapWindow(display, window)
    x11.XSync(display, 0)

    def fill(colour):
        x11.XSetWindowBackground(display, window, colour)
        x11.XClearWindow(display, window)
        x11.XSync(display, 0)

    def flash(at):
        time.sleep(max(0, at - time.monotonic()))
        fill(0xFFFFFF)
        time.sleep(max(0, at + 0.1 - time.monotonic()))
        fill(0x202020)

    spec = Spec(3, RATE, 2)
    wanted = Buffering(2**32 - 1, CHUNK * 4 * 8, 2**32 - 1, CHUNK * 4, 2**32 - 1)
    error = ctypes.c_int(0)
    stream = pulse.pa_simple_new(
        None, b'flash and beep', 1, sink.encode(), b'beep', ctypes.byref(spec), None, ctypes.byref(wanted), ctypes.byref(error)
    )
    if not stream:
        sys.exit(f'no sound server: {error.value}')
    silence = chunk(None)
    beep = [chunk(CHUNK * i) for i in range(10)]
    following = time.monotonic() + 1
    left = []
    while True:
        heard = time.monotonic() + pulse.pa_simple_get_latency(stream, ctypes.byref(error)) / 1e6
        if not left and heard >= following:
            left = list(beep)
            threading.Thread(target=flash, args=(heard,), daemon=True).start()
            # not in step with the pictures of a capture
            following = heard + 1.013
        data = left.pop(0) if left else silence
        if pulse.pa_simple_write(stream, data, len(data), ctypes.byref(error)) < 0:
            sys.exit(f'the sound server was lost: {error.value}')


main()
