import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { OutsideMessage } from '../../src/collections/outside/message';

/** A request as it came. */
export interface Received {
  readonly outcomeId: string;
  readonly attempt: number;
  /** The headers of the Standard Webhooks specification. */
  readonly id: string | undefined;
  readonly timestamp: string | undefined;
  readonly signature: string | undefined;
  readonly body: string;
  readonly message: OutsideMessage;
  readonly atMs: number;
}

/** What a receiver does with a request: a status with a body, after a while; or it hangs up. */
export type Behaviour =
  | {
      readonly status: number;
      readonly body?: string;
      readonly headers?: Record<string, string>;
      readonly afterMs?: number;
    }
  | 'hang-up';

/** Another company's collections system, as far as it hears of promises: a real HTTP server on loopback. */
export class Receiver {
  readonly requests: Received[] = [];
  /** The first 2xx answer to each outcome, in order. */
  readonly taken: string[] = [];
  readonly #server: Server;
  behave: (request: Received) => Behaviour = () => ({ status: 200 });

  private constructor() {
    this.#server = createServer((request, response) => void this.#hear(request, response));
  }

  static async open(port = 0): Promise<Receiver> {
    const receiver = new Receiver();
    await new Promise<void>((resolve) => receiver.#server.listen(port, '127.0.0.1', resolve));
    return receiver;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/troth`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** The outcomes that were taken of a promise, in order, by their end: `activated`, `1/kept`. */
  takenOf(promiseId: string): string[] {
    return this.taken.filter((id) => id.startsWith(`${promiseId}/`));
  }

  async #hear(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = Buffer.concat(parts).toString();
    const header = (name: string): string | undefined => request.headers[`webhook-${name}`]?.toString();
    const message = JSON.parse(body) as OutsideMessage;
    const received: Received = {
      outcomeId: message.outcomeId,
      attempt: Number(request.headers['troth-attempt']),
      id: header('id'),
      timestamp: header('timestamp'),
      signature: header('signature'),
      body,
      message,
      atMs: Date.now(),
    };
    this.requests.push(received);
    const behaviour = this.behave(received);
    if (behaviour === 'hang-up') {
      request.socket.destroy();
      return;
    }
    const { status, body: answer = '', headers = {}, afterMs = 0 } = behaviour;
    // A receiver that answers too late has done its work all the same.
    const isTaken = status < 300 && !this.taken.includes(received.outcomeId);
    if (isTaken) this.taken.push(received.outcomeId);
    if (afterMs > 0) await new Promise((resolve) => setTimeout(resolve, afterMs));
    response.writeHead(status, headers).end(answer);
  }
}
