/** What became of an attempt to send a message. */
export type Sent =
  | { readonly kind: 'acknowledged'; readonly by: string }
  /** It lies with the receiver, who has not acknowledged it; `sentNow` is false when it was only looked for. */
  | { readonly kind: 'sent'; readonly sentNow: boolean; readonly waitedMs: number }
  | { readonly kind: 'failed'; readonly error: string };

/** It did not get there, and why. */
export function failed(error: string): Sent {
  return { kind: 'failed', error };
}
