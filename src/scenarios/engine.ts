import { WorkflowNotFoundError, type WorkflowHandle } from '@temporalio/client';
import type { AmendReply, ApprovalReply, CancelReply } from '../../workflows/messages';
import { cancelBySystem } from '../enrollment/cancel';
import { enroll } from '../enrollment/enroll';
import { loadFacts } from '../ledger/promises/facts';
import { postPayment, postReversal, REVERSAL_REASONS } from '../ledger/payments';
import { getTenant, tenantNow } from '../ledger/tenants';
import { clearBalance, recordItem } from '../ledger/transactions';
import type { Problem } from '../platform/errors';
import { promiseWorkflowId } from '../platform/ids';
import {
  addDays,
  epochMs,
  localDate,
  localDateAt,
  startOfDayMs,
  type EpochMs,
  type LocalDate,
} from '../rules/calendar';
import { evaluate, type Evaluation } from '../rules/decide';
import type { PromiseFacts } from '../rules/facts';
import { cents, type Cents } from '../rules/money';
import type { Expectation, Scenario, ScenarioEvent, ScenarioPromise } from '../rules/scenario/scenario';
import { formatFrequency } from '../rules/schedules/schedule';
import { collectible } from '../rules/collections/shield';
import { standingOf } from '../rules/collections/standing';
import { compare, compareReply, type Checked } from '../rules/scenario/check';
import { askedAt, EVENT_ORDER, momentMs, postedMsOf } from '../rules/scenario/moments';
import { arrearsOn, World, type Look } from '../rules/scenario/world';
import { playedOf, type Player } from './play';
import { ACCOUNT, ACTOR, DEBT_CLASS, Sandbox, type EngineDeps } from './sandbox';

const ARREARS = 'ARREARS';
const UPDATE_LIMIT_MS = 30_000;
/** A sandbox's clock ticks on while we look: so near to a judge time we look a little earlier. */
const CLOSE_MS = 5 * 60_000;
const EARLIER_MS = 60_000;

/**
 * Plays a scenario on the running engine (`troth simulate --engine`): a throw-away sandbox tenant, promises enrolled and
 * money posted through the ledger, cancels, amendments and approvals through the workflows, the clock moved from one
 * thing to the next; then every expectation is compared with what the ledger has. What an expectation asks of a moment
 * between other events of its day is played in a tenant of its own.
 * @throws Error when the engine does not come to rest within a minute.
 */
export async function checkOnEngine(scenario: Scenario, deps: EngineDeps): Promise<Checked[]> {
  const alone = scenario.expect.filter((expectation) => needsOwnPlay(scenario, expectation));
  const together = scenario.expect.filter((expectation) => !alone.includes(expectation));
  const checks = await new Play(scenario, together, deps).run();
  for (const expectation of alone) {
    const own = await new Play(scenario, [expectation], deps).run();
    checks.push(...own.filter(({ expected }) => 'status' in expected || !('accepted' in expected)));
  }
  return checks;
}

// A bare date sees what is posted later on it; taken early, that must not come before something that time decides.
function needsOwnPlay(scenario: Scenario, { on }: Expectation): boolean {
  const { atMs, seenToMs } = askedAt(on, scenario.tenant.timeZone);
  const posted = scenario.events.map((event) => postedMsOf(event, scenario.tenant.timeZone));
  return posted.some((ms) => ms > atMs && ms <= seenToMs);
}

/** The running engine as a player of scenarios. */
export function playOnEngine(deps: EngineDeps): Player {
  return async (scenario) => playedOf(scenario, await checkOnEngine(scenario, deps));
}

interface Step {
  readonly atMs: EpochMs;
  readonly order: number;
  readonly run: () => Promise<void>;
}

class Play {
  readonly #scenario: Scenario;
  readonly #expect: readonly Expectation[];
  readonly #deps: EngineDeps;
  readonly #sandbox: Sandbox;
  readonly #checks: Checked[] = [];
  readonly #enrolled = new Set<string>();

  constructor(scenario: Scenario, expect: readonly Expectation[], deps: EngineDeps) {
    this.#scenario = scenario;
    this.#expect = expect;
    this.#deps = deps;
    this.#sandbox = new Sandbox(scenario, deps);
  }

  async run(): Promise<Checked[]> {
    const steps = this.#steps();
    const firstMs = Math.min(...steps.map(({ atMs }) => atMs));
    await this.#sandbox.create(epochMs(firstMs - 3_600_000));
    try {
      for (const { atMs, run } of steps) {
        await this.#sandbox.reach(atMs);
        await run();
        await this.#sandbox.rest();
      }
      if (this.#expect.length > 0) await this.#checkCollections();
      return this.#checks;
    } finally {
      await this.#sandbox.remove();
    }
  }

  get #zone(): string {
    return this.#scenario.tenant.timeZone;
  }

