import type { EpochMs } from '../../rules/calendar';
import type { LastOutcome, Run, StepRecord } from '../../rules/collections/case-facts';
import type { ProcessDefinition } from '../../rules/collections/process';
import type { Cents } from '../../rules/money';
import { MS, row, rows, type Tx } from '../connection';
import { OF_CASE, type CaseKey } from './case-key';

/** A case's row, as the transaction that holds its lock sees it. */
export interface CaseRow {
  readonly status: 'open' | 'closed';
  readonly actedAsOfMs: EpochMs | null;
  readonly nextActAtMs: EpochMs | null;
  readonly keptCount: number;
  readonly brokenCount: number;
  readonly cancelledCount: number;
}

/** Opens the case of a debt where there is none, and locks it until the transaction ends. */
export async function lockCase(tx: Tx, key: CaseKey, workflowId: string): Promise<CaseRow> {
  const now = new Date();
  await rows(
    tx,
    `insert into collections_case (tenant_id, account_id, debt_class, workflow_id, status, opened_at)
     values (:tenantId, :accountId, :debtClass, :workflowId, 'open', :now) on conflict do nothing`,
    { ...key, workflowId, now },
  );
  const locked = await row<CaseRow>(
    tx,
    `select status, ${MS('acted_as_of')} as "actedAsOfMs", ${MS('next_act_at')} as "nextActAtMs",
            kept_count as "keptCount", broken_count as "brokenCount", cancelled_count as "cancelledCount"
       from collections_case where ${OF_CASE} for no key update`,
    { ...key },
  );
  if (locked === undefined) throw new Error(`The case of ${key.accountId} ${key.debtClass} has gone`);
  return locked;
}

/** What is recorded of a case's process: the newest run, the steps of all runs, and what its promises last came to. */
export interface RecordedCase {
  readonly run: Run | null;
  readonly steps: readonly StepRecord[];
  readonly lastOutcome: LastOutcome | null;
  readonly overAtMs: EpochMs | null;
  readonly reviewedCents: Cents | null;
  readonly process: { readonly version: number; readonly definition: ProcessDefinition } | null;
}

const RUN = `run_no as "runNo", process_version as "processVersion", status, day_zero as "dayZero",
  ${MS('started_at')} as "startedAtMs", paused_on as "pausedOn", paused_why as "pausedWhy",
  ${MS('ended_at')} as "endedAtMs", end_reason as "endReason"`;
const STEP = `run_no as "runNo", step_id as "stepId", kind, status, due_on as "dueOn", done_on as "doneOn",
  ${MS('at')} as "atMs", collectible_cents as "collectibleCents", sentence, approved,
  approval_actor as "answeredBy", approval_note as "answerNote"`;

/** Reads what decides a case beside its debt; under the case's lock. */
export async function recordedCase(tx: Tx, key: CaseKey): Promise<RecordedCase> {
  const values = { ...key };
  const run = await row<Run>(
    tx,
    `select ${RUN} from collections_run where ${OF_CASE} order by run_no desc limit 1`,
    values,
  );
  const steps = await stepsOf(tx, key);
  // From the verdicts themselves: a case may act before it has heard what it settled (R33).
  const lastOutcome = await row<LastOutcome>(
    tx,
    `select kind, promise_id as "promiseId", reason, ${MS('at')} as "atMs" from (
       (select v.status as kind, v.promise_id, v.reason, v.decided_at as at, 0 as rank
          from promise p join verdict v on v.tenant_id = p.tenant_id and v.promise_id = p.promise_id
         where p.tenant_id = :tenantId and p.account_id = :accountId and p.debt_class = :debtClass
           and v.kind = 'promise'
         order by v.decided_at desc limit 1)
       union all
       (select n.kind, n.promise_id, null, n.at, 1
          from promise p join promise_notice n on n.tenant_id = p.tenant_id and n.promise_id = p.promise_id
         where p.tenant_id = :tenantId and p.account_id = :accountId and p.debt_class = :debtClass
           and n.kind = 'reversed'
         order by n.at desc limit 1)) told
      order by at desc, rank desc limit 1`,
    values,
  );
  const before = await row<Pick<RecordedCase, 'overAtMs' | 'reviewedCents'>>(
    tx,
    `select ${MS('o.at')} as "overAtMs", r.cents as "reviewedCents"
       from (select greatest(
               (select max(at) from collections_review where ${OF_CASE} and decision = 'close'),
               (select max(ended_at) from collections_run where ${OF_CASE} and end_reason in ('paid', 'closed'))) as at) o
       left join lateral (
         select cast(evidence ->> 'collectibleCents' as bigint) as cents from collections_review
          where ${OF_CASE} order by review_no desc limit 1) r on true`,
    values,
  );
  const isOpen = run?.status === 'running' || run?.status === 'paused';
  const process = await row<{ version: number; definition: ProcessDefinition }>(
    tx,
    `select version, definition from collections_process
      where tenant_id = :tenantId and debt_class = :debtClass
        and version = coalesce(cast(:version as integer), version)
      order by version desc limit 1`,
    { ...key, version: isOpen ? run.processVersion : null },
  );
  return {
    ...{ run: run ?? null, steps, lastOutcome: lastOutcome ?? null, process: process ?? null },
    ...{ overAtMs: before?.overAtMs ?? null, reviewedCents: before?.reviewedCents ?? null },
  };
}

