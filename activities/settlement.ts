import { amendPromise } from '../src/enrollment/amend';
import { decideApproval } from '../src/enrollment/approve';
import { cancelPromise } from '../src/enrollment/cancel';
import type { ChangeAnswer } from '../src/enrollment/change';
import { enroll } from '../src/enrollment/enroll';
import { needAttention } from '../src/ledger/promises/promises';
import { faultPoint } from '../src/platform/faults';
import { settlePromise } from '../src/ledger/promises/debt-lock';
import type { Settlement } from '../src/ledger/promises/settle';
import type { Problem } from '../src/platform/errors';
import { invariant } from '../src/platform/errors';
import { formatDate } from '../src/rules/calendar';
import { formatMoney } from '../src/rules/money';
import { gatesOf, gatesWords, termsOf, termsWords } from '../src/rules/terms';
import type { ActivityDeps } from './deps';
import { asActivity } from './failures';
import { RELAY_AFTER_MS, Teller } from './telling';

/**
 * What a workflow learns of a settlement. It lands in the history of every promise, so it is small, without personal
 * data, and leaves out what does not apply.
 */
export interface SettledView {
  readonly status: 'pending' | 'active' | 'kept' | 'broken' | 'cancelled';
  readonly revision: number;
  readonly nextJudgeAtMs?: number;
  readonly clockOffsetMs?: number;
  readonly sentence?: string;
  /** The schedule with what was counted, as markdown for Temporal UI, where one sentence does not say it all. */
  readonly schedule?: string;
  /** R22: managed by hand. */
  readonly byHand?: true;
  /** Whether the status of an ended promise goes into the search attributes. */
  readonly label?: true;
}

/** An accepted enrollment, with what the search attributes need. */
export interface EnrolledView {
  readonly result: 'enrolled' | 'known';
  readonly tenantId: string;
  readonly promiseId: string;
  readonly accountId: string;
  readonly debtClass: string;
  readonly workflowId: string;
  /** What was agreed beside the schedule, as markdown for Temporal UI. */
  readonly terms?: string;
  readonly settled: SettledView;
}

export interface RefusedView {
  readonly result: 'refused';
  readonly problems: readonly Problem[];
}

/** What a change came to; `settled` is absent only when the request itself could not be understood. */
export interface ChangedView {
  readonly result: 'done' | 'refused';
  readonly problems: readonly Problem[];
  readonly settled: SettledView | null;
}

export interface PromiseRef {
  readonly tenantId: string;
  readonly promiseId: string;
}

export interface SettleRequest extends PromiseRef {
  /** The workflow's clock, epoch milliseconds. */
  readonly realNowMs: number;
}

export interface EnrollRequest {
  readonly enrollment: unknown;
  readonly workflowId: string;
  readonly realNowMs: number;
}

export interface ChangeRequest extends SettleRequest {
  /** The id of the update that asks; a request whose answer was lost is recognized by it. */
  readonly requestId: string | null;
}

export interface ChangeInput extends ChangeRequest {
  readonly request: unknown;
}

const ACTOR = 'temporal';
const OPTIONS = { relayAfterMs: RELAY_AFTER_MS };

