/**
 * Goal: what docs/collections/outside.md tells receivers to copy works, and its example is a message.
 * Method: the blocks of code are taken out of the page and run against signatures that Troth makes.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { keysOf, messageOf, signatureOf, type OutsideMessage } from '../../src/collections/outside/message';
import { projectRoot } from '../../src/platform/root';

const page = readFileSync(join(projectRoot(), 'docs', 'collections', 'outside.md'), 'utf8');
const block = (language: string): string =>
  new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``).exec(page)?.[1] ?? '';

const NOW = 1_767_600_000;
const ID = 'riverton/P-1/1/broken';
const secretOf = (text: string): string => `whsec_${Buffer.from(text.padEnd(24)).toString('base64')}`;
const KEY = secretOf('the key');
const OTHER = secretOf('another key');
const BODY = '{"sentence":"Broken: £60.00 …"}';
const signedWith = (...secrets: string[]): string =>
  signatureOf(keysOf(secrets.join(' ')) ?? [], ID, NOW, BODY);
const GOOD = { 'webhook-id': ID, 'webhook-timestamp': String(NOW), 'webhook-signature': signedWith(KEY) };
const CASES: readonly (readonly [headers: object, body: string, key: string, now: number, good: boolean])[] =
  [
    [GOOD, BODY, KEY, NOW, true],
    [GOOD, BODY, KEY, NOW + 299, true],
    [GOOD, BODY, KEY, NOW + 301, false],
    [{ ...GOOD, 'webhook-timestamp': String(NOW + 1) }, BODY, KEY, NOW, false],
    [{ ...GOOD, 'webhook-id': 'riverton/P-1/2/broken' }, BODY, KEY, NOW, false],
    [GOOD, `${BODY} `, KEY, NOW, false],
    [GOOD, BODY, OTHER, NOW, false],
    [{ ...GOOD, 'webhook-signature': signedWith(OTHER, KEY) }, BODY, KEY, NOW, true],
    [{ ...GOOD, 'webhook-signature': `${signedWith(KEY)}x` }, BODY, KEY, NOW, false],
    [{}, BODY, KEY, NOW, false],
  ];

test('the example is a message, with its fields in their order', () => {
  const example = JSON.parse(block('json')) as OutsideMessage;
  const { position, form: _, ...payload } = example;
  expect(Object.entries(messageOf({ payload, position }))).toEqual(Object.entries(example));
});

test('signatures are checked as the page tells in JavaScript', () => {
  const script = `${block('js')}
    const cases = JSON.parse(require('fs').readFileSync(0, 'utf8'));
    console.log(JSON.stringify(cases.map(([h, b, k, n]) => isFromTroth(h, Buffer.from(b), k, n))));`;
  const out = execFileSync(process.execPath, ['-e', script], {
    input: JSON.stringify(CASES),
    encoding: 'utf8',
  });
  expect(JSON.parse(out)).toEqual(CASES.map(([, , , , good]) => good));
});

const hasPython = spawnSync('python3', ['--version']).status === 0;
(hasPython ? test : test.skip)('signatures are checked as the page tells in Python', () => {
  const script = `${block('python')}
import json, sys
print(json.dumps([is_from_troth(h, b.encode(), k, n) for h, b, k, n, _ in json.load(sys.stdin)]))`;
  const env = { ...process.env, PYTHONIOENCODING: 'utf-8' };
  const out = execFileSync('python3', ['-c', script], {
    input: JSON.stringify(CASES),
    encoding: 'utf8',
    env,
  });
  expect(JSON.parse(out)).toEqual(CASES.map(([, , , , good]) => good));
});
