/**
 * Goal: whatever a CIS's export looks like, rows come with the line on which they stand, or one clear sentence says
 * what is wrong and where.
 * Method: a table of file contents and what must be read of them; big files are cut into blocks at every place.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCsv, type CsvRow } from '../../src/cis/read-csv';
import { wholeRecords } from '../../src/cis/records';

const folder = mkdtempSync(join(tmpdir(), 'troth-csv-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const COLUMNS = { required: ['a', 'b'], optional: ['c'] };

async function read(content: string | Uint8Array) {
  const path = join(folder, 'in.csv');
  writeFileSync(path, content);
  const file = await openCsv(path, COLUMNS);
  const rows: CsvRow[] = [];
  for await (const row of file.rows) rows.push(row);
  await file.close();
  const found = rows.map(({ line, cells, fault }) => [
    line,
    cells['a'],
    cells['b'],
    ...(fault === undefined ? [] : [fault]),
  ]);
  return { rows: found, fault: file.fault, unknown: file.unknownColumns };
}

test.each([
  [
    'plain',
    'a,b\n1,2\n3,4\n',
    [
      [2, '1', '2'],
      [3, '3', '4'],
    ],
  ],
  ['no line end at the end', 'a,b\n1,2', [[2, '1', '2']]],
  [
    'CRLF',
    'a,b\r\n1,2\r\n3,4\r\n',
    [
      [2, '1', '2'],
      [3, '3', '4'],
    ],
  ],
  [
    'CR alone',
    'a,b\r1,2\r3,4\r',
    [
      [2, '1', '2'],
      [3, '3', '4'],
    ],
  ],
  [
    'mixed line ends',
    'a,b\r\n1,2\n3,4\r\n5,6',
    [
      [2, '1', '2'],
      [3, '3', '4'],
      [4, '5', '6'],
    ],
  ],
  ['byte order mark', '\uFEFFa,b\n1,2\n', [[2, '1', '2']]],
  [
    'quoted line ends',
    'a,b\n"x\ny",2\n3,4\n',
    [
      [2, 'x\ny', '2'],
      [4, '3', '4'],
    ],
  ],
  [
    'quoted CRLF',
    'a,b\r\n"x\r\ny",2\r\n3,4\r\n',
    [
      [2, 'x\ny', '2'],
      [4, '3', '4'],
    ],
  ],
  ['quoted commas and quotes', 'a,b\n"1,5","say ""hi"""\n', [[2, '1,5', 'say "hi"']]],
  [
    'blank lines between',
    'a,b\n\n1,2\n\n\n3,4\n\n',
    [
      [3, '1', '2'],
      [6, '3', '4'],
    ],
  ],
  ['rows of commas, as spreadsheets leave them', 'a,b\n1,2\n,\n,\n', [[2, '1', '2']]],
  ['spaces around cells and names', ' A , b \n 1 , 2 \n', [[2, '1', '2']]],
  ['other order', 'b,a\n2,1\n', [[2, '1', '2']]],
  ['header only', 'a,b\n', []],
])('reads %s', async (_, content, expected) => {
  expect(await read(content)).toEqual({ rows: expected, fault: undefined, unknown: [] });
});

test.each([
  ['nothing', '', 1, 'empty'],
  ['blank lines only', '\n\n', 1, 'empty'],
  ['missing columns', 'c\n1\n', 1, 'missing in the header: a, b'],
  ['semicolons', 'a;b\n1;2\n', 1, 'separated by ";"'],
  ['a column twice', 'a,b,A\n1,2,3\n', 1, 'stands twice'],
  ['an open quote', 'a,b\n1,2\n3,"4\n5,6\n', 3, 'quote that is opened here is not closed'],
  ['a quote in the middle', 'a,b\n1,2\n3,x"y"\n', 3, 'quote'],
  ['text after a quote', 'a,b\n1,2\n3,"x"y\n5,"6"\n', 3, 'quote'],
  ['Latin-1', Buffer.from('a,b\n1,2\n3,caf\xe9\n', 'latin1'), 3, 'not UTF-8'],
  ['UTF-16', Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('a,b\n', 'utf16le')]), 1, 'UTF-16'],
  ['an endless row', `a,b\n1,2\n3,${'x'.repeat(70_000)}\n5,6\n`, 3, 'longer than 64 KB'],
  ['an endless row without a line end', `a,b\n1,2\n3,${'x'.repeat(200_000)}`, 3, 'longer than 64 KB'],
  ['an endless quote', `a,b\n1,2\n3,"${'x\n'.repeat(70_000)}`, 3, 'quote that is opened here'],
  ['too many columns', `${Array.from({ length: 300 }, (_, i) => `c${i}`).join(',')}\n`, 1, '300 columns'],
])('says what is wrong with %s', async (_, content, line, message) => {
  const { rows, fault } = await read(content);
  expect(fault).toMatchObject({ line, message: expect.stringContaining(message) as string });
  expect(rows).toEqual(line > 1 ? [[2, '1', '2']] : []);
});

test('a row with too many or too few cells, or a control character, is at fault alone', async () => {
  const { rows, fault } = await read('a,b\n1,2,3\n4\n5\u0000,6\n7,8\n');
  expect(fault).toBeUndefined();
  expect(rows.map(([line, , , why]) => [line, why])).toEqual([
    [2, expect.stringContaining('3 cells, the header 2')],
    [3, expect.stringContaining('1 cells')],
    [4, expect.stringContaining('control character')],
    [5, undefined],
  ]);
});

test('columns that are not known are named', async () => {
  expect((await read('a,b,Zip\n1,2,3\n')).unknown).toEqual(['Zip']);
});

test('a file that is not there, or a folder, is said so', async () => {
  await expect(openCsv(join(folder, 'none.csv'), COLUMNS)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(openCsv(folder, COLUMNS)).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('where the bytes are cut makes no difference', async () => {
  const content = Buffer.from('\uFEFFa,b\r\n"é\r\n""x""",2\r\n\r\n3,"ü,4"\r\n5,6');
  const cutInto = async (size: number): Promise<string> => {
    async function* chunks(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size);
    }
    let text = '';
    let lines = 1;
    const blocks = wholeRecords(chunks(), () => undefined);
    for (let next = await blocks.next(); next.done !== true; next = await blocks.next()) {
      expect(next.value.firstLine).toBe(lines);
      text += next.value.text;
      lines += next.value.text.split('\n').length - 1;
    }
    return text;
  };
  const whole = await cutInto(content.length);
  expect(whole).toBe('a,b\n"é\n""x""",2\n\n3,"ü,4"\n5,6');
  for (let size = 1; size < content.length; size += 1) expect(await cutInto(size)).toBe(whole);
});
