/** The size of the terminal that shows a console, in characters; 0 when unknown. */
export interface ConsoleRequest {
  readonly width: number;
  readonly height: number;
}

/** The files of what an instance has printed on its console, the older one first; they need not exist. */
export type ConsoleFiles = readonly [older: string, newer: string];