  #steps(): Step[] {
    const { promises, events, transactions, policy, arrears } = this.#scenario;
    const [only] = this.#expect;
    const moved = this.#expect.length === 1 && only !== undefined ? askedAt(only.on, this.#zone) : undefined;
    const at = (ms: EpochMs): EpochMs =>
      moved !== undefined && ms > moved.atMs && ms <= moved.seenToMs ? this.#lookMs(moved) : ms;
    const begins = promises.map(({ startDate }) => startDate).sort()[0] ?? localDate('2025-01-01');
    const steps: Step[] = [
      ...promises.map((promise): Step => {
        const atMs = startOfDayMs(promise.startDate, this.#zone);
        return { atMs, order: EVENT_ORDER.enroll, run: () => this.#enroll(promise, atMs) };
      }),
      ...events.map((event, index): Step => {
        const atMs = at(postedMsOf(event, this.#zone));
        return { atMs, order: EVENT_ORDER[event.type], run: () => this.#happen(event, index, atMs) };
      }),
      ...transactions.map((item): Step => {
        const issued = item.issued ?? addDays(begins, -1);
        const day = issued < begins ? begins : issued;
        return {
          atMs: startOfDayMs(day, this.#zone),
          order: EVENT_ORDER.enroll - 1,
          run: () => this.#record(item.id, item.amountCents, item.amountCents, item.dueDate, issued),
        };
      }),
    ];
    if ((policy.limits.totalVersusArrears ?? 'any') !== 'any' && arrears !== null) {
      const most = cents(Math.max(1, ...arrears.map((one) => one.cents)));
      const day = (from: LocalDate): LocalDate => (from < begins ? begins : from);
      for (const one of [...arrears].sort((a, b) => (a.from < b.from ? -1 : 1))) {
        const atMs = startOfDayMs(day(one.from), this.#zone);
        const record = () => this.#record(ARREARS, most, one.cents, begins, addDays(begins, -1));
        steps.push({ atMs, order: EVENT_ORDER.enroll - 1, run: record });
      }
    }
    const looks = this.#expect.map((expectation): Step => {
      const asked = askedAt(expectation.on, this.#zone);
      return { atMs: this.#lookMs(asked), order: Infinity, run: () => this.#look(expectation, asked) };
    });
    return [...steps, ...looks].sort((a, b) => a.atMs - b.atMs || a.order - b.order);
  }

  // The engine's clock ticks on while it is asked.
  #lookMs({ atMs, seenToMs }: ReturnType<typeof askedAt>): EpochMs {
    const world = new World(this.#scenario, { fromMs: atMs, toMs: seenToMs });
    world.advance(atMs);
    const tickMs = world.nextTickMs();
    return tickMs !== null && tickMs - atMs < CLOSE_MS ? epochMs(atMs - EARLIER_MS) : atMs;
  }

  async #record(
    id: string,
    amount: Cents,
    open: Cents,
    dueDate: LocalDate,
    issuedDate: LocalDate,
  ): Promise<void> {
    await recordItem(this.#deps.ledger, this.#sandbox.tenantId, {
      ...{ transactionId: id, accountId: ACCOUNT, debtClass: DEBT_CLASS },
      ...{ amountCents: amount, openCents: open, dueDate, issuedDate },
    });
  }

  async #enroll(promise: ScenarioPromise, atMs: EpochMs): Promise<void> {
    const { id, payor, startDate, parts, repeat } = promise;
    const input = {
      ...{
        promiseId: id,
        tenantId: this.#sandbox.tenantId,
        accountId: ACCOUNT,
        debtClass: DEBT_CLASS,
        payor,
        startDate,
      },
      ...(repeat === null ? { installments: parts } : { repeat: repeatOf(repeat) }),
    };
    const realNowMs = Math.max(atMs - (await this.#sandbox.offsetMs()), 0);
    const answer = await enroll(this.#deps.ledger, input, { actor: ACTOR, realNowMs });
    if (answer.result !== 'refused') this.#enrolled.add(id);
    this.#reply(promise, id, 'enroll', atMs, answer.result === 'refused' ? answer.problems : []);
  }

  #reply(
    told: ScenarioPromise | ScenarioEvent,
    promise: string,
    what: string,
    atMs: EpochMs,
    problems: readonly Problem[],
  ): void {
    const about = { on: localDateAt(atMs, this.#zone), promise, what };
    this.#checks.push(...compareReply(told, about, problems));
  }

  async #happen(event: ScenarioEvent, index: number, atMs: EpochMs): Promise<void> {
    const { ledger } = this.#deps;
    const tenantId = this.#sandbox.tenantId;
    switch (event.type) {
      case 'payment': {
        const tenders = event.tenders.map((tender) => ({ ...tender, tenderType: 'cash' }));
        const { id: paymentId, amountCents, applied } = event;
        const receivedAtMs = momentMs(event.at, this.#zone);
        const what = { accountId: ACCOUNT, debtClass: DEBT_CLASS, currency: 'USD', amountCents, applied };
        await postPayment(ledger, tenantId, { paymentId, receivedAtMs, postedAtMs: atMs, tenders, ...what });
        return;
      }
      case 'reversal': {
        const effectiveDate = localDateAt(momentMs(event.at, this.#zone), this.#zone);
        const reason = REVERSAL_REASONS.find((known) => known === event.reason) ?? 'other';
        const { payment: paymentId } = event;
        await postReversal(ledger, tenantId, { paymentId, effectiveDate, reason, postedAtMs: atMs });
        return;
      }
      case 'cancel': {
        const cancel = { reason: event.reason, note: 'scenario', actor: ACTOR };
        const problems = await this.#ask<CancelReply>(event.promise, 'cancel', cancel, index);
        this.#reply(event, event.promise, 'cancel', atMs, problems);
        return;
      }
      case 'amend': {
        const amend = { installments: event.parts, actor: ACTOR };
        const problems = await this.#ask<AmendReply>(event.promise, 'amend', amend, index);
        this.#reply(event, event.promise, 'amend', atMs, problems);
        return;
      }
      case 'approve':
      case 'reject': {
        const decision = { approved: event.type === 'approve', actor: 'a second person' };
        await this.#ask<ApprovalReply>(event.promise, 'approve', decision, index);
        return;
      }
      case 'balance-cleared':
        await clearBalance(
          ledger,
          tenantId,
          { accountId: ACCOUNT, debtClass: DEBT_CLASS },
          { actor: ACTOR, note: null },
        );
        return;
      case 'service-stopped':
      case 'account-closed':
      case 'collection-event':
        await cancelBySystem(
          ledger,
          tenantId,
          { accountId: ACCOUNT, debtClass: DEBT_CLASS, event: event.type },
          { actor: ACTOR, realNowMs: Date.now(), relayAfterMs: 0, wakeWorkflow: true },
        );
    }
  }

  /** Asks a promise's workflow, as staff do. @returns what stands against it. */
  async #ask<Reply extends { result: string }>(
    promiseId: string,
    update: string,
    request: object,
    index: number,
  ): Promise<readonly Problem[]> {
    const gone = { field: 'promiseId', value: promiseId };
    if (!this.#enrolled.has(promiseId)) return [{ ...gone, message: 'was never enrolled' }];
    try {
      const reply = await this.#deps.client.withDeadline(Date.now() + UPDATE_LIMIT_MS, () =>
        this.#handle(promiseId).executeUpdate<Reply, [object]>(update, {
          args: [request],
          updateId: `event-${index}`,
        }),
      );
      return reply.result === 'refused' ? (reply as unknown as { problems: Problem[] }).problems : [];
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return [{ ...gone, message: 'has ended' }];
      throw error;
    }
  }

  #handle(promiseId: string): WorkflowHandle {
    return this.#deps.client.getHandle(promiseWorkflowId(this.#sandbox.tenantId, promiseId));
  }

  async #look(expectation: Expectation, asked: ReturnType<typeof askedAt>): Promise<void> {
    const { ledger } = this.#deps;
    const tenantId = this.#sandbox.tenantId;
    const stored = await this.#sandbox.stored();
    const looks = await ledger.forTenant(tenantId, async (tx) => {
      const nowMs = Math.max(asked.atMs, tenantNow(await getTenant(tx, tenantId)));
      const all: { promiseId: string; facts: PromiseFacts; life: Evaluation }[] = [];
      for (const { promiseId, status, reason } of stored) {
        const facts = await loadFacts(tx, tenantId, promiseId);
        // What was decided is read, not computed: the engine's own row must say it.
        const life = { ...evaluate(facts, epochMs(nowMs)), status, reason };
        all.push({ promiseId, facts, life });
      }
      return all;
    });
    const own = looks.find(({ promiseId }) => promiseId === expectation.promise);
    const look: Look | undefined = own && {
      ...own,
      standing: standingOf(own.life, asked.today),
      collectible: this.#collectible(looks, asked.today),
    };
    this.#checks.push(compare(expectation, look));
  }

  #collectible(
    looks: readonly { promiseId: string; facts: PromiseFacts; life: Evaluation }[],
    today: LocalDate,
  ): Look['collectible'] {
    const arrears = arrearsOn(this.#scenario, today);
    if (arrears === null) return null;
    const promises = looks.map(({ promiseId, facts, life }) => ({ promiseId, policy: facts.policy, life }));
    return collectible(arrears, promises);
  }

  /** Each final decision must have reached collections exactly once. */
  async #checkCollections(): Promise<void> {
    const { verdicts, received } = await this.#sandbox.outcomes();
    if (received === verdicts) return;
    this.#checks.push({
      expected: { collections: 'hears every outcome once', outcomes: verdicts },
      actual: { outcomes: received },
      holds: false,
    });
  }
}

function repeatOf(repeat: NonNullable<ScenarioPromise['repeat']>): object {
  const { amountCents, frequency, firstDueDate, count, untilDate, autoManaged } = repeat;
  return {
    ...{ amountCents, frequency: formatFrequency(frequency), firstDueDate, autoManaged },
    ...(count === null ? {} : { count }),
    ...(untilDate === null ? {} : { untilDate }),
  };
}
