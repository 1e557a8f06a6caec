import { formatDate } from '../calendar';
import { formatMoney } from '../money';
import type { CaseDebt } from './case-facts';
import type { Hold, ProcessStep } from './process';

/** Why something may be collected. */
export function whyOf({ arrearsCents, collectibleCents }: CaseDebt, currency: string): string {
  const arrears = formatMoney(arrearsCents, currency);
  return arrearsCents === collectibleCents
    ? `${arrears} is past due and nothing of it is promised`
    : `${formatMoney(collectibleCents, currency)} of ${arrears} past due is not promised`;
}

/** What keeps a process from going on. @param stop `hold:ID` or `promise:ID` */
export function stopWords(holds: readonly Hold[], stop: string): string {
  const [what, id] = [stop.slice(0, stop.indexOf(':')), stop.slice(stop.indexOf(':') + 1)];
  if (what === 'promise') return `promise ${id} lets nothing be collected while it is active`;
  const hold = holds.find(({ holdId }) => holdId === id);
  const until = hold?.until == null ? 'until it is released' : `through ${formatDate(hold.until)}`;
  // Without its kind: that can be about a person's health or death, and the sentence goes to Temporal.
  return `hold ${id} stands ${until}`;
}

/** `step final-notice (notice)` */
export function nameOf({ id, kind }: Pick<ProcessStep, 'id' | 'kind'>): string {
  return id === kind ? kindWords(kind) : `${kindWords(kind)} (${id})`;
}

/** `shut-off request` */
export function kindWords(kind: ProcessStep['kind']): string {
  return kind.replaceAll('-', ' ').replace('shut off', 'shut-off').replace('write off', 'write-off');
}

/** A sentence begins so. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** `1 day`, `2 days` */
export function countOf(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? '' : 's'}`;
}
