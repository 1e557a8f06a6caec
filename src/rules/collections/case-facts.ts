import type { BusinessCalendar } from '../business-days';
import type { EpochMs, LocalDate } from '../calendar';
import type { Cents } from '../money';
import type { AgedPart, Hold, ProcessDefinition, ProcessStep } from './process';

/** Why a run of a process ended. */
export type RunEnd = 'paid' | 'shielded' | 'restarted' | 'completed' | 'closed';

/** One run of a collections process over a debt. */
export interface Run {
  readonly runNo: number;
  readonly processVersion: number;
  readonly status: 'running' | 'paused' | 'cancelled' | 'completed';
  /** Day 0: offsets of steps count from it. */
  readonly dayZero: LocalDate;
  readonly startedAtMs: EpochMs;
  readonly pausedOn: LocalDate | null;
  /** `hold:ID` or `promise:ID`. */
  readonly pausedWhy: string | null;
  readonly endedAtMs: EpochMs | null;
  readonly endReason: RunEnd | null;
}

/** What has become of a step of a run. */
export interface StepRecord {
  readonly runNo: number;
  readonly stepId: string;
  readonly kind: ProcessStep['kind'];
  readonly status: 'awaiting-approval' | 'done' | 'refused' | 'skipped';
  readonly dueOn: LocalDate;
  readonly doneOn: LocalDate | null;
  readonly atMs: EpochMs;
  /** What could be collected then; never shielded money. */
  readonly collectibleCents: Cents;
  readonly sentence: string;
  /** A person's yes or no; null while it is awaited, or was never needed. */
  readonly approved: boolean | null;
}

/** What may be collected of a debt, as the shield leaves it (R30). */
export interface CaseDebt {
  /** Past due today, after the money that came since the CIS said so. */
  readonly arrearsCents: Cents;
  readonly collectibleCents: Cents;
  /** Of what is not shielded: what fell due when, what is to come included. */
  readonly unshielded: readonly AgedPart[];
}

/** Something that ended a promise, or took money from a kept one. */
export interface LastOutcome {
  readonly kind: 'kept' | 'broken' | 'cancelled' | 'reversed';
  readonly promiseId: string;
  /** R21; null for money that was taken. */
  readonly reason: string | null;
  readonly atMs: EpochMs;
}

/** Everything that decides a collections case. */
export interface CaseFacts {
  readonly currency: string;
  readonly timeZone: string;
  readonly calendar: BusinessCalendar;
  /** The process of the debt class: that of the open run, else the newest; null where the tenant has none. */
  readonly process: { readonly version: number; readonly definition: ProcessDefinition } | null;
  /** Null: the CIS has not said what is owed. */
  readonly debt: CaseDebt | null;
  /** Whether the case was open before. */
  readonly wasOpen: boolean;
  readonly openPromises: number;
  /** R30 `pause-all`: active promises that let nothing be collected. */
  readonly pausedBy: readonly string[];
  readonly holds: readonly Hold[];
  /** The newest run. */
  readonly run: Run | null;
  /** Of all runs, oldest first. */
  readonly steps: readonly StepRecord[];
  readonly lastOutcome: LastOutcome | null;
  /** When the debt was last gone, or its case closed by hand; null: never. What is owed since then is another debt. */
  readonly overAtMs: EpochMs | null;
  /** What could be collected when the case was last reviewed; null: it never was. */
  readonly reviewedCents: Cents | null;
}

export type Decision = 'start' | 'continue' | 'pause' | 'resume' | 'cancel' | 'complete' | 'close' | 'none';

/** One thing that was decided, explained. */
export interface Review {
  readonly decision: Decision;
  readonly sentence: string;
}

/** A case after everything that time and facts decide now. */
export interface CaseLife {
  readonly status: 'open' | 'closed';
  /** Runs that were begun or changed, in order; the last one is the newest. */
  readonly runs: readonly Run[];
  /** Steps that were recorded or changed. */
  readonly steps: readonly StepRecord[];
  readonly reviews: readonly Review[];
  /** The one sentence that says how the case stands. */
  readonly sentence: string;
  /** When time alone next decides something; null: when something happens. */
  readonly nextActAtMs: EpochMs | null;
}
