import { createHash, createHmac } from 'node:crypto';
import type { ClaimedMessage, OutsidePayload } from '../../ledger/collections/outside';

/** The version of the message's form; it grows when a field changes its meaning, not when one is added. */
const FORM = 1;

/** A message as a system outside receives it; docs/collections/outside.md tells what each field means. */
export interface OutsideMessage extends OutsidePayload {
  readonly form: number;
  readonly position: number;
}

/** The message that is sent; the same one always has the same fields in the same order. */
export function messageOf({
  payload,
  position,
}: Pick<ClaimedMessage, 'payload' | 'position'>): OutsideMessage {
  return {
    form: FORM,
    outcomeId: payload.outcomeId,
    position,
    tenantId: payload.tenantId,
    accountId: payload.accountId,
    debtClass: payload.debtClass,
    promiseId: payload.promiseId,
    revision: payload.revision,
    kind: payload.kind,
    reason: payload.reason,
    status: payload.status,
    at: payload.at,
    sentence: payload.sentence,
    installment: payload.installment,
    paymentId: payload.paymentId,
  };
}

/** A message's id beyond its tenant: `riverton/P-1/1/broken`. A dot would be ambiguous in what is signed. */
export function webhookId({ payload }: Pick<ClaimedMessage, 'payload'>): string {
  return `${payload.tenantId}/${payload.outcomeId}`.replaceAll('.', '%2E');
}

const KEY_BYTES = { least: 24, most: 64 } as const;

/**
 * The keys that a secret has, by the Standard Webhooks specification: `whsec_` and base64 of 24 to 64 bytes. Several, with
 * spaces between them, while a key changes.
 * @returns undefined when it is none of these.
 */
export function keysOf(secret: string): Buffer[] | undefined {
  const keys = secret
    .trim()
    .split(/\s+/)
    .map((one) => Buffer.from(/^whsec_([A-Za-z0-9+/]+=*)$/.exec(one)?.[1] ?? '', 'base64'));
  const isKey = ({ length }: Buffer): boolean => length >= KEY_BYTES.least && length <= KEY_BYTES.most;
  return keys.every(isKey) ? keys : undefined;
}

/**
 * The header `webhook-signature` of the Standard Webhooks specification 1.0: for each key `v1,` and the base64 HMAC-SHA-256 of
 * `ID.SECONDS.BODY`, seconds since 1970.
 */
export function signatureOf(keys: readonly Buffer[], id: string, seconds: number, body: string): string {
  const signed = `${id}.${seconds}.${body}`;
  return keys.map((key) => `v1,${createHmac('sha256', key).update(signed).digest('base64')}`).join(' ');
}

const MAX_NAME = 200;

/**
 * The name of a message's file: `000002-P-1~1~broken.json`. Another message never has the same one, also where a file system
 * takes small and capital letters for one.
 */
export function fileNameOf(position: number, outcomeId: string): string {
  // Ids are letters, digits, dots, dashes, underscores and slashes; whatever else there may be is written in hex.
  const safe = outcomeId
    .replaceAll(/[^A-Za-z0-9._/-]/g, (sign) => `=${Buffer.from(sign).toString('hex')}=`)
    .replaceAll('/', '~');
  // Of two promises whose ids differ in this only, one has a small letter.
  const isPlain = safe.length <= MAX_NAME && !/^[^/]*[a-z]/.test(outcomeId);
  const short = isPlain
    ? safe
    : `${safe.slice(0, MAX_NAME - 17)}-${createHash('sha256').update(outcomeId).digest('hex').slice(0, 16)}`;
  return `${String(position).padStart(6, '0')}-${short}.json`;
}
