/**
 * JSON with its keys in order and no spaces: equal values have equal bytes, whichever database or program wrote them.
 * Keys without a value are left out, as JSON.stringify does.
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((one) => canonicalJson(one ?? null)).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value ?? null);
  const parts = keysOf(value).map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key])}`);
  return `{${parts.join(',')}}`;
}

/** Where two values first differ, in the order of their canonical bytes. */
export interface JsonDifference {
  /** Such as `$.installments[0].countedCents`. */
  readonly path: string;
  /** From 0, in UTF-8. */
  readonly byte: number;
  /** What stands there in either, with a little of what goes before. */
  readonly stored: string;
  readonly recomputed: string;
}

const BEFORE = 24;
const AFTER = 48;

/** The first byte in which two values differ; null when they are the same. */
export function firstDifference(stored: unknown, recomputed: unknown): JsonDifference | null {
  const [a, b] = [canonicalJson(stored), canonicalJson(recomputed)];
  if (a === b) return null;
  let at = 0;
  while (a[at] === b[at]) at += 1;
  return {
    path: pathOf(stored, recomputed, '$'),
    byte: Buffer.byteLength(a.slice(0, at)),
    stored: excerpt(a, at),
    recomputed: excerpt(b, at),
  };
}

function excerpt(text: string, at: number): string {
  const from = Math.max(0, at - BEFORE);
  const to = Math.min(text.length, at + AFTER);
  return `${from > 0 ? '…' : ''}${text.slice(from, to)}${to < text.length ? '…' : ''}`;
}

function pathOf(a: unknown, b: unknown, path: string): string {
  if (Array.isArray(a) && Array.isArray(b)) {
    const length = Math.max(a.length, b.length);
    for (let index = 0; index < length; index += 1) {
      if (canonicalJson(a[index]) !== canonicalJson(b[index]))
        return pathOf(a[index], b[index], `${path}[${index}]`);
    }
  } else if (isObject(a) && isObject(b)) {
    const keys = [...new Set([...keysOf(a), ...keysOf(b)])].sort();
    const key = keys.find((name) => canonicalJson(a[name]) !== canonicalJson(b[name]));
    if (key !== undefined) return pathOf(a[key], b[key], `${path}.${key}`);
  }
  return path;
}

type JsonObject = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function keysOf(value: JsonObject): string[] {
  return Object.keys(value)
    .filter((key) => value[key] !== undefined)
    .sort();
}
