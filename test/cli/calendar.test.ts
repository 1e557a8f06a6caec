/**
 * Goal: an operator brings a year's closed days, sees what changed and the year as people print calendars; a file
 * with a wrong date changes nothing, and no import loses what another one brought.
 * Method: the built command line on a real PostgreSQL; the calendar that the engine would use is read from the ledger.
 */
import { addCalendar, getCalendar, getCalendarTable } from '../../src/ledger/calendars';
import { emptySandbox } from '../../src/ledger/tenants';
import { epochMs, localDate } from '../../src/rules/calendar';
import { Place } from '../cis/place';
import { commandLine, type Answer, type RunOptions } from './troth';

let place: Place;
let run: (args: readonly string[], options?: RunOptions) => Promise<Answer>;
beforeAll(async () => {
  place = await Place.open();
  run = commandLine(place.folder, { DATABASE_URL: place.database.url });
  await place.sandbox('riverton');
});
afterAll(() => place.close());

/** A command that must succeed. */
async function calendar(...args: string[]): Promise<string> {
  const { code, out, err } = await run(['calendar', ...args, '--tenant', 'riverton']);
  expect([args.join(' '), code, err]).toEqual([args.join(' '), 0, '']);
  return out;
}

const stored = (version?: number) =>
  place.ledger.forTenant('riverton', (tx) => getCalendar(tx, 'riverton', version));

test('a tenant without a table has version 0: Saturday and Sunday off', async () => {
  expect(await stored()).toEqual({
    version: expect.stringMatching(/^America\/New_York\/tzdata-\d{4}[a-z]+\/0$/),
    timeZone: 'America/New_York',
    weekend: ['sat', 'sun'],
    closedDays: [],
    cutoff: null,
  });
  expect(await calendar('list')).toContain('"riverton" has no calendar yet');
  const text = await calendar('show');
  expect(text).toContain('riverton 2026  America/New_York, no table yet');
  expect(text).toContain('No closed days in 2026. To bring some: troth calendar import FILE');
});

test('import says what it added; show prints the year with the closed days marked', async () => {
  const file = place.write(
    '2026.csv',
    '\ufeffdate,name\r\n2026-12-25,Christmas Day\r\n\r\n# bridge\r\n2026-01-01\r\n2026-07-03,"Independence Day, observed"\r\n',
  );
  const text = await calendar('import', file, '--weekend', 'sun,sat', '--cutoff', '17:00');
  expect(text.split('\n')).toEqual([
    'Version 1 of the calendar of "riverton" is made: 3 closed days, weekend sat, sun, cut-off 17:00.',
    '  added 2026-01-01',
    '  added 2026-07-03 Independence Day, observed',
    '  added 2026-12-25 Christmas Day',
    '  cut-off: none before, 17:00 now',
    'Promises already enrolled keep their deadlines; new ones are counted with this version.',
    '',
  ]);
  expect(await stored()).toEqual({
    version: expect.stringMatching(/\/1$/),
    timeZone: 'America/New_York',
    weekend: ['sat', 'sun'],
    closedDays: ['2026-01-01', '2026-07-03', '2026-12-25'],
    cutoff: '17:00',
  });
  const shown = await calendar('show', '--year', '2026');
  expect(shown).toContain('riverton 2026  America/New_York, version 1');
  expect(shown).toContain('Weekend: sat, sun. Cut-off: 17:00. * marks closed days.');
  // January 2026 begins on a Thursday, February on a Sunday; four months stand beside one another.
  const lines = shown.split('\n');
  const first = lines.findIndex((line) => line.startsWith('January'));
  expect(lines[first]).toMatch(/^January +February +March +April$/);
  expect(lines[first + 1]).toMatch(/^Mo Tu We Th Fr Sa Su +Mo /);
  expect(lines[first + 2]).toMatch(/^ {9} 1\* 2 {2}3 {2}4 {3}/);
  expect(lines[first + 2]?.slice(23, 44)).toBe('                   1 ');
  expect(shown.match(/\d\*/g)).toHaveLength(3);
  expect(shown).toMatch(/^2026-07-03 +fri +Independence Day, observed$/m);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(120);
  const narrow = await run(['calendar', 'show', '--tenant', 'riverton', '--year', '2028'], {
    env: { COLUMNS: '60' },
  });
  expect(narrow.out).toMatch(/^January +February$/m);
  for (const line of narrow.out.split('\n')) expect(line.length).toBeLessThanOrEqual(70);
  const json = JSON.parse(await calendar('show', '--year', '2026', '--json')) as unknown;
  expect(json).toMatchObject({
    version: 1,
    weekend: ['sat', 'sun'],
    cutoff: '17:00',
    closedDays: [
      { date: '2026-01-01', weekday: 'thu', name: null },
      { date: '2026-07-03', weekday: 'fri', name: 'Independence Day, observed' },
      { date: '2026-12-25', weekday: 'fri', name: 'Christmas Day' },
    ],
  });
});

