import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { messageOf, TrothError } from '../platform/errors';

const MAX_BYTES = 64 * 1024;
const STDIN = '-';
const objectSchema = z.record(z.string(), z.unknown());

/**
 * The JSON object that a small file holds; `-` is standard input.
 * @param what what the file is for, such as "a policy", and how it looks.
 * @throws TrothError NOT_FOUND, UNAVAILABLE, INPUT_INVALID
 */
export function readJsonObject(
  path: string,
  what: { readonly noun: string; readonly example: string },
): Readonly<Record<string, unknown>> {
  const text = textOf(path);
  if (text.length > MAX_BYTES) {
    const message = `"${path}" is too large for ${what.noun}; ${MAX_BYTES} bytes are the most`;
    throw new TrothError('INPUT_INVALID', message);
  }
  try {
    return objectSchema.parse(JSON.parse(text.replace(/^\ufeff/, '')));
  } catch (error) {
    const why = error instanceof SyntaxError ? `: ${error.message}` : '';
    const message = `"${path}" holds no JSON object such as ${what.example}${why}`;
    throw new TrothError('INPUT_INVALID', message, { cause: error });
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path === STDIN ? 0 : path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') throw new TrothError('NOT_FOUND', `There is no file "${path}"`, { cause: error });
    throw new TrothError('UNAVAILABLE', `"${path}" cannot be read: ${messageOf(error)}`, { cause: error });
  }
}
