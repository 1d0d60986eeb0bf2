/**
 * The part of the `x11` package (4.2.2, no types of its own) that we use, written from its lib/corereqs.js, lib/xcore.js,
 * lib/generated/core-events.js, lib/ext/composite.js and lib/ext/randr.js.
 *
 * Every request with a reply calls back `(error, reply)`; returning true says that the error was handled, otherwise the client also
 * emits it. After the connection is lost callbacks are simply never called.
 */
declare module 'x11' {
  import type { EventEmitter } from 'node:events';
  import type { Socket } from 'node:net';

  export interface XRequestError extends Error {
    /** protocol error code: 3 BadWindow, 8 BadMatch, 9 BadDrawable, 10 BadAccess; absent on errors of the socket */
    error?: number;
    /** full sequence number of the failed request */
    seq?: number;
    badParam?: number;
    majorOpcode?: number;
    minorOpcode?: number;
  }
  export type XReply<T> = (error: XRequestError | null | undefined, reply: T) => boolean;

  export interface XKeyEvent {
    name: 'KeyPress' | 'KeyRelease';
    keycode: number;
    /** server time, milliseconds, wraps at 2^32 */
    time: number;
    root: number;
    wid: number;
    /** modifier and button state before the event */
    buttons: number;
  }
  export interface XStructureEvent {
    name: 'DestroyNotify' | 'UnmapNotify' | 'MapNotify' | 'ReparentNotify';
    /** the window the event was selected on; `wid` is the one it is about */
    event: number;
    wid: number;
  }
  export interface XCreateEvent {
    name: 'CreateNotify';
    parent: number;
    wid: number;
  }
  export interface XConfigureEvent {
    name: 'ConfigureNotify';
    /** the window the event was selected on; `wid1` is the one it is about */
    wid: number;
    wid1: number;
    width: number;
    height: number;
  }
  export interface XPropertyEvent {
    name: 'PropertyNotify';
    wid: number;
    atom: number;
  }
  export interface XMappingEvent {
    name: 'MappingNotify';
    /** 0 modifiers, 1 keyboard, 2 pointer */
    request: number;
  }
  export interface XClientMessageEvent {
    name: 'ClientMessage';
    wid: number;
    message_type: number;
    /** five values of 32 bits, or more of fewer */
    data: number[];
  }
  export interface XIgnoredEvent {
    name: 'Expose' | 'NoExposure' | 'GravityNotify' | 'CirculateNotify' | 'KeymapNotify' | undefined;
  }
  export type XEvent =
    | XKeyEvent
    | XStructureEvent
    | XCreateEvent
    | XConfigureEvent
    | XPropertyEvent
    | XMappingEvent
    | XClientMessageEvent
    | XIgnoredEvent;

  export interface XWindowAttributes {
    /** 1 InputOutput, 2 InputOnly */
    klass: number;
    /** 0 Unmapped, 1 Unviewable, 2 Viewable */
    mapState: number;
    overrideRedirect: number;
  }
  export interface XGeometry {
    xPos: number;
    yPos: number;
    width: number;
    height: number;
    borderWidth: number;
  }
  export interface XProperty {
    /** atom of the property's type, 0 if there is no such property */
    type: number;
    format: number;
    bytesAfter: number;
    data: Buffer;
  }
  export interface XWindowValues {
    eventMask?: number;
    backgroundPixel?: number;
    overrideRedirect?: 0 | 1;
  }

  export interface XScreen {
    root: number;
    pixel_width: number;
    pixel_height: number;
    white_pixel: number;
    black_pixel: number;
  }
  export interface XDisplay {
    client: XClient;
    screen: XScreen[];
    min_keycode: number;
    max_keycode: number;
  }

  export interface XComposite {
    majorOpcode: number;
    Redirect: { Automatic: 0; Manual: 1 };
    RedirectWindow(window: number, update: 0 | 1): void;
    // UnredirectWindow is left out: 4.2.2 sends it without its update field, which the server refuses (BadLength).
  }
  export interface XRandr {
    /** version the server speaks; missing where it did not answer */
    major_version?: number;
    minor_version?: number;
    GetScreenResourcesCurrent(
      window: number,
      reply: XReply<{ config_timestamp: number; crtcs: number[]; outputs: number[] }>,
    ): void;
    GetCrtcInfo(
      crtc: number,
      configTimestamp: number,
      reply: XReply<{
        status: number;
        x: number;
        y: number;
        width: number;
        height: number;
        mode: number;
        output: number[];
      }>,
    ): void;
    GetOutputInfo(
      output: number,
      configTimestamp: number,
      reply: XReply<{ crtc: number; connection: number; name: string }>,
    ): void;
    GetOutputPrimary(window: number, reply: XReply<number>): void;
  }

