import type { EpochMs } from '../../rules/calendar';
import type { CaseLife, Review, Run } from '../../rules/collections/case-facts';
import { rows, type Tx } from '../connection';
import { OF_CASE, type CaseKey } from './case-key';

/** What a case's life says that is to be recorded. */
export interface CaseRecording {
  readonly life: CaseLife;
  readonly evidence: object;
  readonly nowMs: EpochMs;
  /** By step id: how a done step reaches somebody, and whether it ends promises. */
  readonly effects: ReadonlyMap<string, { readonly channel: string; readonly cancelsPromises: boolean }>;
  readonly currency: string;
}

/**
 * Records what was decided of a case, in the transaction that holds its lock: runs, steps, reviews with their evidence, and for
 * each step that was done its contact, once (the keys see to it).
 */
export async function recordCase(tx: Tx, key: CaseKey, recording: CaseRecording): Promise<void> {
  const { life, nowMs } = recording;
  const now = new Date(nowMs);
  if (life.runs.length > 0) await recordRuns(tx, key, life.runs);
  if (life.steps.length > 0) {
    await recordSteps(tx, key, recording);
    await recordContacts(tx, key, recording);
  }
  if (life.reviews.length > 0) await recordReviews(tx, key, life.reviews, recording.evidence, now);
  await rows(
    tx,
    `update collections_case
        set next_act_at = :next, acted_as_of = greatest(coalesce(acted_as_of, :now), :now),
            status = :status, attention = null, attention_at = null,
            closed_at = case when :status = 'closed' then coalesce(closed_at, cast(:now as timestamptz)) end
      where ${OF_CASE}`,
    { ...key, now, status: life.status, next: life.nextActAtMs === null ? null : new Date(life.nextActAtMs) },
  );
}

async function recordRuns(tx: Tx, key: CaseKey, runs: readonly Run[]): Promise<void> {
  // One after the other: a run must have ended before the next may begin.
  for (const run of runs) {
    await rows(
      tx,
      `insert into collections_run (tenant_id, account_id, debt_class, run_no, process_version, status, day_zero,
                                    started_at, paused_on, paused_why, ended_at, end_reason)
       values (:tenantId, :accountId, :debtClass, :runNo, :processVersion, :status, :dayZero, :startedAt, :pausedOn,
               :pausedWhy, :endedAt, :endReason)
       on conflict (tenant_id, account_id, debt_class, run_no) do update
         set status = excluded.status, day_zero = excluded.day_zero, paused_on = excluded.paused_on,
             paused_why = excluded.paused_why, ended_at = excluded.ended_at, end_reason = excluded.end_reason`,
      {
        ...{ ...key, ...run },
        startedAt: new Date(run.startedAtMs),
        endedAt: run.endedAtMs === null ? null : new Date(run.endedAtMs),
      },
    );
  }
}

async function recordSteps(tx: Tx, key: CaseKey, { life, effects }: CaseRecording): Promise<void> {
  const steps = life.steps.map((step) => ({
    ...step,
    at: new Date(step.atMs),
    cancelsPromises: step.status === 'done' && effects.get(step.stepId)?.cancelsPromises === true,
  }));
  await rows(
    tx,
    `insert into collections_step (tenant_id, account_id, debt_class, run_no, step_id, kind, status, due_on, done_on, at,
                                   collectible_cents, sentence, cancels_promises)
     select :tenantId, :accountId, :debtClass, s."runNo", s."stepId", s.kind, s.status, s."dueOn", s."doneOn", s.at,
            s."collectibleCents", s.sentence, s."cancelsPromises"
       from json_to_recordset(cast(:steps as json))
         as s("runNo" integer, "stepId" text, kind text, status text, "dueOn" date, "doneOn" date, at timestamptz,
              "collectibleCents" bigint, sentence text, "cancelsPromises" boolean)
     on conflict (tenant_id, account_id, debt_class, run_no, step_id) do update
       set status = excluded.status, done_on = excluded.done_on, at = excluded.at, sentence = excluded.sentence,
           collectible_cents = excluded.collectible_cents, cancels_promises = excluded.cancels_promises
     where collections_step.status = 'awaiting-approval'`,
    { ...key, steps: JSON.stringify(steps) },
  );
}

async function recordContacts(tx: Tx, key: CaseKey, recording: CaseRecording): Promise<void> {
  const { life, effects, currency } = recording;
  const { tenantId, accountId, debtClass } = key;
  const contacts = life.steps
    .filter(({ status }) => status === 'done')
    .map(({ runNo, stepId, kind, atMs, doneOn, collectibleCents, sentence }) => ({
      contactId: `${accountId}.${debtClass}.${runNo}.${stepId}`,
      channel: effects.get(stepId)?.channel ?? 'task',
      reason: `step/${runNo}/${stepId}`,
      ...{ runNo, stepId },
      payload: {
        tenantId,
        accountId,
        debtClass,
        runNo,
        stepId,
        kind,
        on: doneOn,
        collectibleCents,
        currency,
        sentence,
      },
      dueAt: new Date(atMs),
    }));
  if (contacts.length === 0) return;
  await rows(
    tx,
    `insert into contact (tenant_id, contact_id, account_id, debt_class, channel, reason, run_no, step_id, payload, due_at,
                          next_try_at)
     select :tenantId, c."contactId", :accountId, :debtClass, c.channel, c.reason, c."runNo", c."stepId", c.payload,
            c."dueAt", :now
       from json_to_recordset(cast(:contacts as json))
         as c("contactId" text, channel text, reason text, "runNo" integer, "stepId" text, payload jsonb,
              "dueAt" timestamptz)
     on conflict do nothing`,
    { ...key, contacts: JSON.stringify(contacts), now: new Date() },
  );
}

async function recordReviews(
  tx: Tx,
  key: CaseKey,
  reviews: readonly Review[],
  evidence: object,
  now: Date,
): Promise<void> {
  await rows(
    tx,
    `insert into collections_review (tenant_id, account_id, debt_class, review_no, decision, sentence, evidence, at,
                                     recorded_at)
     select :tenantId, :accountId, :debtClass,
            coalesce((select max(review_no) from collections_review where ${OF_CASE}), 0) + r.position,
            r.decision, r.sentence, cast(:evidence as jsonb), :now, :recordedAt
       from json_to_recordset(cast(:reviews as json)) as r(position integer, decision text, sentence text)`,
    {
      ...key,
      reviews: JSON.stringify(reviews.map((review, index) => ({ ...review, position: index + 1 }))),
      evidence: JSON.stringify(evidence),
      now,
      recordedAt: new Date(),
    },
  );
}
