import type { ProcessDefinition, ProcessStep, Season } from '../../rules/collections/process';
import { plainTable } from '../output';
import { bold, printable, wrapped } from '../text';

/** An amount as people read it, such as `$50.00`. */
export type MoneyWords = (amountCents: number) => string;

const RESUMES: Readonly<Record<ProcessDefinition['resume'], string>> = {
  restart: 'restart: it begins again with its first step',
  continue: 'continue: it goes on where it was',
  closest: 'closest: it goes on at the step that the age of the debt has come to',
};

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

/** A process as people read it: what starts and ends it, its steps, its seasons and holds. */
export function processLines(process: ProcessDefinition, money: MoneyWords): string[] {
  const { entry, cancelThresholdCents, resume, stepTime, reviewEveryDays, seasons } = process;
  const criteria = entry.map(
    ({ minCents, minAgeDays }) =>
      `at least ${money(minCents)} is ${minAgeDays === 0 ? 'past due' : `${daysOf(minAgeDays)} past due or more`}`,
  );
  return [
    ...facts([
      ['Starts', `when ${criteria.join(', or ')}, and not promised`],
      ['Ends', `when no more than ${money(cancelThresholdCents)} may be collected`],
      ['After a lost promise', RESUMES[resume]],
      ['Steps are done', `at ${stepTime}, one a day at most`],
      ['Looks again', `after ${daysOf(reviewEveryDays)} at the latest`],
    ]),
    '',
    stepTable(process.steps, money),
    '',
    ...facts([
      ['Seasons', seasons.length === 0 ? 'none' : seasons.map(seasonWords).join('; ')],
      ...holdFacts(process),
    ]),
  ];
}

function facts(pairs: readonly (readonly [string, string])[]): string[] {
  const width = 24;
  return pairs.map(([name, value]) => {
    const [first = '', ...rest] = wrapped(value, ' '.repeat(width)).split('\n');
    return [`${bold(name)}${' '.repeat(Math.max(1, width - name.length))}${first.trimStart()}`, ...rest].join(
      '\n',
    );
  });
}

function stepTable(steps: readonly ProcessStep[], money: MoneyWords): string {
  return plainTable(
    ['Day', 'Step', 'Kind', 'Channel', 'Approval', 'Only when'],
    steps.flatMap((step) => {
      const [first = '', ...rest] = constraintsOf(step, money);
      const row = [
        String(step.day),
        step.id,
        step.kind,
        step.channel,
        step.approval ? 'a person' : '',
        first,
      ];
      return [row, ...rest.map((one) => ['', '', '', '', '', one])];
    }),
  );
}

/** What must hold for a step to be done, one sentence part each. */
export function constraintsOf(step: ProcessStep, money: MoneyWords): string[] {
  const { businessDays, notBeforeClosedDay, seasonal, minCents, notice, cancelsPromises } = step;
  return [
    businessDays ? 'on a business day' : null,
    notBeforeClosedDay ? 'not before a closed day' : null,
    seasonal ? 'not in a season' : null,
    minCents > 0 ? `${money(minCents)} or more` : null,
    notice === null
      ? null
      : `${notice.days} ${notice.unit === 'business' ? 'business ' : ''}day${notice.days === 1 ? '' : 's'} after ${notice.step}`,
    cancelsPromises ? '(ends open promises)' : null,
  ].filter((one) => one !== null);
}

function seasonWords({ name, from, to }: Season): string {
  return `${printable(name)}, ${monthDay(from)} to ${monthDay(to)} (seasonal steps rest)`;
}

/** `11-15` as `15 Nov`. */
function monthDay(text: string): string {
  const [month = '', day = ''] = text.split('-');
  return `${Number(day)} ${MONTHS[Number(month) - 1] ?? month}`;
}

function holdFacts({ holds, pausesPromises }: ProcessDefinition): [string, string][] {
  const of = (effect: string): string =>
    Object.entries(holds)
      .filter(([, one]) => one === effect)
      .map(([kind]) => kind)
      .join(', ') || 'none';
  return [
    ['Holds that stop it', of('stop')],
    ['Holds off the premises', of('no-site-steps')],
    ['Holds move deadlines', pausesPromises.join(', ') || 'none'],
  ];
}

function daysOf(count: number): string {
  return `${count} day${count === 1 ? '' : 's'}`;
}
