/**
 * Goal: the rules of production and the independent interpreter tell every story alike.
 * Method: random scenarios that aim at the boundaries (test/interpreter/arbitrary.ts) are played by both; whatever can be
 * asked of a promise is asked at every moment that matters, and what was accepted and refused is compared. TROTH_STORIES
 * and TROTH_SEED widen the search. A story told differently is shrunk and written down for `troth simulate`.
 */
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { scenario } from '../interpreter/arbitrary';
import { type Scenario } from '../interpreter/scenario';
import { asFile, firstDifference, type Difference } from './both-sides';

const STORIES = Number(process.env['TROTH_STORIES'] ?? 2000);
const SEED = Number(process.env['TROTH_SEED']); // test/support/seed.ts

test(
  `${STORIES} stories, told alike`,
  () => {
    const property = fc.property(scenario, (story) => differenceIn(story) === undefined);
    const checked = fc.check(property, { numRuns: STORIES, seed: SEED });
    if (!checked.failed) return;
    const [story] = checked.counterexample as [Scenario];
    const difference = differenceIn(story);
    const file = join(tmpdir(), `troth-differs-${SEED}.json`);
    const told = difference === undefined || difference.on === THROWN ? story : asFile(story, difference);
    writeFileSync(file, `${JSON.stringify(told, null, 2)}\n`);
    const where = {
      seed: SEED,
      path: checked.counterexamplePath,
      file,
      on: difference?.on,
      about: difference?.about,
    };
    expect({ ...where, said: difference?.engine }).toEqual({ ...where, said: difference?.interpreter });
  },
  30 * 60_000,
);

const THROWN = 'thrown';

function differenceIn(story: Scenario): Difference | undefined {
  try {
    return firstDifference(story);
  } catch (error) {
    return { on: THROWN, about: 'an error', engine: String(error), interpreter: null };
  }
}
