import { caseFacts } from '../../collections/act';
import { sentencesOf, shieldOf, type DebtShield } from '../../collections/shield';
import { findAccount } from '../../ledger/accounts';
import { listCases, type CaseSummary } from '../../ledger/collections/case-views';
import type { CaseKey } from '../../ledger/collections/case-key';
import { outcomesOfCase, type ReceivedOutcome } from '../../ledger/collections/cases';
import type { Tx } from '../../ledger/connection';
import { contactsOfCase, type ContactState } from '../../ledger/collections/contacts';
import { inSnapshot } from '../../ledger/passes/facts-batch';
import { reviewsOf, runsOf, stepsOf, type AnsweredStep } from '../../ledger/collections/runs';
import { tenantNow, type Tenant } from '../../ledger/tenants';
import { assertDebtClass } from '../../ledger/transactions';
import { TrothError } from '../../platform/errors';
import { epochMs, formatDate, formatLocalTime } from '../../rules/calendar';
import { evaluateCase } from '../../rules/collections/case';
import type { CaseLife, Run } from '../../rules/collections/case-facts';
import { formatMoney } from '../../rules/money';
import type { TenantContext } from '../context';
import { wrappedTable, print, printJson } from '../output';
import { bold, dim, printable, wrapped } from '../text';
import { statusOf } from './list';

export interface ShowOptions {
  readonly debtClass?: string;
  readonly tenant?: string;
  readonly json?: true;
}

const MOST_REVIEWS = 20;
const MOST_CASES = 100;
const MOST_CONTACTS = 500;
const MOST_ROWS = 50;

/** Everything that is shown of a case. */
interface Shown {
  readonly summary: CaseSummary;
  readonly life: Pick<CaseLife, 'sentence' | 'reviews'>;
  readonly shield: DebtShield | undefined;
  readonly runs: readonly Run[];
  readonly steps: readonly AnsweredStep[];
  readonly reviews: Awaited<ReturnType<typeof reviewsOf>>;
  readonly outcomes: readonly ReceivedOutcome[];
  readonly contacts: readonly ContactState[];
}

/** `troth case show` */
export async function show(
  { ledger, tenant }: TenantContext,
  accountId: string,
  { debtClass, json }: ShowOptions,
): Promise<void> {
  const { tenantId } = tenant;
  const shields = await shieldOf(ledger, tenantId, accountId, debtClass);
  const cases = await inSnapshot(ledger, tenantId, async (tx) => {
    if (debtClass === undefined) await findAccount(tx, tenantId, accountId);
    else await assertDebtClass(tx, tenantId, { accountId, debtClass });
    const filter = { accountId, ...(debtClass === undefined ? {} : { debtClass }), limit: MOST_CASES };
    const shown: Shown[] = [];
    for (const summary of await listCases(tx, tenantId, filter)) {
      const shield = shields.find((one) => one.debtClass === summary.debtClass);
      shown.push(await read(tx, tenant, summary, shield));
    }
    return shown;
  });
  if (cases.length === 0) {
    const which = debtClass === undefined ? 'no case' : `no case of ${debtClass}`;
    const command = `troth case wake ${accountId} --class ${debtClass ?? 'CLASS'}`;
    throw new TrothError('NOT_FOUND', `Account "${accountId}" has ${which}; to open one: ${command}`);
  }
  for (const [index, one] of cases.entries()) {
    if (json === true) printJson(asData(one));
    else {
      if (index > 0) print();
      tell(one, tenant);
    }
  }
}

async function read(
  tx: Tx,
  tenant: Tenant,
  summary: CaseSummary,
  shield: DebtShield | undefined,
): Promise<Shown> {
  const { accountId, debtClass } = summary;
  const key: CaseKey = { tenantId: tenant.tenantId, accountId, debtClass };
  const nowMs = tenantNow(tenant);
  const { facts } = await caseFacts(tx, tenant, key, nowMs, true);
  return {
    ...{ summary, shield },
    life: evaluateCase(facts, nowMs),
    runs: await runsOf(tx, key),
    steps: await stepsOf(tx, key),
    reviews: await reviewsOf(tx, key, MOST_REVIEWS),
    outcomes: await outcomesOfCase(tx, key),
    contacts: await contactsOfCase(tx, key, MOST_CONTACTS),
  };
}

function asData({ summary, life, shield, reviews, ...rest }: Shown): object {
  return {
    ...summary,
    sentence: sentenceOf({ summary, life }),
    collectible:
      shield === undefined
        ? null
        : {
            arrearsCents: shield.arrearsCents,
            shieldedCents: shield.shieldedCents,
            collectibleCents: shield.collectibleCents,
            reason: shield.reason,
            sentences: sentencesOf(shield),
          },
    reviews: reviews.map(({ evidence: _, ...review }) => review),
    ...rest,
  };
}

