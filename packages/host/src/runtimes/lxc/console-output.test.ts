import { afterEach, beforeEach, expect, test as it, vi } from 'vitest';
import { ConsoleOutput } from './console-output.ts';

const GREETING =
  '\nConnected to tty 0\nType <Ctrl+a q> to exit the console, <Ctrl+a Ctrl+a> to enter Ctrl+a itself\n';

let say: (text: string) => void;
let reading: boolean;
let output: ConsoleOutput;
let heard: string;

beforeEach(() => {
  vi.useFakeTimers();
  reading = true;
  heard = '';
  output = new ConsoleOutput({
    onOutput: (listener) => {
      say = (text) => listener(1, Buffer.from(text));
    },
    pause: () => {
      reading = false;
    },
    resume: () => {
      reading = true;
    },
  });
});
afterEach(() => vi.useRealTimers());

const listen = () =>
  output.onOutput((_fd, data) => {
    heard += String(data);
  });

it('the greeting is also known with the carriage returns of a pty that still translates', async () => {
  say(`${GREETING.replaceAll('\n', '\r\n')}first`);
  await output.attached;
  listen();
  expect(heard).toBe('first');
});

it('the greeting tells that the console is there, and is hidden', async () => {
  let attached = false;
  void output.attached.then(() => (attached = true));
  say(GREETING.slice(0, 20));
  await vi.advanceTimersByTimeAsync(0);
  expect(attached).toBe(false);
  say(`${GREETING.slice(20)}first`);
  await output.attached;
  expect(reading).toBe(false);
  listen();
  expect([heard, reading]).toEqual(['first', true]);
  say(GREETING);
  expect(heard).toBe(`first${GREETING}`);
});

it('a client that does not read holds up nothing for long, and loses output', async () => {
  say(GREETING);
  listen();
  output.pause();
  expect(reading).toBe(false);
  await vi.advanceTimersByTimeAsync(100);
  expect(reading).toBe(true);
  say('lost');
  expect([heard, reading]).toEqual(['', false]);
  output.resume();
  say('kept');
  expect([heard, reading]).toEqual(['kept', true]);
});
