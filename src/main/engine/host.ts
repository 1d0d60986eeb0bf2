/**
 * The few things only a desktop shell can do. Two implementations: `host/electron.ts` and `host/headless.ts`.
 * The engine knows nothing else of the world it runs in.
 */
export interface Host {
  readonly shell: 'desktop' | 'browser';
  /** Global hotkeys; null where the shell has no way to listen for any. */
  readonly hotkeys: HotkeyService | null;
  /** Pictures of what can be captured, by source id, as JPEG or PNG; undefined where the engine has to grab them itself. */
  readonly thumbnails?: (signal: AbortSignal) => Promise<ReadonlyMap<string, Uint8Array>>;
  /** The system's protection of secrets; absent where the shell knows none. */
  readonly secrets?: SecretBox;
  openFolder(folder: string): Promise<void>;
  revealFile(file: string): Promise<void>;
  /** A notification of the desktop; silently nothing where there is none. */
  notify(title: string, body: string): void;
  /** Moves a file to the system's trash. Errors: rejects and leaves the file where it is. */
  moveToTrash(file: string): Promise<void>;
  /** Starts one of our own built modules as a Node child (fork, or Electron's utilityProcess). */
  forkNode(modulePath: string, args: readonly string[]): NodeChild;
  /** Lets go of what the shell holds (hotkeys, a connection to the display). */
  close?(): Promise<void>;
}

/** Seals texts so that only this user of this computer opens them again. Errors: both reject with the system's own. */
export interface SecretBox {
  /** False where there is no protection worth the name. */
  available(): Promise<boolean>;
  seal(text: string): Promise<Uint8Array>;
  open(sealed: Uint8Array): Promise<string>;
}

/** A global hotkey in Electron's accelerator grammar (`Accelerator` in the contract). */
export interface HotkeyService {
  /**
   * Resolves once the key is really ours. Errors: `StudioError` `hotkey-unavailable` when another program holds it
   * or the system knows no such key.
   */
  register(accelerator: string, onPress: () => void): Promise<HotkeyRegistration>;
}
export interface HotkeyRegistration {
  release(): Promise<void>;
}

/** A Node child with a JSON message channel. */
export interface NodeChild {
  readonly pid: number | undefined;
  postMessage(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  /** Lines of stderr and stdout. */
  onLine(listener: (line: string) => void): void;
  onExit(listener: (exit: { code: number | null; signal: string | null }) => void): void;
  /** SIGTERM where there are signals. */
  terminate(): void;
  kill(): void;
}
