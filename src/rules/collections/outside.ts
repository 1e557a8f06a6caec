/** Where a tenant's outcomes go: to Troth's own collections, or to a system outside. Settings never hold a secret. */
export type CollectionsTarget = { readonly kind: 'troth' } | WebhookTarget | FileTarget | WorkflowTarget;

/** Each message is posted to a URL. */
export interface WebhookTarget {
  readonly kind: 'webhook';
  readonly url: string;
  /** The name of the environment variable that holds the key of the signature; null: messages are not signed. */
  readonly secretEnv: string | null;
  readonly timeoutSeconds: number;
}

/** Each message is written as a file. */
export interface FileTarget {
  readonly kind: 'file';
  readonly folder: string;
  /** `written`: done once the file is there; `by-file`: once `NAME.ack` is there beside it. */
  readonly acknowledge: 'written' | 'by-file';
  readonly resendAfterMinutes: number;
}

/** Each message is a signal to a workflow of the utility's own, which is started when it does not run. */
export interface WorkflowTarget {
  readonly kind: 'workflow';
  readonly workflowType: string;
  readonly taskQueue: string;
  /** Such as `dunning/{tenant}/{accountId}/{debtClass}`. */
  readonly workflowId: string;
  readonly signal: string;
  /** Null: the namespace that Troth itself lives in. */
  readonly namespace: string | null;
}

/** What a workflow id may be made of. */
export const ID_PARTS = ['tenant', 'accountId', 'debtClass', 'promiseId'] as const;

/** The names in braces of a pattern, in their order. */
export function partsOf(pattern: string): string[] {
  return [...pattern.matchAll(/\{([^{}]*)\}/g)].map((match) => match[1] ?? '');
}

/** The id of the workflow that a message goes to, by the target's pattern. */
export function outsideWorkflowId(
  pattern: string,
  message: {
    readonly tenantId: string;
    readonly accountId: string;
    readonly debtClass: string;
    readonly promiseId: string;
  },
): string {
  const parts: Readonly<Record<string, string>> = { ...message, tenant: message.tenantId };
  return pattern.replace(/\{([^{}]*)\}/g, (whole, name: string) => parts[name] ?? whole);
}

const LAST_LOOK_MS = 60_000;
const FIRST_LOOK_MS = 1000;

/** How soon to look for an acknowledgement again: a tenth of what was waited already, from 1 s to 60 s. */
export function lookAgainAfterMs(waitedMs: number): number {
  return Math.min(LAST_LOOK_MS, Math.max(FIRST_LOOK_MS, Math.round(waitedMs / 10)));
}