/** What is true now; the worker records it when the case wakes. */
function sentenceOf({ summary, life }: Pick<Shown, 'summary' | 'life'>): string {
  if (summary.status === 'closed' && life.reviews.length === 0) return summary.sentence ?? 'Closed.';
  return life.reviews.length === 0
    ? life.sentence
    : `By now: ${life.sentence} The worker records it when it wakes.`;
}

function tell(shown: Shown, tenant: Tenant): void {
  const { summary, shield } = shown;
  const { accountId, debtClass, nextActAtMs, attention, isWaking } = summary;
  print(`${bold(accountId)}, ${bold(debtClass)}: ${statusOf(summary)}`);
  print(wrapped(sentenceOf(shown)));
  if (attention !== null) print(wrapped(`Needs attention: ${attention}`));
  if (nextActAtMs !== null)
    print(`Looks again ${formatLocalTime(nextActAtMs, tenant.timeZone)} at the latest.`);
  if (isWaking) print('It was asked to look again; the worker will tell it.');
  if (shield !== undefined) {
    heading('What may be collected');
    for (const sentence of sentencesOf(shield)) print(wrapped(sentence));
  }
  tellProcess(shown, tenant);
  tellReceived(shown, tenant);
}

function heading(text: string): void {
  print();
  print(bold(text));
}

/** The newest rows of a list that may be long, with a word on those that are left out. */
function table(title: string, head: readonly string[], rows: readonly (readonly string[])[]): void {
  if (rows.length === 0) return;
  heading(title);
  const shown = rows.slice(-MOST_ROWS);
  print(wrappedTable(head, shown));
  if (shown.length < rows.length)
    print(dim(`the last ${shown.length} of ${rows.length}; all of them with --json`));
}

/** What was done, and on whose word. */
function doneWords({
  sentence,
  approved,
  answeredBy,
  answerNote,
}: Pick<AnsweredStep, 'sentence' | 'approved' | 'answeredBy' | 'answerNote'>): string {
  if (answeredBy === null) return sentence;
  const note = answerNote === null ? '' : `: ${answerNote}`;
  return `${sentence} ${approved === true ? 'Approved' : 'Refused'} by ${answeredBy}${note}`;
}

function tellProcess({ runs, steps, reviews }: Shown, { timeZone, currency }: Tenant): void {
  table(
    'Runs',
    ['Run', 'Process', 'Status', 'Day 0', 'Started', 'Why it stands so'],
    runs.map(
      ({
        runNo,
        processVersion,
        status,
        dayZero,
        startedAtMs,
        endedAtMs,
        endReason,
        pausedWhy,
        pausedOn,
      }) => [
        ...[String(runNo), `version ${processVersion}`, status, formatDate(dayZero)],
        formatLocalTime(startedAtMs, timeZone),
        endedAtMs !== null
          ? `${endReason ?? 'ended'}, ${formatLocalTime(endedAtMs, timeZone)}`
          : pausedOn === null
            ? ''
            : `${printable(pausedWhy ?? '').replace(':', ' ')}, since ${formatDate(pausedOn)}`,
      ],
    ),
  );
  table(
    'Steps',
    ['Run', 'Step', 'Due', 'Done', 'Status', 'Collectible', 'What was done'],
    steps.map(({ runNo, stepId, dueOn, doneOn, status, collectibleCents, ...rest }) => [
      ...[String(runNo), stepId, formatDate(dueOn), doneOn === null ? '' : formatDate(doneOn), status],
      ...[formatMoney(collectibleCents, currency), printable(doneWords(rest))],
    ]),
  );
  if (reviews.length === 0) return;
  heading(`Reviews, newest first${reviews.length === MOST_REVIEWS ? ` (the last ${MOST_REVIEWS})` : ''}`);
  print(
    wrappedTable(
      ['At', 'Decided', 'Why'],
      reviews.map(({ at, decision, sentence }) => [
        formatLocalTime(epochMs(at.getTime()), timeZone),
        ...[decision, printable(sentence)],
      ]),
    ),
  );
}

function tellReceived({ outcomes, contacts }: Shown, { timeZone }: Tenant): void {
  table(
    'Received of promises',
    ['No', 'Promise', 'Revision', 'What', 'At'],
    outcomes.map(({ position, promiseId, revision, kind, at }) => [
      ...[String(position), promiseId, String(revision), kind],
      formatLocalTime(epochMs(new Date(at).getTime()), timeZone),
    ]),
  );
  table(
    'Contacts',
    ['Run', 'Step', 'Channel', 'Due', 'Handed over'],
    contacts.map(({ runNo, stepId, channel, dueAt, handedAt, attempts, lastError }) => [
      ...[String(runNo), stepId, channel, formatLocalTime(epochMs(dueAt.getTime()), timeZone)],
      handedAt !== null
        ? 'yes'
        : lastError === null
          ? 'not yet'
          : `not yet, ${attempts} attempts: ${printable(lastError)}`,
    ]),
  );
}
