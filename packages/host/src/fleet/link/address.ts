import { linkError } from './link-errors.ts';

/** Where a member listens. */
export interface Address {
  /** A name or an IP address, without brackets. */
  readonly host: string;
  readonly port: number;
}

const PORT_MAX = 65_535;

/** Reads `HOST:PORT`; an IPv6 address stands in brackets. @throws member-address-invalid */
export function readAddress(text: string): Address {
  const [, bracketed, plain, digits = ''] =
    /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]/]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host === undefined || port < 1 || port > PORT_MAX) throw linkError('member-address-invalid', text);
  return { host, port };
}
