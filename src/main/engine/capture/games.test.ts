import { describe, expect, it } from 'vitest';
import { gameOf } from './games.ts';

/**
 * Steam's numbers as the reports of ValveSoftware/Proton name them (issue in the last column), executables as players' tools look for them:
 * `acs.exe`, `AC2-Win64-Shipping.exe`, `iRacingSim64DX11.exe`, `Le Mans Ultimate.exe` are in many public telemetry readers.
 */
const BY_STEAM = [
  [244210, 'Assetto Corsa', 'Proton#148'],
  [805550, 'Assetto Corsa Competizione', 'Proton#1420'],
  [3058630, 'Assetto Corsa EVO', 'Proton#8395'],
  [365960, 'rFactor 2', 'Proton#245'],
  [1066890, 'Automobilista 2', 'Proton#4667'],
  [284160, 'BeamNG.drive', 'Proton#1237'],
  [2399420, 'Le Mans Ultimate', 'Proton#9969'],
  [211500, 'RaceRoom', 'Proton#1321'],
  [1551360, 'Forza Horizon', 'Proton#5285'],
  [1293830, 'Forza Horizon', 'Proton#4667'],
  [2440510, 'Forza Motorsport', 'Proton#7151'],
  [690790, 'DiRT Rally 2.0', 'Proton#2366'],
  [378860, 'Project CARS 2', 'Proton#908'],
] as const;

describe('the game', () => {
  it.each(BY_STEAM)('is known by the class steam_app_%i: %s (%s)', (id, name) => {
    expect(gameOf({ title: 'anything', classes: [`steam_app_${id}`, `steam_app_${id}`] })).toBe(name);
  });

  it.each([
    ['acs.exe', 'Assetto Corsa'],
    ['ACS.EXE', 'Assetto Corsa'],
    ['acs_x86.exe', 'Assetto Corsa'],
    ['AC2-Win64-Shipping.exe', 'Assetto Corsa Competizione'],
    // as the kernel cuts it
    ['AC2-Win64-Shipp', 'Assetto Corsa Competizione'],
    ['C:\\Steam\\steamapps\\common\\assettocorsa\\acs.exe', 'Assetto Corsa'],
    ['AssettoCorsaEVO.exe', 'Assetto Corsa EVO'],
    ['rFactor2.exe', 'rFactor 2'],
    ['iRacingSim64DX11.exe', 'iRacing'],
    ['AMS2AVX.exe', 'Automobilista 2'],
    ['BeamNG.drive.x64.exe', 'BeamNG.drive'],
    ['BeamNG.drive.x64', 'BeamNG.drive'],
    ['Le Mans Ultimate.exe', 'Le Mans Ultimate'],
    ['RRRE64.exe', 'RaceRoom'],
    ['F1_24.exe', 'F1'],
    ['ForzaHorizon5.exe', 'Forza Horizon'],
    ['WRC.exe', 'EA SPORTS WRC'],
    ['dirtrally2.exe', 'DiRT Rally 2.0'],
  ])('is known by its program %s', (executable, name) => {
    expect(gameOf({ title: '', executable })).toBe(name);
  });

  it.each([
    ['Assetto Corsa', 'Assetto Corsa'],
    ['  assetto   corsa ', 'Assetto Corsa'],
    ['AC2  ', 'Assetto Corsa Competizione'],
    ['Assetto Corsa EVO', 'Assetto Corsa EVO'],
    ['iRacing.com Simulator', 'iRacing'],
    ['BeamNG.drive - 0.33.3.0.17971 - RELEASE - x64', 'BeamNG.drive'],
    ['RaceRoom Racing Experience', 'RaceRoom'],
    ['F1® 24', 'F1'],
    ['F1 2021', 'F1'],
    ['Forza Horizon 5', 'Forza Horizon'],
    ['Automobilista 2', 'Automobilista 2'],
    ['EA SPORTS™ WRC', 'EA SPORTS WRC'],
  ])('is known by its whole title "%s"', (title, name) => {
    // under Wine and CrossOver the window's program may be unknown
    expect(gameOf({ title, classes: ['wine'] })).toBe(name);
  });

  it.each([
    ['Assetto Corsa - YouTube - Mozilla Firefox', ['firefox', 'Navigator'], 'firefox'],
    ['Assetto Corsa', ['google-chrome', 'Google-chrome'], 'chrome'],
    ['Assetto Corsa', ['chromium'], undefined],
    ['Assetto Corsa Wiki', [], undefined],
    ['Assetto Corsa - a wiki page', [], undefined],
    ['How to install Assetto Corsa', [], undefined],
    ['Assetto Corsa', ['org.gnome.Nautilus'], 'nautilus'],
    ['Assetto Corsa', ['Steam', 'steamwebhelper'], 'steamwebhelper'],
    ['Content Manager', ['steam_app_244210'], 'Content Manager.exe'],
    ['Assetto Corsa', ['steam_app_244210'], 'AssettoCorsa.exe'],
    ['iRacing', ['steam_app_266410'], 'iRacingUI.exe'],
    ['rFactor 2 Launcher', ['steam_app_365960'], 'rFactor2 Launcher.exe'],
    ['Wine configuration', ['steam_app_244210'], 'winecfg.exe'],
    ['AC2.txt', ['gedit'], 'gedit'],
    ['Terminal', ['xterm'], 'bash'],
    ['Forza Horizon 5 Wheel Settings', [], undefined],
    ['F1 24 telemetry', [], 'SimHubWPF.exe'],
    ['', [], undefined],
  ] as const)('is not "%s" of %j (%s)', (title, classes, executable) => {
    expect(gameOf({ title, classes, executable })).toBeUndefined();
  });

  it('may be called by an unknown program: the title decides', () => {
    expect(gameOf({ title: 'Assetto Corsa', classes: ['test-window', 'TestWindow'], executable: 'node' })).toBe(
      'Assetto Corsa',
    );
  });
});