  export interface XClient extends EventEmitter {
    /** present once the transport is connected */
    stream?: Socket;
    /** number of the request sent last */
    seq_num: number;
    /**
     * Cache of InternAtom. The package fills one object for all connections, so numbers of one server are taken for another's; give each
     * client an object of its own before asking.
     */
    atoms: Record<string, number>;
    /** where requests are written that the package has not, or has wrong: count `seq_num` up, `put` the bytes, `submit` */
    pack_stream: { put(request: Buffer): unknown; submit(expectsReply?: boolean): boolean };
    AllocID(): number;
    require(name: 'composite', reply: (error: Error | null | undefined, extension: XComposite) => void): void;
    require(name: 'randr', reply: (error: Error | null | undefined, extension: XRandr) => void): void;
    /** flushes and half-closes the transport */
    terminate(): void;

    InternAtom(onlyIfExists: boolean, name: string, reply: XReply<number>): void;
    QueryTree(window: number, reply: XReply<{ root: number; parent: number; children: number[] }>): void;
    GetWindowAttributes(window: number, reply: XReply<XWindowAttributes>): void;
    GetGeometry(drawable: number, reply: XReply<XGeometry>): void;
    TranslateCoordinates(
      source: number,
      destination: number,
      x: number,
      y: number,
      reply: XReply<{ destX: number; destY: number }>,
    ): void;
    /** offset and length in units of four bytes; type 0 is any */
    GetProperty(
      remove: 0 | 1,
      window: number,
      property: number,
      type: number,
      offset: number,
      length: number,
      reply: XReply<XProperty>,
    ): void;
    GetInputFocus(reply: XReply<{ focus: number }>): void;
    /** one row of keysyms for each keycode from `first` */
    GetKeyboardMapping(first: number, count: number, reply: XReply<number[][]>): void;
    /** eight rows of keycodes: Shift, Lock, Control, Mod1 to Mod5 */
    GetModifierMapping(reply: XReply<number[][]>): void;
    ChangeKeyboardMapping(firstKeycode: number, keysymsPerKeycode: number, keysyms: readonly number[]): void;

    GrabKey(
      window: number,
      ownerEvents: 0 | 1,
      modifiers: number,
      keycode: number,
      pointerMode: 0 | 1,
      keyboardMode: 0 | 1,
    ): void;
    UngrabKey(window: number, keycode: number, modifiers: number): void;

    CreateWindow(
      id: number,
      parent: number,
      x: number,
      y: number,
      width: number,
      height: number,
      borderWidth: number,
      depth: number,
      klass: number,
      visual: number,
      values: XWindowValues,
    ): void;
    ChangeWindowAttributes(window: number, values: XWindowValues): void;
    /** mode 0 replaces; `format` is 8, 16 or 32 bits */
    ChangeProperty(
      mode: 0,
      window: number,
      property: number,
      type: number,
      format: 8 | 16 | 32,
      data: Buffer | readonly number[] | string,
    ): void;
    /** `event` is the 32 bytes of the event as they travel */
    SendEvent(destination: number, propagate: 0 | 1, eventMask: number, event: Buffer): void;
    MapWindow(window: number): void;
    UnmapWindow(window: number): void;
    DestroyWindow(window: number): void;
    MoveWindow(window: number, x: number, y: number): void;
    ResizeWindow(window: number, width: number, height: number): void;
    RaiseWindow(window: number): void;
    /** paints the background; width and height 0 reach to the edge */
    ClearArea(window: number, x: number, y: number, width: number, height: number, exposures: 0 | 1): void;
  }

  export interface XClientOptions {
    display: string;
    /** false keeps the transport an ordinary socket */
    shm?: boolean;
    disableBigRequests?: boolean;
    bufferRequests?: boolean;
    /** overrides what the Xauthority file says */
    auth?: { name: string; data: string };
  }

  const x11: {
    /** Throws on a display name it cannot parse. */
    createClient(
      options: XClientOptions,
      ready: (error: Error | null | undefined, display: XDisplay | undefined) => void,
    ): XClient;
    parseDisplay(display: string): { displayNum: string | number; screenNum: string | number };
    eventMask: Readonly<
      Record<
        'KeyPress' | 'StructureNotify' | 'SubstructureNotify' | 'SubstructureRedirect' | 'PropertyChange' | 'Exposure',
        number
      >
    >;
  };
  export default x11;
}
