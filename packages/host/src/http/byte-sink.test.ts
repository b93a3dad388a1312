import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ByteSink } from './byte-sink.ts';

it('is a queue of bytes, for any appends and consumes', () => {
  const step = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.nat(50));
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const sink = new ByteSink();
      let model = Buffer.alloc(0);
      for (const given of steps) {
        if (typeof given === 'number') {
          sink.consume(Math.min(given, model.length));
          model = model.subarray(Math.min(given, model.length));
        } else {
          sink.append(Buffer.from(given));
          model = Buffer.concat([model, given]);
        }
        expect(Buffer.compare(sink.view(), model)).toBe(0);
        expect(sink.length).toBe(model.length);
      }
    }),
  );
});

it('does not write into a piece that it was given', () => {
  const room = Buffer.from('abcdef');
  const sink = new ByteSink();
  sink.append(room.subarray(0, 3));
  sink.append(Buffer.from('XYZ'));
  expect(sink.view().toString()).toBe('abcXYZ');
  expect(room.toString()).toBe('abcdef');
});

it('keeps views intact while more bytes are appended and consumed', () => {
  const sink = new ByteSink();
  sink.append(Buffer.from('one '));
  sink.append(Buffer.from('two '));
  const view = sink.view().subarray(4, 8);
  sink.consume(4);
  sink.append(Buffer.from('three'));
  sink.consume(4);
  sink.append(Buffer.from('four'));
  expect(view.toString()).toBe('two ');
});
