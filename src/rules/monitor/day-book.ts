import type { EpochMs } from '../calendar';
import type { Amendment, Payment, PromiseFacts, Reason } from '../facts';

/** Something that a nightly batch finds written down of one instant of the day before. */
export type Entry =
  | { readonly kind: 'reversed' | 'posted'; readonly atMs: EpochMs; readonly payments: readonly Payment[] }
  | { readonly kind: 'cleared' | 'approved' | 'refused'; readonly atMs: EpochMs }
  | { readonly kind: 'amended'; readonly atMs: EpochMs; readonly amendment: Amendment }
  | { readonly kind: 'cancelled'; readonly atMs: EpochMs; readonly reason: Reason };

/** Of one instant, in this order. */
const KINDS: readonly Entry['kind'][] = [
  'reversed',
  'posted',
  'cleared',
  'approved',
  'refused',
  'amended',
  'cancelled',
];

/** What is known of a promise up to an instant, in order; what was posted together stands together. */
export function dayBook(facts: PromiseFacts, toMs: EpochMs): readonly Entry[] {
  const { debtClass, clearings, amendments, approval, cancellation } = facts;
  const payments = facts.payments.filter((payment) => payment.debtClass === debtClass);
  const bounced = payments.filter(({ reversal }) => reversal !== null);
  const decision = approval?.decision ?? null;
  const entries: Entry[] = [
    ...together('reversed', bounced, ({ reversal, postedAtMs }) => reversal?.postedAtMs ?? postedAtMs),
    ...together('posted', payments, ({ postedAtMs }) => postedAtMs),
    ...clearings.map((atMs): Entry => ({ kind: 'cleared', atMs })),
    ...(decision === null ? [] : [decided(decision)]),
    ...amendments.map((amendment): Entry => ({ kind: 'amended', atMs: amendment.atMs, amendment })),
    ...(cancellation === null ? [] : [{ kind: 'cancelled' as const, ...cancellation }]),
  ];
  return entries
    .filter(({ atMs }) => atMs <= toMs)
    .sort((a, b) => a.atMs - b.atMs || KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind));
}

function decided({ atMs, approved }: { readonly atMs: EpochMs; readonly approved: boolean }): Entry {
  return { kind: approved ? 'approved' : 'refused', atMs };
}

function together(
  kind: 'reversed' | 'posted',
  payments: readonly Payment[],
  instantOf: (payment: Payment) => EpochMs,
): Entry[] {
  const byInstant = new Map<EpochMs, Payment[]>();
  for (const payment of payments) {
    const atMs = instantOf(payment);
    byInstant.set(atMs, [...(byInstant.get(atMs) ?? []), payment]);
  }
  return [...byInstant].map(([atMs, all]) => ({ kind, atMs, payments: all }));
}