test('a file speaks for its years only: others stay, and so do weekend and cut-off', async () => {
  const { out } = await run(['calendar', 'import', '-', '--tenant', 'riverton'], {
    input: '2027-01-01,New Year\n',
  });
  expect(out).toContain('Version 2 of the calendar of "riverton" is made: 4 closed days');
  expect(out).toContain('  added 2027-01-01 New Year\n');
  expect(await stored()).toMatchObject({
    closedDays: ['2026-01-01', '2026-07-03', '2026-12-25', '2027-01-01'],
    cutoff: '17:00',
  });
  const again = await calendar(
    'import',
    place.write('b.csv', '2026-01-01\n2026-12-24,Christmas Eve\n'),
    '--json',
  );
  expect(JSON.parse(again)).toEqual({
    result: 'created',
    version: 3,
    weekend: ['sat', 'sun'],
    cutoff: '17:00',
    closedDays: 3,
    added: ['2026-12-24'],
    removed: ['2026-07-03', '2026-12-25'],
  });
  expect(await calendar('show', '--year', '2027')).toContain('New Year');
  const list = await calendar('list');
  expect(list).toMatch(/^1 +3 +2026-01-01 to 2026-12-25 +sat, sun +17:00 /m);
  expect(list).toMatch(/^3 +3 +2026-01-01 to 2027-01-01 /m);
  // An earlier version is still there, names and all.
  expect(await calendar('show', '--table', '1')).toMatch(/^2026-12-25 +fri +Christmas Day$/m);
  expect(await stored(1)).toMatchObject({ closedDays: ['2026-01-01', '2026-07-03', '2026-12-25'] });
});

test('the same again changes nothing; --replace, --weekend and --cutoff none do', async () => {
  const same = place.write('same.csv', '2026-12-24,Christmas Eve\n2026-01-01\n');
  expect(await calendar('import', same)).toBe('Version 3 says the same already; nothing was changed.\n');
  expect(await place.count('riverton', 'calendar')).toBe(3);
  const text = await calendar('import', same, '--replace', '--weekend', 'none', '--cutoff', 'none');
  expect(text).toContain('  removed 2027-01-01 New Year\n');
  expect(text).toContain('  weekend: sat, sun before, none now\n');
  expect(text).toContain('  cut-off: 17:00 before, none now\n');
  expect(await stored()).toMatchObject({
    weekend: [],
    cutoff: null,
    closedDays: ['2026-01-01', '2026-12-24'],
  });
});

test('wrong dates are named with their lines, and nothing is imported', async () => {
  const before = await place.count('riverton', 'calendar');
  const file = place.write(
    'bad.csv',
    'Date;Name\n2026-02-30,No Day\n2026-01-01\n\n25.12.2026,Christmas\n2026-01-01,again\n0226-01-01\n2026-05-01,a,b\n',
  );
  const { code, out, err } = await run(['calendar', 'import', file, '--tenant', 'riverton']);
  expect({ code, out }).toEqual({ code: 65, out: '' });
  expect(err.split('\n')).toEqual([
    `troth: 6 things are wrong with "${file}"; nothing was imported`,
    expect.stringMatching(/^ {2}line 1 "Date;Name": is not a date; write one date a line/),
    expect.stringMatching(/^ {2}line 2 "2026-02-30": is not a date/),
    expect.stringMatching(/^ {2}line 5 "25\.12\.2026": is not a date/),
    '  line 6 "2026-01-01": stands on line 3 already; remove one of the two',
    '  line 7 "0226-01-01": lies outside the years 2000 to 2199',
    expect.stringMatching(/^ {2}line 8 "2026-05-01,a,b": has more than a date and a name/),
    '',
  ]);
  expect(await place.count('riverton', 'calendar')).toBe(before);
});

