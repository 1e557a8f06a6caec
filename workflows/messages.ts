/**
 * What goes in and out of the workflows: names and shapes. Types and definitions only; everything here is evaluated
 * again for every workflow instance.
 */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { EnrollmentInput } from '../src/enrollment/enrollment';
import type { Problem } from '../src/platform/errors';

/** A promise that the ledger knows: started by the outbox after an enrollment by HTTP or file. */
export interface KnownPromise {
  readonly promiseId: string;
  /** Default: the tenant named in the workflow id `ptp/{tenant}/{promiseId}`. */
  readonly tenantId?: string;
  /** When the first verdict is due, epoch milliseconds of the tenant's time; absent: ask the ledger at once. */
  readonly nextJudgeAtMs?: number | null;
  /** What a sandbox's clock is ahead of the real one. */
  readonly clockOffsetMs?: number;
  readonly revision?: number;
  /** R25: it waits behind its gates; absent: it is active. */
  readonly pending?: boolean;
}

/** A promise that a CIS brings itself, with any Temporal client. */
export interface DirectEnrollment {
  readonly enrollment: EnrollmentInput;
}

export type PromiseInput = KnownPromise | DirectEnrollment;

export type PromiseEnd = 'kept' | 'broken' | 'cancelled';

/** What a promise's workflow returns. A refused enrollment is a result, not a failure. */
export type PromiseResult =
  | {
      readonly status: PromiseEnd;
      readonly promiseId: string;
      readonly revision: number;
      readonly sentence: string | null;
    }
  | { readonly status: 'refused'; readonly problems: readonly Problem[] }
  | { readonly status: 'known'; readonly promiseId: string; readonly workflowId: string };

/** The answer to the query `status`. Times are ISO 8601 in the tenant's (sandbox: moved) time. */
export interface PromiseStatusView {
  readonly promiseId: string | null;
  readonly status: 'enrolling' | 'pending' | 'active' | PromiseEnd | 'needs-attention';
  readonly revision: number;
  readonly nextJudgeAt: string | null;
  readonly sentence: string | null;
  readonly attention: string | null;
  /** Messages that could not be understood, newest last. */
  readonly notices: readonly string[];
}

export interface CancelRequest {
  readonly reason: string;
  readonly note?: string;
  readonly actor?: string;
}

export type CancelReply =
  | { readonly result: 'cancelled'; readonly sentence: string | null }
  | { readonly result: 'refused'; readonly problems: readonly Problem[] };

/** R18: the installments that replace all but the fully paid ones, or a change of one of them. */
export interface AmendRequest {
  readonly installments?: readonly {
    readonly dueDate: string;
    readonly amountCents: number;
    readonly transactionId?: string;
  }[];
  readonly change?: {
    readonly seq: number;
    readonly dueDate?: string;
    readonly amountCents?: number;
    readonly absorb?: 'last' | 'next' | 'spread' | 'none';
  };
  readonly note?: string;
  readonly actor?: string;
}

export type AmendReply =
  | { readonly result: 'amended'; readonly revision: number; readonly sentence: string | null }
  | { readonly result: 'refused'; readonly problems: readonly Problem[] };

/** R25: a second person's yes or no. */
export interface ApprovalRequest {
  readonly approved: boolean;
  readonly note?: string;
  readonly actor?: string;
}

export type ApprovalReply =
  | { readonly result: 'decided'; readonly status: PromiseStatusView['status'] }
  | { readonly result: 'refused'; readonly problems: readonly Problem[] };

export interface ClockMoved {
  readonly clockOffsetMs: number;
}

/** A hint that money came or went: read the ledger again. Losing it costs time, never correctness. */
export const paymentPosted = defineSignal('paymentPosted');
export const clockMoved = defineSignal<[ClockMoved]>('clockMoved');
/** The plain signal that staff send from Temporal UI or CLI; its answer shows in the details. */
export const cancelSignal = defineSignal<[unknown]>('cancel');
export const cancelUpdate = defineUpdate<CancelReply, [CancelRequest]>('cancel');
export const amendUpdate = defineUpdate<AmendReply, [AmendRequest]>('amend');
export const approveUpdate = defineUpdate<ApprovalReply, [ApprovalRequest]>('approve');
/** Leaves `needs attention` and tries again. */
export const retryUpdate = defineUpdate<PromiseStatusView>('retry');
export const statusQuery = defineQuery<PromiseStatusView>('status');

/** The account and debt class of a case; also what a collections workflow starts with. */
export interface CaseInput {
  readonly tenantId: string;
  readonly accountId: string;
  readonly debtClass: string;
}

/** What collections hears of a promise. */
export interface OutcomeSignal extends CaseInput {
  readonly outcomeId: string;
  readonly promiseId: string;
  readonly revision: number;
  readonly kind: 'activated' | 'missed' | 'amended' | 'reopened' | 'reversed' | PromiseEnd;
  readonly reason: string | null;
  readonly at: string;
}

export const promiseActivated = defineSignal<[OutcomeSignal]>('promiseActivated');
export const promiseKept = defineSignal<[OutcomeSignal]>('promiseKept');
export const promiseBroken = defineSignal<[OutcomeSignal]>('promiseBroken');
export const promiseCancelled = defineSignal<[OutcomeSignal]>('promiseCancelled');
/** An installment was missed that the policy allows to be missed, or that is only shown past due (R15). */
export const promiseMissed = defineSignal<[OutcomeSignal]>('promiseMissed');
/** R18: the same promise, in a new revision. */
export const promiseAmended = defineSignal<[OutcomeSignal]>('promiseAmended');
/** R15, R19: an ended promise is active again, in a new revision. */
export const promiseReopened = defineSignal<[OutcomeSignal]>('promiseReopened');
/** R19: money that had counted is gone; of a promise that stays as it is, collections must look at the account. */
export const paymentReversed = defineSignal<[OutcomeSignal]>('paymentReversed');
/** The debt, a hold, an approval or the sandbox's clock has changed: look at the ledger again. */
export const debtChanged = defineSignal('debtChanged');
/** Closes a case by hand, e.g. when the CIS says the debt is paid. */
export const closeCaseSignal = defineSignal('closeCase');
export const retryCaseUpdate = defineUpdate<CaseView>('retry');
export const caseQuery = defineQuery<CaseView>('case');

/** What a collections workflow starts with; the rest is handed on by a run whose history has grown. */
export interface CaseCarriedOver extends CaseInput {
  readonly recent?: CaseView['recent'];
  readonly waiting?: readonly OutcomeSignal[];
  readonly closeAsked?: boolean;
  /** Read the case from the ledger first: it is taken up again without a message. */
  readonly reload?: boolean;
}

/** The answer to the query `case`. */
export interface CaseView extends CaseInput {
  readonly status: 'open' | 'closed' | 'needs-attention';
  readonly keptCount: number;
  readonly brokenCount: number;
  readonly cancelledCount: number;
  readonly openPromises: number;
  /** How its process stands; null where the debt class has none, or the CIS has not said what is owed. */
  readonly sentence: string | null;
  /** When time alone next decides something, in the tenant's (sandbox: moved) time. */
  readonly nextActAt: string | null;
  /** The newest outcomes, oldest first; the ledger has all of them. */
  readonly recent: readonly { readonly outcomeId: string; readonly kind: string; readonly at: string }[];
  readonly waiting: number;
  readonly notices: readonly string[];
}

/** The workflows as their starters see them. */
export type PromiseToPay = (input: PromiseInput) => Promise<PromiseResult>;
export type Collections = (input: CaseCarriedOver) => Promise<CaseView>;