/** The newest reviews of a case, the newest first. */
export async function reviewsOf(
  tx: Tx,
  key: CaseKey,
  limit: number,
): Promise<
  {
    readonly reviewNo: number;
    readonly decision: string;
    readonly sentence: string;
    readonly at: Date;
    readonly evidence: object;
  }[]
> {
  return rows(
    tx,
    `select review_no as "reviewNo", decision, sentence, at, evidence from collections_review
      where ${OF_CASE} order by review_no desc limit :limit`,
    { ...key, limit },
  );
}

/** The runs of a case, oldest first; of more than 1000 the newest. */
export async function runsOf(tx: Tx, key: CaseKey): Promise<Run[]> {
  const newest = `select * from collections_run where ${OF_CASE} order by run_no desc limit 1000`;
  return rows<Run>(tx, `select ${RUN} from (${newest}) r order by run_no`, { ...key });
}

/** A step with who answered it, where a person was asked. */
export interface AnsweredStep extends StepRecord {
  readonly answeredBy: string | null;
  readonly answerNote: string | null;
}

/** The steps of a case in the order in which they were recorded; of more than 5000 the newest. */
export async function stepsOf(tx: Tx, key: CaseKey): Promise<AnsweredStep[]> {
  const newest = `select * from collections_step where ${OF_CASE} order by run_no desc, at desc limit 5000`;
  return rows<AnsweredStep>(tx, `select ${STEP} from (${newest}) s order by run_no, at, due_on, step_id`, {
    ...key,
  });
}

/** Steps of a case that were done and still have promises to end (R17). */
export async function endingSteps(
  tx: Tx,
  key: CaseKey,
): Promise<{ readonly runNo: number; readonly stepId: string }[]> {
  return rows(
    tx,
    `select run_no as "runNo", step_id as "stepId" from collections_step
      where ${OF_CASE} and cancels_promises order by run_no, step_id`,
    { ...key },
  );
}

/** Marks that a step has ended the promises that it ends. */
export async function endedPromises(
  tx: Tx,
  key: CaseKey,
  { runNo, stepId }: { readonly runNo: number; readonly stepId: string },
): Promise<void> {
  await rows(
    tx,
    `update collections_step set cancels_promises = false where ${OF_CASE} and run_no = :runNo and step_id = :stepId`,
    { ...key, runNo, stepId },
  );
}

/**
 * The newest step of a case that awaits a person's answer, or has one, under the case's lock. A step of a run that has ended
 * awaits nothing any more.
 * @param runNo null: of whichever run.
 */
export async function lockStepToAnswer(
  tx: Tx,
  key: CaseKey,
  stepId: string,
  runNo: number | null,
): Promise<{ readonly runNo: number; readonly approved: boolean | null } | undefined> {
  await rows(tx, `select 1 from collections_case where ${OF_CASE} for no key update`, { ...key });
  return row(
    tx,
    `select run_no as "runNo", approved from collections_step
      where ${OF_CASE} and step_id = :stepId and run_no = coalesce(cast(:runNo as integer), run_no)
        and (approved is not null or (status = 'awaiting-approval' and exists (
              select 1 from collections_run r
               where r.tenant_id = :tenantId and r.account_id = :accountId and r.debt_class = :debtClass
                 and r.run_no = collections_step.run_no and r.status in ('running', 'paused'))))
      order by run_no desc limit 1`,
    { ...key, stepId, runNo },
  );
}

/** Records a person's yes or no to a step. */
export async function markAnswered(
  tx: Tx,
  key: CaseKey,
  answer: {
    readonly runNo: number;
    readonly stepId: string;
    readonly approved: boolean;
    readonly actor: string;
    readonly note: string | null;
    readonly at: Date;
  },
): Promise<void> {
  await rows(
    tx,
    `update collections_step set approved = :approved, approval_actor = :actor, approval_note = :note, approved_at = :at
      where ${OF_CASE} and run_no = :runNo and step_id = :stepId`,
    { ...key, ...answer },
  );
}

/** Puts a case on the worklist: it goes no further by itself. What is there keeps its time while it says the same. */
export async function setCaseAttention(tx: Tx, key: CaseKey, why: string): Promise<void> {
  await rows(
    tx,
    `update collections_case set attention = :why, attention_at = :now
      where ${OF_CASE} and attention is distinct from :why`,
    { ...key, why: why.slice(0, 2000), now: new Date() },
  );
}

/** Takes a case off it again. */
export async function clearCaseAttention(tx: Tx, key: CaseKey): Promise<void> {
  await rows(
    tx,
    `update collections_case set attention = null, attention_at = null where ${OF_CASE} and attention is not null`,
    { ...key },
  );
}
