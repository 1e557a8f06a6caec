import type { Ledger } from '../../ledger/connection';
import {
  acknowledgeOutside,
  claimOutside,
  outsideFailed,
  outsideSent,
  type ClaimedMessage,
} from '../../ledger/collections/outside';
import { collectionsTarget } from '../../ledger/collections/targets';
import { TrothError } from '../../platform/errors';
import { retryAfterMs } from '../../platform/retry';
import { lookAgainAfterMs, type CollectionsTarget } from '../../rules/collections/outside';
import type { Sent } from './sent';
import { readTarget } from './target';

const DEFAULT_SENDING_MS = 15_000;
/** What recording may take after sending ended. */
const SPARE_MS = 15_000;

/** A claimed message with the target that it goes to. */
export interface ToSend {
  readonly target: CollectionsTarget;
  readonly message: ClaimedMessage;
}

/**
 * Claims messages of a tenant for its target as it stands now.
 * @throws TrothError INVARIANT when the target's settings cannot be read.
 */
export function claimToSend(ledger: Ledger, tenantId: string, limit: number): Promise<ToSend[]> {
  return ledger.forTenant(tenantId, async (tx) => {
    const { settings, version } = await collectionsTarget(tx, tenantId);
    const read = readTarget(settings);
    if ('problems' in read) {
      const wrong = read.problems.map(({ field, message }) => `${field} ${message}`).join('; ');
      throw new TrothError(
        'INVARIANT',
        `Version ${version} of the collections target cannot be read: ${wrong}`,
      );
    }
    const { target } = read;
    const sendingMs = target.kind === 'webhook' ? target.timeoutSeconds * 1000 : DEFAULT_SENDING_MS;
    const messages = await claimOutside(tx, tenantId, { limit, leaseMs: sendingMs + SPARE_MS });
    return messages.map((message) => ({ target, message }));
  });
}

/** Records what became of an attempt. @returns the failure, for the log. */
export async function recordSent(
  ledger: Ledger,
  tenantId: string,
  message: ClaimedMessage,
  sent: Sent,
): Promise<string | null> {
  return ledger.forTenant(tenantId, async (tx) => {
    switch (sent.kind) {
      case 'acknowledged':
        await acknowledgeOutside(tx, tenantId, message.outcomeId, sent.by);
        return null;
      case 'sent':
        await outsideSent(tx, tenantId, message, {
          sentNow: sent.sentNow,
          againInMs: lookAgainAfterMs(sent.waitedMs),
        });
        return null;
      case 'failed':
        await outsideFailed(tx, tenantId, message, {
          error: sent.error,
          againInMs: retryAfterMs(message.attempts, Math.random()),
        });
        return sent.error;
    }
  });
}
