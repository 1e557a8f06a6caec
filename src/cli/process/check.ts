import { processFrom } from '../../collections/process-definition';
import type { Problem } from '../../platform/errors';
import type { ProcessDefinition } from '../../rules/collections/process';
import { readJsonObject } from '../json-file';
import { print, printJson } from '../output';
import { plural, printable } from '../text';
import { processLines } from './words';

export interface CheckOptions {
  readonly json?: true;
}

const INPUT_REFUSED = 65;
const PROCESS_FILE = { noun: 'a process', example: '{"entry": [...], "steps": [...]}' };

/**
 * The process that a file says, or every problem with it.
 * @throws TrothError NOT_FOUND, UNAVAILABLE, INPUT_INVALID when the file is none, or no JSON.
 */
export function processOfFile(file: string): ProcessDefinition | Problem[] {
  return processFrom(readJsonObject(file, PROCESS_FILE));
}

/** `troth process check` */
export function check(file: string, { json }: CheckOptions): void {
  const process_ = processOfFile(file);
  const problems = Array.isArray(process_) ? process_ : [];
  if (problems.length > 0) process.exitCode = INPUT_REFUSED;
  if (json === true) {
    printJson(
      Array.isArray(process_) ? { file, valid: false, problems } : { file, valid: true, process: process_ },
    );
    return;
  }
  if (Array.isArray(process_)) {
    print(`${printable(file)} is no process: ${plural(problems.length, 'problem')}`);
    for (const { field, value, message } of problems) {
      print(`  ${printable(field)}${value === '' ? '' : ` ${printable(value)}`}: ${printable(message)}`);
    }
    return;
  }
  const last = process_.steps.at(-1)?.day ?? 0;
  print(
    `${printable(file)} is a process: ${plural(process_.steps.length, 'step')} in ${plural(last, 'day')}.`,
  );
  print();
  for (const line of processLines(process_, (cents) => `${cents} cents`)) print(line);
}
