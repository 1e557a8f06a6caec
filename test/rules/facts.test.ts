/**
 * Goal: the preset `default` gives the published facts of the rule book, copied unchanged into `facts/`.
 * Method: each scenario is played through the engine and asked on its days. Scenarios that need options which this
 * version does not have (limits, roll, cut-off, amend, cleared balance) are not among them.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { play, readScenario } from './play';

const folder = join(__dirname, 'facts');
const scenarios = readdirSync(folder).map((file) => readScenario(join(folder, file)));

test('there are scenarios', () => {
  expect(scenarios.length).toBeGreaterThanOrEqual(15);
});

test.each(scenarios.map((scenario) => [scenario.id, scenario.title, scenario] as const))(
  '%s: %s',
  (_, __, scenario) => {
    const played = play(scenario);
    expect(played.map(({ actual }) => actual)).toEqual(played.map(({ expected }) => expected));
  },
);
