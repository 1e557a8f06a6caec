// All tests of the rules in one file, quick ones first: for mutation testing, which then loads the rules once a mutant and
// kills most of them within milliseconds. Some groups of files need not all of it: TROTH_MUTATE_SKIP=timeline,monitor
const { readdirSync } = require('node:fs');
const { join } = require('node:path');

// Files that check documents say nothing of a mutant; `properties` and `promises` take too long for each of them.
const NEVER = ['docs', 'properties', 'promises'];
const LAST = ['facts', 'oracle', 'differential', 'monitor', 'timeline'];

const folder = join(__dirname, '..', 'rules');
const skipped = new Set([...NEVER, ...(process.env.TROTH_MUTATE_SKIP ?? '').split(',')]);
const names = readdirSync(folder).flatMap((file) => /^(.+)\.test\.ts$/.exec(file)?.[1] ?? []);
const place = (name) => LAST.indexOf(name);
names.sort((a, b) => place(a) - place(b) || a.localeCompare(b));
for (const name of names) if (!skipped.has(name)) require(join(folder, `${name}.test.ts`));