test.each([
  ['Latin-1', Buffer.from('2026-01-01,Neujahr \xfc\n', 'latin1'), /not UTF-8/],
  ['iCalendar', 'BEGIN:VCALENDAR\nEND:VCALENDAR\n', /iCalendar file; write one date a line/],
  ['an open quote', '2026-01-01,"New\n2026-01-02\n', /[Qq]uote/],
  ['too large', '#'.repeat(1024 * 1024 + 1), /too large/],
])('a file that is %s is refused: exit 65', async (_, content, message) => {
  const { code, err } = await run([
    'calendar',
    'import',
    place.write('odd.csv', content),
    '--tenant',
    'riverton',
  ]);
  expect(code).toBe(65);
  expect(err).toMatch(message);
  expect(err).not.toMatch(/^\s+at /m);
});

test.each([
  [['import', 'f.csv', '--weekend', 'saturday'], 64, /different days of mon, tue/],
  [['import', 'f.csv', '--weekend', 'mon,tue,wed,thu,fri,sat,sun'], 64, /One day of the week must be open/],
  [['import', 'f.csv', '--cutoff', '5pm'], 64, /such as 17:00/],
  [['import', 'f.csv', '--cutoff', '24:00'], 64, /such as 17:00/],
  [['import', '/nowhere/f.csv'], 66, /There is no file/],
  [['show', '--year', '26'], 64, /year from 2000/],
  [['show', '--table', '99'], 66, /no version 99; see: troth calendar list/],
])('%j: exit %d', async (args, exit, message) => {
  const { code, err } = await run(['calendar', ...args, '--tenant', 'riverton']);
  expect(err).toMatch(message);
  expect(code).toBe(exit);
});

test('an empty file empties nothing but what it is told to', async () => {
  const text = await calendar('import', place.write('empty.csv', '# none\n'));
  expect(text).toContain('says the same already');
  const replaced = await calendar('import', place.write('empty.csv', ''), '--replace');
  expect(replaced).toContain('  removed 2026-12-24 Christmas Eve\n');
  expect(await stored()).toMatchObject({ closedDays: [] });
});

test('versions made at the same time are one after the other', async () => {
  await place.sandbox('crowd');
  const days = ['2026-01-01', '2026-01-02', '2026-01-03', '2026-01-04'];
  const made = await Promise.all(
    days.map((day) =>
      place.ledger.forTenant('crowd', (tx) =>
        addCalendar(tx, 'crowd', {
          weekend: ['sun'],
          closedDays: [localDate(day)],
          cutoff: null,
          names: {},
          actor: 'test',
          atMs: epochMs(0),
        }),
      ),
    ),
  );
  expect(made.map(({ version }) => version).sort()).toEqual([1, 2, 3, 4]);
  const files = ['2027-01-01\n', '2028-01-01\n', '2029-01-01\n'];
  const imports = await Promise.all(
    files.map((input) => run(['calendar', 'import', '-', '--tenant', 'crowd'], { input })),
  );
  expect(imports.map(({ code }) => code)).toEqual([0, 0, 0]);
  const table = await place.ledger.forTenant('crowd', (tx) => getCalendarTable(tx, 'crowd'));
  expect(table.version).toBe(7);
  expect(table.closedDays).toHaveLength(4);
});

test('a sandbox with calendars and policies can be emptied', async () => {
  await place.ledger.forTenant('crowd', (tx) => emptySandbox(tx, 'crowd'));
  for (const table of ['calendar', 'policy', 'tenant', 'audit_event', 'audit_head']) {
    expect([table, await place.count('crowd', table)]).toEqual([table, 0]);
  }
});
