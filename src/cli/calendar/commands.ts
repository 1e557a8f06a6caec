import { InvalidArgumentError, type Command } from 'commander';
import { WEEKDAYS, type Weekday } from '../../rules/business-days';
import { forTenantData, helpEnd, positive, withTenant } from '../context';
import { importDays, type ImportOptions } from './import';
import { list, show, type ShowOptions } from './show';

type WithTenant<T> = T & { readonly tenant?: string };

const LAST_YEAR = 2199;
const FIRST_YEAR = 2000;
const MOST_VERSIONS = 1_000_000;

/** `troth calendar import | show | list`. */
export function registerCalendar(program: Command): void {
  const calendar = program
    .command('calendar')
    .description('the days on which a utility does business: weekends, closed days, cut-off');
  registerImport(calendar);
  forTenantData(
    calendar
      .command('show')
      .description('show a year with its closed days')
      .option('--year <year>', "the year (default: that of the tenant's clock)", yearOf)
      .option('--table <version>', 'a version (default: the newest)', positive(MOST_VERSIONS)),
  )
    .addHelpText(
      'after',
      helpEnd(['troth calendar show --year 2026'], ['66  there is no such version or tenant']),
    )
    .action((options: WithTenant<ShowOptions>) => withTenant(options, (context) => show(context, options)));
  forTenantData(calendar.command('list').description('list the versions of the calendar'))
    .addHelpText('after', `\nWith --json one object a line.\n${helpEnd(['troth calendar list'])}`)
    .action((options: WithTenant<{ json?: true }>) =>
      withTenant(options, (context) => list(context, options)),
    );
}

function registerImport(calendar: Command): void {
  forTenantData(
    calendar
      .command('import <file>')
      .description('make the next version of the calendar from a file of closed days; - reads standard input')
      .option(
        '--weekend <days>',
        'days closed every week, such as sat,sun, or none (default: as before)',
        weekendOf,
      )
      .option(
        '--cutoff <time>',
        'money received later belongs to the next business day, or none (default: as before)',
        cutoffOf,
      )
      .option('--replace', 'forget the closed days of all other years, too'),
  )
    .addHelpText(
      'after',
      [
        '',
        'The file has one date a line, and a name after a comma if it likes: 2026-12-25,Christmas Day.',
        'It replaces the closed days of the years that it names; other years stay. A date that is wrong',
        'is named with its line, and then nothing is imported. Promises already enrolled keep their deadlines.',
        helpEnd(
          [
            'troth calendar import holidays-2026.csv',
            'troth calendar import holidays-2026.csv --weekend sat,sun --cutoff 17:00',
          ],
          ['65  a date is wrong; nothing was imported', '66  there is no such file or tenant'],
        ),
      ].join('\n'),
    )
    .action((file: string, options: WithTenant<ImportOptions>) =>
      withTenant(options, (context) => importDays(context, file, options)),
    );
}

function yearOf(text: string): number {
  const year = /^\d{4}$/.test(text) ? Number(text) : 0;
  if (year < FIRST_YEAR || year > LAST_YEAR) {
    throw new InvalidArgumentError(`It must be a year from ${FIRST_YEAR} to ${LAST_YEAR}.`);
  }
  return year;
}

function weekendOf(text: string): readonly Weekday[] {
  if (text === 'none') return [];
  const words = text.split(',').map((word) => word.trim().toLowerCase());
  const days = WEEKDAYS.filter((day) => words.includes(day));
  if (days.length !== words.length) {
    throw new InvalidArgumentError(
      `It must be different days of ${WEEKDAYS.join(', ')}, such as sat,sun, or none.`,
    );
  }
  if (days.length === WEEKDAYS.length) throw new InvalidArgumentError('One day of the week must be open.');
  return days;
}

function cutoffOf(text: string): string {
  if (text !== 'none' && !/^([01]\d|2[0-3]):[0-5]\d$/.test(text)) {
    throw new InvalidArgumentError('It must be a local time such as 17:00, or none.');
  }
  return text;
}
