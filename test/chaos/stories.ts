import type { Client } from '@temporalio/client';
import { cancelPromise } from '../../src/enrollment/cancel';
import { enroll } from '../../src/enrollment/enroll';
import type { Ledger } from '../../src/ledger/connection';
import { isAway, isLostRace } from '../../src/ledger/database-errors';
import { enqueueNewlyDue } from '../../src/ledger/outbox';
import { postPayment, postReversal } from '../../src/ledger/payments';
import { moveClock } from '../../src/ledger/tenants';
import { promiseWorkflowId } from '../../src/platform/ids';
import { TrothError } from '../../src/platform/errors';
import { epochMs, localDateAt } from '../../src/rules/calendar';
import { cents } from '../../src/rules/money';
import type { CancelReply } from '../../workflows/messages';
import { startOfDay } from '../oracle/local-time';
import { randomStory, type OraclePayment, type OracleStory } from '../oracle/oracle';

const ZONE = 'America/New_York';
const DAY_MS = 86_400_000;
const AWAY_LIMIT_MS = 90_000;
const DEBT_CLASS = 'water';

/** A story of the oracle, told to the engine as a promise of an account of its own. */
export interface ToldStory {
  readonly story: OracleStory;
  readonly promiseId: string;
  readonly accountId: string;
  /** When its cancel was asked for in the end, in the tenant's time; the engine takes it as of that instant. */
  cancelAskedAtMs: number | undefined;
}

/** Seeded stories under the very options of the preset `default`, in the test tenants' zone. */
export function storiesOf(count: number, firstSeed: number): ToldStory[] {
  const told: ToldStory[] = [];
  for (let seed = firstSeed; told.length < count; seed += 1) {
    const story = randomStory(seed);
    const isDefault =
      story.timeZone === ZONE &&
      story.graceDays === 3 &&
      story.postingLagHours === 12 &&
      story.windowStart === undefined &&
      story.lateEvidence === 'rejudge' &&
      story.reversalAfterKept === 'reopen' &&
      story.reversalGraceDays === 0 &&
      story.toleranceCents === 0 &&
      story.payments.every(({ amountCents }) => amountCents > 0); // the ledger takes no payment of nothing
    if (!isDefault) continue;
    told.push({ story, promiseId: `P${seed}`, accountId: `A${seed}`, cancelAskedAtMs: undefined });
  }
  return told;
}

/** Something that the outside world does to the engine at one instant of the tenant's time. */
export interface Happening {
  readonly atMs: number;
  readonly told: ToldStory;
  readonly kind: 'enroll' | 'pay' | 'reverse' | 'cancel';
  readonly payment?: OraclePayment;
}

/** Everything that happens in some stories, in the order of time. */
export function happeningsOf(stories: readonly ToldStory[]): Happening[] {
  const all = stories.flatMap((told): Happening[] => {
    const { story } = told;
    const enrolledAtMs = startOfDay(story.timeZone, story.startDate);
    return [
      { atMs: enrolledAtMs, told, kind: 'enroll' },
      ...story.payments.flatMap((payment): Happening[] => [
        { atMs: payment.postedAtMs, told, kind: 'pay', payment },
        ...(payment.reversal === undefined
          ? []
          : [{ atMs: payment.reversal.postedAtMs, told, kind: 'reverse' as const, payment }]),
      ]),
      ...(story.cancelAtMs === undefined
        ? []
        : [{ atMs: Math.max(story.cancelAtMs, enrolledAtMs), told, kind: 'cancel' as const }]),
    ];
  });
  return all.sort((a, b) => a.atMs - b.atMs); // stable: a payment is posted before it is reversed
}

/** The sandbox's first moment for some happenings: a day before the first. */
export function beginning(happenings: readonly Happening[]): number {
  return (happenings[0]?.atMs ?? Date.now()) - DAY_MS;
}

/** Tells stories to a ledger, moving the sandbox's clock; keeps on while the database is away. */
export class Teller {
  /** Payments that the engine took: none of them may be lost. */
  readonly accepted = new Map<string, number>();
  readonly reversed = new Set<string>();
  readonly #ledger: Ledger;
  readonly #client: Client;
  readonly #tenantId: string;
  #clockOffsetMs: number;

  constructor(ledger: Ledger, client: Client, tenantId: string, clockOffsetMs: number) {
    this.#ledger = ledger;
    this.#client = client;
    this.#tenantId = tenantId;
    this.#clockOffsetMs = clockOffsetMs;
  }

