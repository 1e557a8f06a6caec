/**
 * Goal: whoever sends something wrong reads which field it is and what to do, in plain words, and no secret comes back.
 * Method: inputs with mistakes, and the problems that are named.
 */
import { enrollmentSchema, problemsOf } from '../../src/enrollment/enrollment';

const GOOD = {
  ...{ tenantId: 'riverton', accountId: 'A1', debtClass: 'water' },
  installments: [{ dueDate: '2026-01-20', amountCents: 5000 }],
};

function problems(changes: object): object[] {
  const input = { ...GOOD, ...changes };
  const parsed = enrollmentSchema.safeParse(input);
  return parsed.success ? [] : problemsOf(parsed.error, input);
}

const UNKNOWN = 'is no field that Troth knows here';

test.each<[string, object, object[]]>([
  ['nothing', {}, []],
  [
    'unknown fields, each by its name and without its value',
    { password: 'hunter2', colour: 'red' },
    [
      { field: 'password', value: '', message: UNKNOWN },
      { field: 'colour', value: '', message: UNKNOWN },
    ],
  ],
  [
    'an unknown field within',
    { installments: [{ dueDate: '2026-01-20', amountCents: 5000, amount: 50 }] },
    [{ field: 'installments.0.amount', value: '', message: UNKNOWN }],
  ],
  [
    'a field that is missing',
    { debtClass: undefined },
    [{ field: 'debtClass', value: '', message: 'is needed' }],
  ],
  [
    'a list that is empty',
    { installments: [] },
    [{ field: 'installments', value: '[]', message: 'must not be empty' }],
  ],
  [
    'a list that is too long',
    { installments: Array.from({ length: 121 }, () => ({ dueDate: '2026-01-20', amountCents: 1 })) },
    [{ field: 'installments', value: expect.any(String), message: 'must be 120 at most' }],
  ],
])('%s', (_name, changes, expected) => {
  expect(problems(changes)).toEqual(expected);
});
