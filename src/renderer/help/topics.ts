/** One heading of the guide: `docs/GUIDE.md` has the same words below the same heading, which a test holds it to. */
export type HelpTopic = {
  /** the heading's anchor in docs/GUIDE.md */
  readonly anchor: string;
  readonly title: string;
  /** `platform` of `AppInfo` it is about; absent for all */
  readonly platform?: 'linux' | 'darwin' | 'win32';
  readonly paragraphs: readonly string[];
};

export const HELP_TOPICS: readonly HelpTopic[] = [
  {
    anchor: 'before-the-first-race',
    title: 'Before the first race',
    paragraphs: [
      'Start the game, choose its window in Pitwall and press Start streaming. Then press "Test my setup" once while nothing is streamed: it measures this computer and recommends a picture size, a frame rate and an encoder.',
      'Pitwall was tested by us on Linux with X11 only. What is said here of macOS, Windows, CrossOver, Proton and Wayland comes from their documentation and from ffmpeg, and was not tried by us.',
    ],
  },
  {
    anchor: 'window-mode',
    title: 'Window mode: borderless or windowed',
    paragraphs: [
      'Run the game borderless or in a window, not in exclusive fullscreen. In exclusive fullscreen the game owns the screen: captures of its window can turn black, and switching to another program can pause it. In Assetto Corsa it is under Settings, Video: switch fullscreen off.',
      'Leave the window open while you stream. A minimised window draws nothing; Pitwall waits and goes on when it is shown again. On Linux with X11 a covered window stays whole; on macOS and with the older ways of Windows a window is cut out of its screen, so what lies above it is seen as well.',
    ],
  },
  {
    anchor: 'linux-with-proton',
    title: 'Assetto Corsa on Linux with Proton',
    platform: 'linux',
    paragraphs: [
      'Install Assetto Corsa in Steam and let Steam Play (Proton) run it. Pitwall knows the window by its title, by acs.exe or by the class that Proton gives it, and puts it first in the list.',
      'Under X11 no permission is needed. Under Wayland only programs that run through XWayland, which Proton games do, can be captured as windows; native Wayland windows and whole Wayland screens need the desktop portal. A black screen with visible windows is the sign.',
      'For a graphics card that encodes, VAAPI needs read and write access to /dev/dri/renderD128 (group render or video on most systems), NVENC needs the NVIDIA driver with its encode library.',
    ],
  },
  {
    anchor: 'macos-with-crossover',
    title: 'Assetto Corsa on macOS with CrossOver',
    platform: 'darwin',
    paragraphs: [
      'Assetto Corsa is a Windows program. CrossOver by CodeWeavers installs it with Steam in a bottle of its own; start Steam from that bottle, sign in and start the game from there. Pitwall captures the window as any other.',
      'macOS asks for Screen Recording the first time. Without it a capture does not fail: it shows the desktop without windows, or nothing but black. Allow it in System Settings, Privacy & Security, Screen Recording, for Pitwall, or for the terminal that started it, and start that program again.',
      'Hotkeys may need Accessibility (Privacy & Security, Accessibility), the microphone and cameras each their own permission. A hotkey that works in Pitwall and not in the game, and a microphone that is silent, are the signs. macOS gives no desktop sound to ffmpeg: a virtual sound device such as BlackHole carries it.',
    ],
  },
  {
    anchor: 'windows',
    title: 'Assetto Corsa on Windows',
    platform: 'win32',
    paragraphs: [
      'No permission is asked for. Pitwall takes the newest way to capture that your ffmpeg has: gfxcapture, then ddagrab, then gdigrab. gdigrab sees nothing of some games that draw with the graphics card, and shows black; a newer ffmpeg is the way out.',
      'A game that runs as administrator swallows hotkeys of programs that do not. Start the game as an ordinary user, or Pitwall as administrator too. If a hotkey works on the desktop and not in the game, this is the likely cause.',
      'On a laptop with two graphics chips, the capture of a screen has to run on the chip that draws it. If it stays black, set the game and ffmpeg to the same one in Settings, System, Display, Graphics.',
    ],
  },
  {
    anchor: 'black-picture',
    title: 'The picture is black',
    paragraphs: [
      'Pitwall looks at the picture and says within three seconds when it is black, with the likely cause on this system. Where there is another way to capture the same thing that shows nothing else, it tries it by itself.',
      'In this order: show the window (not minimised), leave exclusive fullscreen, give the permission for screen recording, switch HDR off for the game, and capture the whole screen instead of the window.',
    ],
  },
  {
    anchor: 'no-sound',
    title: 'There is no sound',
    paragraphs: [
      'The stream always has a sound track; it is silent when nothing is captured. Settings, Sound shows the devices and which one is heard. On Linux a sound server (PulseAudio or PipeWire with pipewire-pulse) has to run for your user.',
      'If sound comes early or late, shift it in the settings: positive when sound is early. The setup test does not measure this offset by itself.',
    ],
  },
  {
    anchor: 'encoder',
    title: 'The encoder is too slow or fails',
    paragraphs: [
      'Speed below 1 means that the stream falls behind. Choose a smaller picture, 30 instead of 60 pictures per second, or an encoder of the graphics card, which leaves the processor to the game. "Test my setup" says how many times real time each one is here; 1.5 is enough.',
      'An encoder that fails is replaced by the next one by itself and says why: a missing or old driver, or other programs that use all of its sessions.',
    ],
  },
  {
    anchor: 'frames-in-python',
    title: 'Frames in Python',
    paragraphs: [
      'While streaming, the live address is read by OpenCV with cv2.VideoCapture. The Live stream card has the lines ready to copy, with the options that keep frames young: without them OpenCV starts seconds behind. The folder examples/python has whole programs.',
    ],
  },
];