/** What a promise's workflow asks of the ledger. Every one is idempotent: after a crash it simply runs again. */
export function settlementActivities(deps: ActivityDeps) {
  const { ledger, log, statusAtEnd } = deps;
  const teller = new Teller(deps);
  const told = async (settlement: Settlement): Promise<SettledView> => {
    if (settlement.toTell.length > 0) await faultPoint('verdict-committed');
    await teller.tell(settlement);
    return viewOf(settlement, statusAtEnd);
  };
  const changed = (change: typeof cancelPromise, input: ChangeInput): Promise<ChangedView> =>
    asActivity(async () => {
      const { tenantId, promiseId, request, requestId, realNowMs } = input;
      const options = { ...OPTIONS, actor: ACTOR, realNowMs, requestId, wakeWorkflow: false };
      const answer: ChangeAnswer = await change(ledger, tenantId, promiseId, request, options);
      const settled = answer.settlement === undefined ? null : await told(answer.settlement);
      return { result: answer.result, problems: answer.result === 'refused' ? answer.problems : [], settled };
    });
  return {
    /** Records an enrollment that a CIS brought by starting a workflow, and settles it for the first time. */
    async enrollPromise(input: EnrollRequest): Promise<EnrolledView | RefusedView> {
      return asActivity(async () => {
        const { enrollment, workflowId, realNowMs } = input;
        const answer = await enroll(ledger, enrollment, { actor: ACTOR, workflowId, realNowMs });
        if (answer.result === 'refused') return { result: 'refused', problems: answer.problems };
        const settlement = await settlePromise(
          ledger,
          tenantOf(enrollment),
          answer.promiseId,
          realNowMs,
          OPTIONS,
        );
        const { tenantId, accountId, debtClass } = settlement;
        const terms = termsWords(termsOf(settlement.facts)).join('\n');
        return { ...answer, tenantId, accountId, debtClass, terms, settled: await told(settlement) };
      });
    },

    /** Judges a promise as of the workflow's clock, records what was decided, and tells collections. */
    async settlePromise({ tenantId, promiseId, realNowMs }: SettleRequest): Promise<SettledView> {
      return asActivity(() =>
        teller.counted(async () =>
          told(await settlePromise(ledger, tenantId, promiseId, realNowMs, OPTIONS)),
        ),
      );
    },

    /** Cancels a promise (R17); a refusal is an answer. */
    async cancelPromise(input: ChangeInput): Promise<ChangedView> {
      return changed(cancelPromise, input);
    },

    /** Amends a promise (R18); a refusal is an answer. */
    async amendPromise(input: ChangeInput): Promise<ChangedView> {
      return changed(amendPromise, input);
    },

    /** Takes a second person's yes or no (R25); a refusal is an answer. */
    async decideApproval(input: ChangeInput): Promise<ChangedView> {
      return changed(decideApproval, input);
    },

    /** Puts a promise on the worklist. */
    async parkPromise({ tenantId, promiseId, why }: PromiseRef & { why: string }): Promise<void> {
      log.error({ tenantId, promiseId, why }, 'promise needs attention');
      await asActivity(() => ledger.forTenant(tenantId, (tx) => needAttention(tx, tenantId, promiseId, why)));
    },
  };
}

function tenantOf(enrollment: unknown): string {
  const tenantId = (enrollment as { tenantId?: unknown }).tenantId;
  invariant(typeof tenantId === 'string', 'An accepted enrollment names its tenant');
  return tenantId;
}

function viewOf(settlement: Settlement, statusAtEnd: boolean): SettledView {
  const { status, revision, nextJudgeAtMs, clockOffsetMs, sentence, evaluation } = settlement;
  const ended = status !== 'active' && status !== 'pending';
  return {
    status,
    revision,
    ...(nextJudgeAtMs === null ? {} : { nextJudgeAtMs }),
    ...(clockOffsetMs === 0 ? {} : { clockOffsetMs }),
    ...(sentence === null ? {} : { sentence }),
    ...(ended && evaluation.lines.length === 1 ? {} : { schedule: scheduleOf(settlement) }),
    ...(ended || settlement.facts.autoManaged ? {} : { byHand: true }),
    ...(ended && statusAtEnd ? { label: true } : {}),
  };
}

const MOST_LINES = 6;

/** The installments around the next open one: each of these texts stays in the promise's history. */
function scheduleOf({ evaluation, facts }: Settlement): string {
  const all = evaluation.lines;
  const open = all.findIndex(({ line, countedCents }) => countedCents < line.amountCents);
  const from = Math.max(0, Math.min(open - 1, all.length - MOST_LINES));
  const lines = all.slice(from, from + MOST_LINES).map(({ line, countedCents, status }) => {
    const counted = `${formatMoney(countedCents, facts.currency)} of ${formatMoney(line.amountCents, facts.currency)}`;
    const item = line.transactionId === undefined ? '' : ` for ${line.transactionId}`;
    const down = facts.hasDownPayment && line.seq === 1 ? ' (down payment)' : '';
    return `${line.seq}. ${formatDate(line.dueDate)}: ${counted}${item}${down}, ${status}`;
  });
  const rest = all.length - from - lines.length;
  const gates = gatesWords(gatesOf(facts, evaluation));
  return [
    ...(gates === null ? [] : [`Waits for ${gates}.`, '']),
    ...(from > 0 ? [`… ${from} before, paid`, ''] : []),
    ...lines,
    ...(rest > 0 ? ['', `… and ${rest} more`] : []),
  ].join('\n');
}
