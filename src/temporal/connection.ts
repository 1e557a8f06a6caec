import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { NativeConnection } from '@temporalio/worker';
import { TrothError, messageOf } from '../platform/errors';

/** Where Temporal is; undefined means by Temporal's own environment configuration (address, TLS, API key …). */
export interface TemporalTarget {
  readonly address: string;
  readonly namespace: string;
}

const CONNECT_TIMEOUT_MS = 10_000;

function configOf(target: TemporalTarget | undefined) {
  if (target !== undefined) {
    return { connectionOptions: { address: target.address }, namespace: target.namespace };
  }
  const { connectionOptions, namespace } = loadClientConnectConfig();
  return { connectionOptions, namespace: namespace ?? 'default' };
}

function unreachable(address: string | undefined, error: unknown): TrothError {
  return new TrothError(
    'UNAVAILABLE',
    `Temporal cannot be reached at ${address ?? 'its address'}: ${messageOf(error)}`,
    {
      cause: error,
    },
  );
}

interface ConnectedClient {
  readonly client: Client;
  readonly close: () => Promise<void>;
}

/**
 * Connects a client; the caller closes it.
 * @throws TrothError UNAVAILABLE
 */
export async function connectClient(
  target?: TemporalTarget,
): Promise<ConnectedClient & { readonly namespace: string }> {
  const { connectionOptions, namespace } = configOf(target);
  try {
    const connection = await Connection.connect({ ...connectionOptions, connectTimeout: CONNECT_TIMEOUT_MS });
    return { client: new Client({ connection, namespace }), namespace, close: () => connection.close() };
  } catch (error) {
    throw unreachable(connectionOptions.address, error);
  }
}

/**
 * A client that connects when it is first used and again after an outage: for the relay, which must start and live
 * while Temporal is away.
 */
export function lazyClient(target?: TemporalTarget): ConnectedClient {
  const { connectionOptions, namespace } = configOf(target);
  const connection = Connection.lazy(connectionOptions);
  return { client: new Client({ connection, namespace }), close: () => connection.close() };
}

/** Connects a worker's connection. @throws TrothError UNAVAILABLE */
export async function connectWorker(
  target?: TemporalTarget,
): Promise<{ connection: NativeConnection; namespace: string }> {
  const { connectionOptions, namespace } = configOf(target);
  try {
    return { connection: await NativeConnection.connect(connectionOptions), namespace };
  } catch (error) {
    throw unreachable(connectionOptions.address, error);
  }
}

/** Whether Temporal Cloud is what we talk to: there, every action is billed. */
export function isTemporalCloud(target?: TemporalTarget): boolean {
  return /\.(tmprl\.cloud|temporal\.io)(:\d+)?$/.test(configOf(target).connectionOptions.address ?? '');
}
