import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { z } from 'zod';
import { TrothError } from '../platform/errors';

/** The ports that people see, with what they usually are and the variable that insists on another. */
export const PREFERRED_PORTS = {
  api: { port: 8080, variable: 'TROTH_API_PORT', of: 'API' },
  postgres: { port: 5544, variable: 'TROTH_POSTGRES_PORT', of: 'PostgreSQL' },
  temporal: { port: 7233, variable: 'TROTH_TEMPORAL_PORT', of: 'Temporal' },
  temporalUi: { port: 8233, variable: 'TROTH_TEMPORAL_UI_PORT', of: 'Temporal UI' },
} as const;

export type PortName = keyof typeof PREFERRED_PORTS;

const TRIES = 200;
/** Below the range from which operating systems hand out ports for outgoing connections. */
const INTERNAL_FIRST = 20_000;
const INTERNAL_LAST = 31_999;

const remembered = z.record(z.string(), z.number().int().min(1).max(65_535));

/** Whether this machine's loopback would let us listen there now. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/**
 * The port for one of our services: the one insisted on; else the one used last time, if free; else the usual one or
 * the next that is free. Remembered in `<home>/ports.json`.
 * @param taken ports given out in this start already and perhaps not listened on yet
 * @throws TrothError LOCAL_START when the port insisted on is taken.
 */
export async function choosePort(
  home: string,
  name: PortName,
  insisted: number | undefined,
  taken: ReadonlySet<number> = new Set(),
): Promise<number> {
  const { port: usual, variable, of } = PREFERRED_PORTS[name];
  if (insisted !== undefined) {
    if (!taken.has(insisted) && (await isPortFree(insisted))) return insisted;
    throw new TrothError(
      'LOCAL_START',
      `Port ${insisted} for ${of} (${variable}) is taken by another program. ` +
        `Stop that program, choose another port in ${variable}, or unset it to take the next free one.`,
    );
  }
  const last = readPorts(home)[name];
  const candidates = [
    ...(last === undefined ? [] : [last]),
    ...Array.from({ length: TRIES }, (_, i) => usual + i),
  ];
  for (const port of candidates) {
    if (taken.has(port) || !(await isPortFree(port))) continue;
    if (port !== last) writePorts(home, { [name]: port });
    return port;
  }
  throw new TrothError(
    'LOCAL_START',
    `No free port for ${of} between ${usual} and ${usual + TRIES - 1}. Name one in ${variable}.`,
  );
}

/**
 * Free ports that nobody needs to know, one per name, the same as last time where still free: two clones must not
 * collide, and a server that comes back finds its cluster membership at the old addresses.
 */
export async function chooseInternalPorts<Name extends string>(
  home: string,
  names: readonly Name[],
): Promise<Record<Name, number>> {
  const before = readPorts(home);
  const chosen = new Map<Name, number>();
  for (const name of names) chosen.set(name, await internalPort(before[name], new Set(chosen.values())));
  const ports = Object.fromEntries(chosen) as Record<Name, number>;
  writePorts(home, ports);
  return ports;
}

async function internalPort(last: number | undefined, taken: ReadonlySet<number>): Promise<number> {
  if (last !== undefined && !taken.has(last) && (await isPortFree(last))) return last;
  for (let i = 0; i < TRIES; i++) {
    const port = INTERNAL_FIRST + Math.floor(Math.random() * (INTERNAL_LAST - INTERNAL_FIRST + 1));
    if (!taken.has(port) && (await isPortFree(port))) return port;
  }
  throw new TrothError('LOCAL_START', `No free port found between ${INTERNAL_FIRST} and ${INTERNAL_LAST}.`);
}

function readPorts(home: string): Record<string, number> {
  try {
    return remembered.parse(JSON.parse(readFileSync(join(home, 'ports.json'), 'utf8')));
  } catch {
    // Absent or damaged: only a memory of where we were, not worth a failure.
    return {};
  }
}

function writePorts(home: string, ports: Record<string, number>): void {
  mkdirSync(home, { recursive: true });
  const all = { ...readPorts(home), ...ports };
  writeFileSync(join(home, 'ports.json'), `${JSON.stringify(all, undefined, 2)}\n`);
}
