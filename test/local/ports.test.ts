/**
 * Goal: two clones never fight over a port, and a port that somebody insists on is taken or refused, never replaced.
 * Method: real listeners on loopback.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type Server, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chooseInternalPorts, choosePort, isPortFree } from '../../src/local/ports';

describe('choosePort', () => {
  let home: string;
  const servers: Server[] = [];

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'troth-ports-'));
  });

  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
    rmSync(home, { recursive: true, force: true });
  });

  const occupy = async (port: number): Promise<void> => {
    const server = createServer();
    servers.push(server);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
  };

  test('takes the next one when it is taken, and again the same one later', async () => {
    const first = await choosePort(home, 'temporalUi', undefined);
    await occupy(first);
    const second = await choosePort(home, 'temporalUi', undefined);
    expect(second).toBeGreaterThan(first);
    for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
    expect(await choosePort(home, 'temporalUi', undefined)).toBe(second);
  });

  test('names port and variable when the one insisted on is taken', async () => {
    const { A: port } = await chooseInternalPorts(home, ['A']);
    await occupy(port);
    await expect(choosePort(home, 'api', port)).rejects.toThrow(
      new RegExp(`Port ${port} for API \\(TROTH_API_PORT\\) is taken`),
    );
  });

  test('does not give out what another part of the same start was given', async () => {
    const api = await choosePort(home, 'api', undefined);
    expect(await choosePort(home, 'api', undefined, new Set([api]))).not.toBe(api);
  });

  test('takes a damaged memory for none', async () => {
    writeFileSync(join(home, 'ports.json'), '{"api": "x"');
    expect(await choosePort(home, 'api', undefined)).toBeGreaterThanOrEqual(8080);
  });

  test('internal ports differ from one another and stay the same while free', async () => {
    const names = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H'] as const;
    const ports = await chooseInternalPorts(home, names);
    expect(new Set(Object.values(ports)).size).toBe(names.length);
    expect(await chooseInternalPorts(home, names)).toEqual(ports);
    await occupy(ports.A);
    expect(await isPortFree(ports.A)).toBe(false);
    expect((await chooseInternalPorts(home, names)).A).not.toBe(ports.A);
    expect(JSON.parse(readFileSync(join(home, 'ports.json'), 'utf8'))).toHaveProperty('H', ports.H);
  });
});
