import type { ClaimedMessage } from '../../ledger/collections/outside';
import { messageOf as reasonOf } from '../../platform/errors';
import type { WebhookTarget } from '../../rules/collections/outside';
import { keysOf, messageOf, signatureOf, webhookId } from './message';
import { failed, type Sent } from './sent';

const MAX_READ_BYTES = 4096;
const MAX_TOLD = 200;
const NO_KEY = 'holds no key: it must be whsec_ and the base64 of 24 to 64 random bytes';

/**
 * Posts a message to a URL. 2xx acknowledges it, and so does 409 with `{"code": "duplicate"}`; whatever else comes, or
 * nothing in time, is a failure to be tried again. Redirects are not followed: a message goes where it was told to go.
 * Never throws.
 * @param secrets where the keys of the signature are; its value goes nowhere.
 */
export async function postMessage(
  target: WebhookTarget,
  message: ClaimedMessage,
  secrets: Readonly<Record<string, string | undefined>>,
  stopping: AbortSignal,
): Promise<Sent> {
  const body = JSON.stringify(messageOf(message));
  const id = webhookId(message);
  const seconds = Math.floor(Date.now() / 1000);
  const headers: Record<string, string> = {
    'Content-Type': 'application/json',
    'User-Agent': 'troth',
    'Webhook-Id': id,
    'Webhook-Timestamp': String(seconds),
    'Troth-Attempt': String(message.attempts),
  };
  const { secretEnv } = target;
  if (secretEnv !== null) {
    const secret = secrets[secretEnv] ?? '';
    // Better late than unsigned: a receiver could not tell it from a forged one.
    if (secret === '') return failed(`The worker has no environment variable ${secretEnv} to sign with`);
    const keys = keysOf(secret);
    if (keys === undefined) return failed(`The worker's environment variable ${secretEnv} ${NO_KEY}`);
    headers['Webhook-Signature'] = signatureOf(keys, id, seconds, body);
  }
  const tooLate = AbortSignal.timeout(target.timeoutSeconds * 1000);
  try {
    const response = await fetch(target.url, {
      ...{ method: 'POST', headers, body, redirect: 'manual' },
      signal: AbortSignal.any([tooLate, stopping]),
    });
    const said = await beginningOf(response);
    if (response.ok) return { kind: 'acknowledged', by: 'webhook' };
    if (response.status === 409 && codeOf(said) === 'duplicate') {
      return { kind: 'acknowledged', by: 'webhook: known already' };
    }
    return failed(`answered ${response.status}${said === '' ? '' : `: ${said.slice(0, MAX_TOLD)}`}`);
  } catch (error) {
    if (tooLate.aborted) return failed(`no answer within ${target.timeoutSeconds} s`);
    if (stopping.aborted) return failed('the worker stopped before the answer came');
    // fetch itself only says that it failed.
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return failed(`cannot be reached: ${reasonOf(cause).slice(0, MAX_TOLD)}`);
  }
}

/** The first bytes of an answer, as text: enough for a code and a hint. What breaks off is as good as what came. */
async function beginningOf(response: Response): Promise<string> {
  if (response.body === null) return '';
  const reader = response.body.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  const parts: Uint8Array[] = [];
  let bytes = 0;
  try {
    while (bytes < MAX_READ_BYTES) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value);
      bytes += value.length;
    }
    if (bytes >= MAX_READ_BYTES) await reader.cancel();
  } catch {
    // The status has come: it counts.
  }
  const text = Buffer.concat(parts).subarray(0, MAX_READ_BYTES).toString('utf8');
  return text.replaceAll(/\p{Cc}/gu, ' '); // no column holds a NUL, and no terminal should get an ESC
}

function codeOf(said: string): unknown {
  try {
    const answer: unknown = JSON.parse(said);
    return typeof answer === 'object' && answer !== null && 'code' in answer ? answer.code : undefined;
  } catch {
    return undefined;
  }
}
