/**
 * Local dates and instants for the oracle, on nothing but Intl and Date: shares no code with the engine, so that a
 * mistake about a DST night on one side shows on the other.
 */
const HOUR_MS = 3_600_000;
const QUARTER_MS = 900_000;

const clocks = new Map<string, Intl.DateTimeFormat>();
const midnights = new Map<string, number>();

/** `YYYY-MM-DDTHH:MM` on the wall clock of `timeZone` at that instant. */
export function wallClock(timeZone: string, ms: number): string {
  let clock = clocks.get(timeZone);
  if (clock === undefined) {
    clock = new Intl.DateTimeFormat('en-CA', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
    });
    clocks.set(timeZone, clock);
  }
  const part = Object.fromEntries(clock.formatToParts(ms).map(({ type, value }) => [type, value]));
  return `${part['year']}-${part['month']}-${part['day']}T${part['hour']}:${part['minute']}`;
}

/** The local calendar date of an instant. */
export function localDate(timeZone: string, ms: number): string {
  return wallClock(timeZone, ms).slice(0, 10);
}

/** Calendar arithmetic on a plain date; no zone takes part in it. */
export function plusDays(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * 24 * HOUR_MS).toISOString().slice(0, 10);
}

/**
 * The first instant of a local day: walk in quarter hours (every zone changes its clock on one) from well before the
 * day anywhere on earth until the calendar there shows it. Where midnight is skipped, this is the first hour there is.
 */
export function startOfDay(timeZone: string, date: string): number {
  const key = `${timeZone} ${date}`;
  const known = midnights.get(key);
  if (known !== undefined) return known;
  let ms = Date.parse(`${date}T00:00:00Z`) - 16 * HOUR_MS;
  while (localDate(timeZone, ms) < date) ms += QUARTER_MS;
  midnights.set(key, ms);
  return ms;
}

/** 24:00 of a local day, which is the first instant of the next (R4). */
export function endOfDay(timeZone: string, date: string): number {
  return startOfDay(timeZone, plusDays(date, 1));
}

/** `YYYY-MM-DD`, `YYYY-MM-DD HH:MM` or `YYYY-MM-DDTHH:MM` as an instant; a bare date is noon; the earlier of two. */
export function instantOf(timeZone: string, local: string): number {
  const wanted = local.length === 10 ? `${local}T12:00` : local.replace(' ', 'T');
  const minute = 60_000;
  const from = startOfDay(timeZone, wanted.slice(0, 10));
  for (let ms = from; ms < from + 26 * HOUR_MS; ms += QUARTER_MS) {
    const shown = wallClock(timeZone, ms);
    const ahead = Number(wanted.slice(14)) - Number(shown.slice(14));
    if (shown.slice(0, 13) === wanted.slice(0, 13) && ahead >= 0 && ahead < 15) return ms + ahead * minute;
  }
  throw new Error(`${local} does not exist in ${timeZone}`);
}
