import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, TrothError, type Problem } from '../platform/errors';
import type { Scenario } from '../rules/scenario/scenario';
import { jsonMistake, type JsonMistake } from './json';
import { parseScenario } from './parse';

/** Standard input, as a file's name. */
export const STDIN = '-';
const SCHEMA = 'scenario.schema.json';
/** A story of a thousand events has a tenth of this. */
const MAX_BYTES = 4 * 1024 * 1024;

/** A file that could not be read or understood. */
export interface Unreadable {
  readonly file: string;
  readonly error: string;
  readonly problems: readonly Problem[];
}

/** The files that are meant: those of folders by name, `scenario.schema.json` left out; what is missing stays as it is. */
export function scenarioFiles(paths: readonly string[]): (string | Unreadable)[] {
  return paths.flatMap((path): (string | Unreadable)[] => {
    if (path === STDIN || !isFolder(path)) return [path];
    try {
      const names = readdirSync(path).filter((name) => name.endsWith('.json') && name !== SCHEMA);
      if (names.length > 0) return names.sort().map((name) => join(path, name));
      return [{ file: path, error: 'This folder holds no .json file', problems: [] }];
    } catch (error) {
      return [{ file: path, error: `This folder cannot be read: ${messageOf(error)}`, problems: [] }];
    }
  });
}

// What cannot even be looked at is no folder; reading it as a file says why.
function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** Reads one scenario, or says everything that is wrong with its file. */
export function readScenario(file: string): Scenario | Unreadable {
  const unreadable = (error: string, problems: readonly Problem[] = []): Unreadable => ({
    file,
    error,
    problems,
  });
  let text: string;
  try {
    text = textOf(file);
  } catch (error) {
    return unreadable(error instanceof TrothError ? error.message : `It cannot be read: ${messageOf(error)}`);
  }
  let input: unknown;
  try {
    input = JSON.parse(text);
  } catch (error) {
    const mistake = jsonMistake(text);
    return unreadable(`It is no JSON: ${mistake === undefined ? messageOf(error) : placed(mistake)}`);
  }
  const twin = jsonMistake(text); // JSON.parse would keep the last of two
  if (twin !== undefined) return unreadable(`It cannot be played: ${placed(twin)}`);
  try {
    return parseScenario(input, 'It');
  } catch (error) {
    if (error instanceof TrothError) return unreadable(error.message, error.problems);
    throw error;
  }
}

function placed({ line, column, message }: JsonMistake): string {
  return `line ${line}, column ${column}: ${message}`;
}

function textOf(file: string): string {
  if (file !== STDIN) {
    const stats = statSync(file, { throwIfNoEntry: false });
    if (stats === undefined) throw new TrothError('NOT_FOUND', 'There is no such file');
    if (stats.size > MAX_BYTES) throw tooLarge();
  }
  const text = readFileSync(file === STDIN ? 0 : file, 'utf8');
  if (text.length > MAX_BYTES) throw tooLarge();
  return text.replace(/^\ufeff/, '');
}

function tooLarge(): TrothError {
  return new TrothError('INPUT_INVALID', `It is larger than ${MAX_BYTES / 1024 / 1024} MB; split the story`);
}
