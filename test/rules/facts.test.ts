/**
 * Goal: the facts of the trade, as scenario files, come out as they say: every preset does what its source does.
 * Method: each file of test/facts is read as `troth simulate` reads it and played by the rules of production; everything it
 * expects is compared.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { check } from '../../src/rules/scenario/check';
import { parseScenario } from '../../src/scenarios/parse';

const FOLDER = join(__dirname, '../facts');
const files = readdirSync(FOLDER).filter((file) => file.endsWith('.json') && !file.startsWith('scenario.'));

test('there are scenarios', () => {
  expect(files.length).toBeGreaterThanOrEqual(57);
});

test.each(files)('%s', (file) => {
  const scenario = parseScenario(JSON.parse(readFileSync(join(FOLDER, file), 'utf8')), file);
  expect(`${scenario.id}.json`).toBe(file);
  const checks = check(scenario);
  expect(checks.length).toBeGreaterThan(0);
  expect(checks.filter(({ holds }) => !holds)).toEqual([]);
});
