import type { Problem } from '../platform/errors';
import type { LocalDate } from '../rules/calendar';
import type { Refusal } from '../rules/limits';
import { nthDueDate, type Frequency } from '../rules/schedules/schedule';

/** A mistake in a part of a scenario: where it stands in that part, and what to do. */
export interface Mistake {
  readonly path: (string | number)[];
  readonly message: string;
}

/** A mistake for which a promise can be no promise, so that it is refused where the file says so. */
export interface Fault extends Mistake {
  readonly refusal: Refusal;
}

interface ToldPart {
  readonly dueDate: LocalDate;
  readonly amountCents: number;
  readonly transaction?: string;
}

interface ToldPromise {
  readonly startDate: LocalDate;
  readonly installments?: readonly ToldPart[];
  readonly repeat?: {
    readonly firstDueDate: LocalDate;
    readonly amountCents: number;
    readonly frequency: Frequency;
    readonly count: number | null;
  };
  readonly accepted?: boolean;
  readonly refusal?: string;
}

const MIXED = 'name a transaction on every one of them, or on none (R24)';
const IDLE = 'needs "accepted": false beside it';

/** What is wrong with a promise of which each field is right by itself. */
export function promiseMistakes(told: ToldPromise): Mistake[] {
  const { installments, repeat } = told;
  const mistakes: Mistake[] = [];
  if ((installments === undefined) === (repeat === undefined)) {
    mistakes.push({ path: ['installments'], message: 'are needed, or repeat, not both' });
  }
  if (totalOf(told) > Number.MAX_SAFE_INTEGER) {
    const message = `comes to more than ${Number.MAX_SAFE_INTEGER} cents`;
    mistakes.push({ path: [installments === undefined ? 'repeat' : 'installments'], message });
  }
  const faults = told.accepted === false ? [] : scheduleFaults(told);
  const shown = faults.map(({ path, message }) => ({ path, message }));
  return [...mistakes, ...shown, ...mixedMistakes(told), ...idleMistakes(told)];
}

function totalOf({ installments = [], repeat }: ToldPromise): number {
  const repeated = repeat === undefined ? 0 : repeat.amountCents * (repeat.count ?? 1);
  return installments.reduce((total, { amountCents }) => total + amountCents, repeated);
}

/** What no enrollment can be: an installment of nothing, a date before the start, a first date that does not fit. */
export function scheduleFaults({ startDate, installments = [], repeat }: ToldPromise): Fault[] {
  const faults: Fault[] = [];
  const fault = (path: Fault['path'], field: string, value: string, message: string): void => {
    faults.push({ path, message, refusal: { limit: 'schedule', field, value, message } });
  };
  const look = (due: LocalDate, amountCents: number, place: Fault['path'], dateField: string): void => {
    if (amountCents === 0) {
      fault([...place, 'amountCents'], 'amountCents', '0 cents', 'must be more than zero');
    }
    if (due < startDate) {
      const message = `lies before the promise's start date, ${startDate}`;
      fault([...place, dateField], 'dueDate', due, message);
    }
  };
  for (const [index, { dueDate, amountCents }] of installments.entries()) {
    look(dueDate, amountCents, ['installments', index], 'dueDate');
  }
  if (repeat === undefined) return faults;
  const { firstDueDate, amountCents, frequency } = repeat;
  look(firstDueDate, amountCents, ['repeat'], 'firstDueDate');
  try {
    nthDueDate(firstDueDate, frequency, 0);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const message = `does not fit: ${error.message}`;
    fault(['repeat', 'firstDueDate'], 'dueDate', firstDueDate, message);
  }
  return faults;
}

/** R24: some parts pay open items and some do not, which then could never be paid. */
export function mixedMistakes({ installments = [] }: Pick<ToldPromise, 'installments'>): Mistake[] {
  const bound = installments.filter(({ transaction }) => transaction !== undefined).length;
  const isMixed = bound > 0 && bound < installments.length;
  return isMixed ? [{ path: ['installments'], message: MIXED }] : [];
}

/** Words of a refusal where none is expected: nothing could ever have them. */
export function idleMistakes({
  accepted = true,
  refusal,
}: Pick<ToldPromise, 'accepted' | 'refusal'>): Mistake[] {
  return accepted && refusal !== undefined ? [{ path: ['refusal'], message: IDLE }] : [];
}

/** What stands twice in a list where it may stand once. */
export function twinProblems<K extends string>(
  list: string,
  key: K,
  all: readonly Readonly<Record<K, string>>[] = [],
): Problem[] {
  return all.flatMap((one, index) =>
    all.findIndex((other) => other[key] === one[key]) === index
      ? []
      : [{ field: `${list}.${index}.${key}`, value: one[key], message: 'stands twice' }],
  );
}
