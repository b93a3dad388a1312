import { describe, expect, it } from 'vitest';
import { ROOMS } from '../tidy/rooms.ts';
import { readText } from '../tidy/source.ts';
import { floorOf, importLines } from './floors.ts';
import { drawRooms, misplacedRooms, PICTURE } from './picture.ts';

describe('the picture of the rooms', () => {
  it('has one place for every room of the table, and no other', () => {
    expect(misplacedRooms()).toEqual([]);
  });

  it('is the one that `npm run picture` draws now', () => {
    expect(readText(PICTURE)).toBe(drawRooms());
  });

  it('has each room above all that it imports', () => {
    const upwards = Object.entries(ROOMS).flatMap(([room, { imports }]) =>
      imports.filter((each) => floorOf(each) >= floorOf(room)).map((each) => `${room} imports ${each}`),
    );
    expect(upwards).toEqual([]);
  });

  it('lists the allowed imports in each box, types separately, or the missing ones if most are allowed', () => {
    expect(importLines('http')).toEqual(['↓ native']);
    expect(importLines('host')[0]).toBe('↓ wire, core, events');
    expect(importLines('host')[1]).toMatch(/^↓ types of model, /);
    expect(importLines('daemon')[0]).toMatch(/^↓ all below but wire, /);
  });
});