  /** Moves the clock, unless its own ticking has come that far. */
  async moveTo(toMs: number): Promise<void> {
    await whateverComes(async () => {
      if (Date.now() + this.#clockOffsetMs >= toMs) return;
      try {
        await this.#ledger.forTenant(this.#tenantId, async (tx) => {
          const moved = await moveClock(tx, this.#tenantId, epochMs(toMs), 'test');
          await enqueueNewlyDue(tx, this.#tenantId, moved);
          this.#clockOffsetMs = moved.clockOffsetMs;
        });
      } catch (error) {
        // The move before this one went through and its answer was lost.
        if (!(error instanceof TrothError && error.code === 'CLOCK_GOES_BACK')) throw error;
      }
    });
  }

  async tell(happening: Happening): Promise<void> {
    await this.moveTo(happening.atMs);
    const { kind, told, payment } = happening;
    if (kind === 'enroll') await this.#enroll(told);
    else if (kind === 'cancel') await this.#cancel(told);
    else if (payment !== undefined && kind === 'pay') await this.#pay(told, payment);
    else if (payment !== undefined) await this.#reverse(told, payment);
  }

  async #enroll({ story, promiseId, accountId }: ToldStory): Promise<void> {
    const answer = await whateverComes(() =>
      enroll(
        this.#ledger,
        {
          tenantId: this.#tenantId,
          promiseId,
          accountId,
          debtClass: DEBT_CLASS,
          startDate: story.startDate,
          installments: story.installments,
        },
        { actor: 'test' },
      ),
    );
    if (answer.result === 'refused') throw new Error(JSON.stringify(answer));
  }

  async #pay({ promiseId, accountId }: ToldStory, payment: OraclePayment): Promise<void> {
    const paymentId = `${promiseId}-${payment.id}`;
    await whateverComes(() =>
      postPayment(this.#ledger, this.#tenantId, {
        paymentId,
        accountId,
        debtClass: DEBT_CLASS,
        amountCents: cents(payment.amountCents),
        currency: 'USD',
        receivedAtMs: epochMs(payment.receivedAtMs),
        postedAtMs: epochMs(payment.postedAtMs),
      }),
    );
    this.accepted.set(paymentId, payment.amountCents);
  }

  async #reverse({ promiseId }: ToldStory, payment: OraclePayment): Promise<void> {
    const { reversal } = payment;
    if (reversal === undefined) return;
    const paymentId = `${promiseId}-${payment.id}`;
    await whateverComes(() =>
      postReversal(this.#ledger, this.#tenantId, {
        paymentId,
        effectiveDate: localDateAt(epochMs(reversal.effectiveAtMs), ZONE),
        reason: 'nsf',
        postedAtMs: epochMs(reversal.postedAtMs),
      }),
    );
    this.reversed.add(paymentId);
  }

  /** Every other cancel comes as staff send it, to the workflow; the rest, and whatever fails there, to the ledger. */
  async #cancel(told: ToldStory): Promise<void> {
    const { promiseId, story } = told;
    const reason = story.cancelReason ?? 'customer_request';
    const toWorkflow = Number(promiseId.slice(1)) % 2 === 0;
    if (toWorkflow && (await this.#cancelByUpdate(told, reason))) return;
    await whateverComes(() => {
      const realNowMs = Date.now();
      told.cancelAskedAtMs = realNowMs + this.#clockOffsetMs;
      const options = { actor: 'test', realNowMs, wakeWorkflow: true, relayAfterMs: 0 };
      return cancelPromise(this.#ledger, this.#tenantId, promiseId, { reason }, options);
    });
  }

  async #cancelByUpdate(told: ToldStory, reason: string): Promise<boolean> {
    const handle = this.#client.workflow.getHandle(promiseWorkflowId(this.#tenantId, told.promiseId));
    try {
      await this.#client.withDeadline(Date.now() + 3_000, () =>
        handle.executeUpdate<CancelReply, [object]>('cancel', { args: [{ reason }] }),
      );
      told.cancelAskedAtMs = Date.now() + this.#clockOffsetMs;
      return true;
    } catch {
      return false; // it has ended, or Temporal is away
    }
  }
}

/** Does something that is safe to repeat until the database takes it. */
export async function whateverComes<T>(work: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + AWAY_LIMIT_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(isAway(error) || isLostRace(error)) || Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
