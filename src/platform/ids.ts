/**
 * Workflow ids, made here and, where somebody reads them, parsed here. They show in Temporal UI and are never encrypted: surrogate ids only.
 * This file has no imports, so that workflow code may use it.
 */

export interface PromiseIdParts {
  readonly tenantId: string;
  readonly promiseId: string;
}

/** `ptp/{tenant}/{promiseId}` */
export function promiseWorkflowId(tenantId: string, promiseId: string): string {
  return `ptp/${tenantId}/${promiseId}`;
}

/** The parts of a promise's workflow id, or undefined when a CIS named its workflow otherwise. */
export function parsePromiseWorkflowId(workflowId: string): PromiseIdParts | undefined {
  const match = /^ptp\/([^/]+)\/([^/]+)$/.exec(workflowId);
  return match === null ? undefined : { tenantId: match[1] ?? '', promiseId: match[2] ?? '' };
}

/** `collections/{tenant}/{accountId}/{debtClass}` */
export function collectionsWorkflowId(tenantId: string, accountId: string, debtClass: string): string {
  return `collections/${tenantId}/${accountId}/${debtClass}`;
}
