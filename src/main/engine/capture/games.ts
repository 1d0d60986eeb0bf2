/** What is known of a window's program, as far as the system tells. */
export type Program = {
  title: string;
  /** X11's WM_CLASS, or the bundle of a Mac program */
  classes?: readonly (string | undefined)[];
  /** name of the running program, `acs.exe`; the kernel cuts it at 15 bytes on Linux */
  executable?: string | undefined;
};

type Game = {
  name: string;
  /** whole titles, without marks such as ® and in any case */
  titles: RegExp;
  /** without `.exe`, in any case */
  executables: readonly string[];
  /** Steam's numbers: Proton gives its windows the class `steam_app_N` */
  steam: readonly number[];
};

/**
 * The games people race in. Numbers are those of store.steampowered.com/app/N; executables as SimHub, CrewChief and the games' own folders
 * name them. More special names first.
 */
const GAMES: readonly Game[] = [
  {
    name: 'Assetto Corsa Competizione',
    // its window says no more than "AC2" and spaces
    titles: /^(assetto corsa competizione|ac2)$/,
    executables: ['acc', 'ac2-win64-shipping'],
    steam: [805550],
  },
  {
    name: 'Assetto Corsa EVO',
    titles: /^assetto ?corsa ?evo$/,
    executables: ['assettocorsaevo'],
    steam: [3058630],
  },
  { name: 'Assetto Corsa', titles: /^assetto corsa$/, executables: ['acs', 'acs_x86', 'acs_pro'], steam: [244210] },
  { name: 'rFactor 2', titles: /^rfactor ?2$/, executables: ['rfactor2'], steam: [365960] },
  {
    name: 'iRacing',
    titles: /^iracing\.com simulator$/,
    executables: ['iracingsim64dx11', 'iracingsim64dx12', 'iracingsimdx11'],
    steam: [266410],
  },
  { name: 'Automobilista 2', titles: /^automobilista 2$/, executables: ['ams2', 'ams2avx'], steam: [1066890] },
  {
    name: 'BeamNG.drive',
    titles: /^beamng\.drive( - \d.*)?$/,
    executables: ['beamng.drive.x64', 'beamng.drive.x86'],
    steam: [284160],
  },
  { name: 'Le Mans Ultimate', titles: /^le mans ultimate$/, executables: ['le mans ultimate'], steam: [2399420] },
  {
    name: 'RaceRoom',
    titles: /^raceroom( racing experience)?$/,
    executables: ['rrre', 'rrre64'],
    steam: [211500],
  },
  {
    name: 'F1',
    titles: /^f1 (20)?\d\d$/,
    executables: [
      'f1_2019',
      'f1_2020',
      'f1_2021',
      'f1_22',
      'f1_23',
      'f1_24',
      'f1_25',
      'f1_2019_dx12',
      'f1_2020_dx12',
      'f1_2021_dx12',
    ],
    steam: [928600, 1080110, 1134570, 1692250, 2108330, 2488620, 3059520],
  },
  {
    name: 'Forza Horizon',
    titles: /^forza horizon [3-6]$/,
    executables: ['forzahorizon4', 'forzahorizon5', 'forzahorizon6'],
    steam: [1293830, 1551360],
  },
  {
    name: 'Forza Motorsport',
    titles: /^forza motorsport( 7)?$/,
    executables: ['forzamotorsport7', 'forza_steamworks_release_final'],
    steam: [2440510],
  },
  { name: 'EA SPORTS WRC', titles: /^(ea sports )?wrc$/, executables: ['wrc'], steam: [1849250] },
  { name: 'DiRT Rally 2.0', titles: /^dirt ?rally 2\.0$/, executables: ['dirtrally2'], steam: [690790] },
  { name: 'DiRT Rally', titles: /^dirt ?rally$/, executables: ['drt'], steam: [310560] },
  { name: 'Project CARS 2', titles: /^project cars 2$/, executables: ['pcars2', 'pcars2avx'], steam: [378860] },
  { name: 'Automobilista', titles: /^automobilista$/, executables: ['ams'], steam: [431600] },
  { name: 'Live for Speed', titles: /^live for speed$/, executables: ['lfs'], steam: [] },
];

/** Programs that show a game's name or start it, and are not the game: by executable or class, without `.exe`. */
const NO_GAME: readonly RegExp[] = [
  // browsers
  /^(firefox|librewolf|waterfox|floorp|zen|tor-browser|navigator|google-chrome|chrome|chromium|brave|vivaldi|opera|microsoft-edge|msedge|epiphany|falkon|konqueror|qutebrowser|safari|arc)(-.*|_.*|\..*)?$/,
  // launchers of these games
  /^(steam|steamwebhelper|content manager( safe)?|assettocorsa|acmanager|iracingui|lutris|heroic|bottles|crossover|epicgameslauncher|eadesktop|ealauncher|launch_.*|.*launcher|simhub.*|crewchief.*)$/,
  // files, texts, talk, films, other recorders
  /^(nautilus|org\.gnome\..*|dolphin|thunar|nemo|pcmanfm.*|caja|explorer|finder|.*terminal.*|konsole|xterm|kitty|alacritty|code|code-.*|gedit|kate|notepad.*|discord|slack|telegram.*|vlc|mpv|totem|obs|obs64|obs-studio|com\.obsproject\.studio|pitwall|evince|okular)$/,
];

/** Linux keeps 15 bytes of a program's name (proc(5)). */
const COMM_BYTES = 15;

const plain = (text: string): string =>
  text
    .replace(/[®™©]|\((r|tm)\)/giu, '')
    .normalize('NFKC')
    .replace(/\s+/g, ' ')
    .trim()
    .toLowerCase();

const bare = (executable: string): string =>
  plain(executable)
    .replace(/^.*[\\/]/, '')
    .replace(/\.exe$/, '');

const isExecutable = (game: Game, name: string, cut: boolean): boolean =>
  game.executables.some((known) => known === name || (cut && `${known}.exe`.slice(0, COMM_BYTES) === name));

/**
 * The game a window belongs to, by program, Proton's class or whole title. A browser, wiki, folder or launcher that shows the same name is none.
 * Where the program is known to be another `.exe` (the launcher inside Proton has the game's class), the class does not count.
 */
export function gameOf({ title, classes = [], executable }: Program): string | undefined {
  const program = executable === undefined ? undefined : bare(executable);
  const named = classes.flatMap((name) => (name === undefined ? [] : [bare(name)]));
  if ([...named, ...(program === undefined ? [] : [program])].some((name) => NO_GAME.some((other) => other.test(name))))
    return undefined;
  if (executable !== undefined && program !== undefined) {
    const cut = Buffer.byteLength(executable) >= COMM_BYTES;
    const found = GAMES.find((game) => isExecutable(game, program, cut));
    if (found) return found.name;
  }
  const text = plain(title);
  const titled = GAMES.find((game) => game.titles.test(text));
  if (titled) return titled.name;
  if (executable !== undefined && /\.exe$/i.test(executable)) return undefined;
  const steam = named.flatMap((name) => /^steam_app_(\d+)$/.exec(name)?.[1] ?? []).map(Number);
  return GAMES.find((game) => game.steam.some((id) => steam.includes(id)))?.name;
}
