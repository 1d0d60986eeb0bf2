/** Texts that make other programs read the live address; the only place they are written. */

/**
 * What FFmpeg is told inside OpenCV, as `OPENCV_FFMPEG_CAPTURE_OPTIONS` takes it: open after a look at the first 200 ms (`npm run bench
 * -- readers` measures it). examples/python has the same.
 */
export const OPENCV_OPTIONS = 'analyzeduration;200000|probesize;500000';

/** Arguments with which the players are as fresh as they can be. */
export const PLAYERS = {
  ffplay: ['-fflags', 'nobuffer', '-flags', 'low_delay', '-framedrop', '-sync', 'ext'],
  mpv: ['--profile=low-latency', '--untimed', '--no-cache'],
} as const;

export type SnippetId = 'url' | 'opencv' | 'pyav' | 'ffplay' | 'mpv' | 'vlc';
export type Snippet = {
  readonly id: SnippetId;
  readonly title: string;
  /** one sentence that helps to choose it, or to use it */
  readonly note: string;
  readonly text: string;
};

/** The address as it is shown while the play key is hidden: pasted like this it opens nothing. */
export const HIDDEN_KEY = '…';

/** The address readers open; a play key goes into its query, as the RTMP server takes it. */
export const playAddress = (url: string, playKey: string): string => (playKey === '' ? url : `${url}?key=${playKey}`);

/** `|`, `;`, `&` and `?` mean something to every shell: single quotes hide them; cmd.exe takes double ones only. */
const quoted = (text: string, platform: string): string => (platform === 'win32' ? `"${text}"` : `'${text}'`);

const pairs = OPENCV_OPTIONS.split('|').map((pair) => pair.split(';'));
const asDictionary = pairs.map(([name = '', value = '']) => `"${name}": "${value}"`).join(', ');

const openCv = (address: string): string => `import os
# open at once; has to be set before the stream is opened
options = "${OPENCV_OPTIONS}"
os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", options)
import cv2

stream = cv2.VideoCapture("${address}", cv2.CAP_FFMPEG)
while True:
    good, picture = stream.read()
    if not good:
        break
    # picture: height x width x 3, blue green red
    print(picture.shape)
stream.release()
`;

/** Not `options=`: Debian 12's PyAV 10.0.0 crashes with it on a live stream (measured). */
const pyAv = (address: string): string => `import av

options = {${asDictionary}}
address = "${address}"
with av.open(address, container_options=options, timeout=(5.0, 3.0)) as stream:
    stream.streams.video[0].thread_type = "SLICE"
    for frame in stream.decode(video=0):
        picture = frame.to_ndarray(format="bgr24")
        print(picture.shape)
`;

/**
 * Everything the panel offers, in its order. `platform` is the one of the studio (Node's names): the commands are quoted for its shell.
 */
export function snippets(address: string, platform: string): readonly Snippet[] {
  const url = quoted(address, platform);
  return [
    {
      id: 'url',
      title: 'Address',
      note: 'For OBS (Media Source), GStreamer and everything else that opens RTMP.',
      text: address,
    },
    {
      id: 'opencv',
      title: 'Python with OpenCV',
      note: 'Read every picture, or old ones queue up. examples/python/live_frames.py does that for slow programs and reconnects.',
      text: openCv(address),
    },
    { id: 'pyav', title: 'Python with PyAV', note: 'The same pictures without OpenCV.', text: pyAv(address) },
    {
      id: 'ffplay',
      title: 'ffplay',
      note: 'Comes with ffmpeg. Without these options it shows pictures that are seconds old.',
      text: `ffplay ${PLAYERS.ffplay.join(' ')} ${url}`,
    },
    {
      id: 'mpv',
      title: 'mpv',
      note: 'Shows each picture as soon as it comes.',
      text: `mpv ${PLAYERS.mpv.join(' ')} ${url}`,
    },
    {
      id: 'vlc',
      title: 'VLC',
      note: 'VLC holds back what it shows; less than this and it stutters.',
      text: `vlc --network-caching=200 ${url}`,
    },
  ];
}
