import { checked, close, declare } from './libc.ts';
import { receive, transmit } from './sockets.ts';

// rtnetlink(7): the kernel's tables of network interfaces and their addresses.

const socket = declare('int socket(int family, int type, int protocol)');

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const NETLINK_ROUTE = 0;

/** struct nlmsghdr: length, type, flags, sequence number, port. */
const HEADER_BYTES = 16;
const NLM_F_REQUEST_DUMP = 0x301;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;

/** The largest answer: the kernel fills the buffer that it gets, up to 32 KiB. */
const ANSWER_BYTES = 32 * 1024;

/** An entry of a table: its fixed part, and its attributes by number. */
export interface Entry {
  readonly fixed: Buffer;
  readonly attributes: ReadonlyMap<number, Buffer>;
}

/**
 * Reads a table of the network namespace that this thread is in.
 * @param request number of the message that asks for the table, such as RTM_GETLINK
 * @param fixedBytes size of the fixed part of an entry; a request begins with one that is all zeros
 * @param bytesMax stops after so many bytes, since guests decide how much a table contains
 * @throws SystemError
 */
export function readTable(request: number, fixedBytes: number, bytesMax: number): Entry[] {
  const fd = checked('socket', socket(AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_ROUTE));
  try {
    const question = Buffer.alloc(HEADER_BYTES + fixedBytes);
    question.writeUInt32LE(question.length, 0);
    question.writeUInt16LE(request, 4);
    question.writeUInt16LE(NLM_F_REQUEST_DUMP, 6);
    transmit(fd, question, question.length);
    const entries: Entry[] = [];
    for (let read = 0; read < bytesMax; ) {
      const bytes = Buffer.alloc(ANSWER_BYTES);
      const count = receive(fd, bytes);
      if (count <= 0 || !parseAnswer(bytes.subarray(0, count), fixedBytes, entries)) break;
      read += count;
    }
    return entries;
  } finally {
    close(fd);
  }
}

/** Adds the entries of one answer. @returns whether another answer follows */
function parseAnswer(bytes: Buffer, fixedBytes: number, entries: Entry[]): boolean {
  for (let at = 0; at + HEADER_BYTES <= bytes.length; ) {
    const length = bytes.readUInt32LE(at);
    const type = bytes.readUInt16LE(at + 4);
    if (type === NLMSG_DONE || type === NLMSG_ERROR || length < HEADER_BYTES + fixedBytes) return false;
    const body = bytes.subarray(at + HEADER_BYTES, at + length);
    entries.push({
      fixed: body.subarray(0, fixedBytes),
      attributes: parseAttributes(body.subarray(fixedBytes)),
    });
    at += aligned(length);
  }
  return true;
}

/** Parses a sequence of struct rtattr: length, number, bytes. */
function parseAttributes(bytes: Buffer): Map<number, Buffer> {
  const attributes = new Map<number, Buffer>();
  for (let at = 0; at + 4 <= bytes.length; ) {
    const length = bytes.readUInt16LE(at);
    if (length < 4) break;
    attributes.set(bytes.readUInt16LE(at + 2) & NLA_TYPE_MASK, bytes.subarray(at + 4, at + length));
    at += aligned(length);
  }
  return attributes;
}

/** Removes the two flags that an attribute's number can have. */
const NLA_TYPE_MASK = 0x3fff;

const aligned = (length: number) => (length + 3) & ~3;
