import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { problemsOf } from '../../enrollment/enrollment';
import type { Ledger } from '../../ledger/connection';
import { setCollectionsTarget, type TargetSet } from '../../ledger/collections/targets';
import type { Tenant } from '../../ledger/tenants';
import { tenantNow } from '../../ledger/tenants';
import { TrothError, type Problem } from '../../platform/errors';
import { ID_PARTS, partsOf, type CollectionsTarget } from '../../rules/collections/outside';

export const MAX_TIMEOUT_SECONDS = 60;
const DEFAULT_TIMEOUT_SECONDS = 10;
/** A month. */
export const MAX_RESEND_MINUTES = 43_200;
const DEFAULT_RESEND_MINUTES = 60;
const MAX_URL = 2000;
const MAX_NAME = 200;
const OWN_WORKFLOWS = ['ptp/', 'collections/'];

const printableName = z
  .string()
  .trim()
  .min(1, 'must not be empty')
  .max(MAX_NAME, `must have at most ${MAX_NAME} characters`)
  .regex(/^[^\p{Cc}]*$/u, 'must not have control characters');

function whole(least: number, most: number, unit: string) {
  const error = `must be a whole number of ${unit} from ${least} to ${most}`;
  return z.int({ error }).min(least, { error }).max(most, { error });
}

/** What is wrong with a URL, or undefined. */
function urlProblem(text: string): string | undefined {
  if (!URL.canParse(text)) return 'must be a whole URL, such as https://collections.example/troth';
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'must begin with https:// or http://';
  // It would be stored, shown and audited.
  if (url.username !== '' || url.password !== '') {
    return 'must hold no user or password; sign messages with --secret-env instead';
  }
  return url.hash === '' ? undefined : 'must have no #fragment';
}

const url = z
  .string()
  .max(MAX_URL, `must have at most ${MAX_URL} characters`)
  .superRefine((text, context) => {
    const message = urlProblem(text);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });

const webhook = z.strictObject({
  kind: z.literal('webhook'),
  url,
  secretEnv: z
    .string()
    .regex(
      /^[A-Z][A-Z0-9_]{0,99}$/,
      'must be the NAME of an environment variable of the worker, in capitals, such as TROTH_WEBHOOK_SECRET; never the secret itself',
    )
    .nullable()
    .default(null),
  timeoutSeconds: whole(1, MAX_TIMEOUT_SECONDS, 'seconds').default(DEFAULT_TIMEOUT_SECONDS),
});

const file = z.strictObject({
  kind: z.literal('file'),
  folder: z
    .string()
    .max(500, 'must have at most 500 characters')
    .regex(/^[^\p{Cc}]*$/u, 'must not have control characters')
    .refine(isAbsolute, 'must be a whole path, such as /var/spool/troth: the worker may run elsewhere'),
  acknowledge: z.enum(['written', 'by-file'], { error: 'must be written or by-file' }),
  resendAfterMinutes: whole(1, MAX_RESEND_MINUTES, 'minutes').default(DEFAULT_RESEND_MINUTES),
});

/** What is wrong with the pattern of a workflow id, or undefined. */
function patternProblem(pattern: string): string | undefined {
  const parts = partsOf(pattern);
  const known: readonly string[] = ID_PARTS;
  const unknown = parts.find((part) => !known.includes(part));
  if (unknown !== undefined || /[{}]/.test(pattern.replaceAll(/\{[^{}]*\}/g, ''))) {
    return `may have in braces only ${ID_PARTS.map((part) => `{${part}}`).join(', ')}`;
  }
  // Two tenants, or two accounts, must not meet in one workflow.
  if (!parts.includes('tenant') || !parts.includes('accountId')) {
    return 'must have {tenant} and {accountId}, such as dunning/{tenant}/{accountId}/{debtClass}';
  }
  const joined = /(\{\w+\})[A-Za-z0-9._-]*(\{\w+\})/.exec(pattern);
  if (joined !== null) {
    const [, one = '', next = ''] = joined;
    return `must have between ${one} and ${next} a sign that ids do not have, such as /: else two of them could make one id`;
  }
  return OWN_WORKFLOWS.some((own) => pattern.startsWith(own))
    ? "must not begin with ptp/ or collections/: those are Troth's own workflows"
    : undefined;
}

const workflow = z.strictObject({
  kind: z.literal('workflow'),
  workflowType: printableName,
  taskQueue: printableName,
  workflowId: printableName.superRefine((pattern, context) => {
    const message = patternProblem(pattern);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  }),
  signal: printableName.refine(
    (name) => !name.startsWith('__'),
    'must not begin with __, which Temporal reserves',
  ),
  namespace: printableName.nullable().default(null),
});

const troth = z.strictObject({ kind: z.literal('troth') });

const target = z.discriminatedUnion('kind', [troth, webhook, file, workflow], {
  error: 'must be troth, webhook, file or workflow',
});

/** Fields whose value may be a secret that somebody typed in the wrong place. */
const NEVER_SHOWN: readonly string[] = ['secretEnv', 'url', '(whole)'];

/** Reads the settings of a collections target. @returns it with every default filled in, or what is wrong with it. */
export function readTarget(
  input: unknown,
): { readonly target: CollectionsTarget } | { readonly problems: readonly Problem[] } {
  const parsed = target.safeParse(input);
  if (parsed.success) return { target: parsed.data };
  const problems = problemsOf(parsed.error, input);
  return {
    problems: problems.map((problem) =>
      NEVER_SHOWN.includes(problem.field) ? { ...problem, value: '' } : problem,
    ),
  };
}

/**
 * Sets where a tenant's outcomes go from now on; what nobody has acknowledged goes there, too. Audited.
 * @throws TrothError INPUT_INVALID naming each setting that is wrong, NOT_FOUND when there is no such tenant.
 */
export async function setTarget(
  ledger: Ledger,
  tenant: Tenant,
  input: unknown,
  actor: string,
): Promise<TargetSet & { readonly target: CollectionsTarget }> {
  const read = readTarget(input);
  if ('problems' in read) {
    const { problems } = read;
    throw new TrothError('INPUT_INVALID', 'The collections target was not set:', { problems });
  }
  const by = { actor, atMs: tenantNow(tenant) };
  const set = await ledger.forTenant(tenant.tenantId, (tx) =>
    setCollectionsTarget(tx, tenant.tenantId, read.target, by),
  );
  return { ...set, target: read.target };
}
