import { expect, test } from 'vitest';
import type { Source } from '../../../contract/index.ts';
import { parseRegion, regionSource } from './region.ts';
import { selectSource } from './select.ts';

const screen = (index: number, width: number, height: number): Source => ({
  id: `screen:${index}`,
  kind: 'screen',
  name: `Screen ${index + 1}`,
  width,
  height,
  suggested: false,
  available: true,
});
const screens = [screen(0, 1920, 1080), screen(1, 2560, 1440)];

test('a region is written with or without its screen', () => {
  expect(parseRegion('region:10,20,640x360')).toEqual({ screen: 0, x: 10, y: 20, width: 640, height: 360 });
  expect(parseRegion('region:1:0,0,2560x1440')).toEqual({ screen: 1, x: 0, y: 0, width: 2560, height: 1440 });
  for (const other of [
    'region:',
    'region:1,2',
    'region:-1,0,10x10',
    'region:1:2:3,4,5x6',
    'screen:0',
    'region:1,2,3x4;5',
  ])
    expect(parseRegion(other)).toBeUndefined();
});

test('it becomes a source with an id that names its screen', () => {
  expect(selectSource('region:10,20,640x360', screens)).toMatchObject({
    id: 'region:0:10,20,640x360',
    kind: 'screen',
    width: 640,
    height: 360,
    available: true,
  });
  expect(selectSource('region:1:0,0,2560x1440', screens)).toMatchObject({ id: 'region:1:0,0,2560x1440' });
});

test('what does not lie on its screen is refused', () => {
  const refused = (selector: string): unknown => {
    try {
      return selectSource(selector, screens);
    } catch (error) {
      return error;
    }
  };
  expect(refused('region:1900,0,640x360')).toMatchObject({ code: 'source-unavailable' });
  expect(refused('region:0,0,8x8')).toMatchObject({ code: 'source-unavailable' });
  expect(refused('region:7:0,0,64x64')).toMatchObject({ code: 'unknown-source' });
});

test('where a screen does not tell its size the capture finds out', () => {
  const { width: _width, height: _height, ...unsized } = screen(0, 1, 1);
  expect(regionSource({ screen: 0, x: 5000, y: 0, width: 64, height: 64 }, [unsized]).available).toBe(true);
});
