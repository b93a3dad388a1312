import type { Requestor } from '../model/events.ts';
import { REQUESTOR_HEADER, requestorHeader } from './requestor.ts';

/** Headers that belong to one connection, in lower case; RFC 9110, 7.6.1. `expect` was answered already. */
const OF_ONE_CONNECTION: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'proxy-authenticate', 'proxy-authorization', 'te'],
  ...['trailer', 'transfer-encoding', 'upgrade', 'expect', REQUESTOR_HEADER],
]);

/**
 * The headers of a message for the next connection, in their order and spelling.
 * @param raw names and values in turn, as Node reads them
 */
export function endToEnd(raw: readonly string[]): string[] {
  return pairsOf(raw)
    .filter(([name]) => !OF_ONE_CONNECTION.has(name.toLowerCase()))
    .flat();
}

/** The headers of an operator's request, for the member that answers it. */
export function relayedHeaders(raw: readonly string[], by: Requestor): string[] {
  return [...endToEnd(raw), REQUESTOR_HEADER, requestorHeader(by)];
}

/** The value of a header; undefined if it is absent. */
export function headerOf(raw: readonly string[], wanted: string): string | undefined {
  return pairsOf(raw).find(([name]) => name.toLowerCase() === wanted)?.[1];
}

function pairsOf(raw: readonly string[]): (readonly [name: string, value: string])[] {
  return Array.from({ length: raw.length / 2 }, (_, at) => [raw[2 * at] ?? '', raw[2 * at + 1] ?? '']);
}
