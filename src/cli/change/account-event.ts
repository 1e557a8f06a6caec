import type { Command } from 'commander';
import { cancelBySystem, SYSTEM_EVENTS, type SystemEvent } from '../../enrollment/cancel';
import { findAccount } from '../../ledger/accounts';
import { openPromisesOf } from '../../ledger/promises/open-promises';
import { findPromise } from '../../ledger/promises/promise-views';
import { TrothError } from '../../platform/errors';
import {
  actorOfCli,
  actorText,
  forTenantData,
  helpEnd,
  oneOf,
  withTenant,
  type TenantContext,
} from '../context';
import { fittedTable, print, printJson } from '../output';
import { printable, status as coloured } from '../text';
import { asked } from './answer';

interface Options {
  readonly event: SystemEvent;
  readonly debtClass?: string;
  readonly actor?: string;
  readonly tenant?: string;
  readonly json?: true;
}

const EVENTS = Object.keys(SYSTEM_EVENTS) as readonly SystemEvent[];

/** `troth account-event`: what the CIS or collections says of an account, and what it does to promises (R17). */
export function registerAccountEvent(program: Command): void {
  forTenantData(
    program
      .command('account-event <account>')
      .description('cancel the open promises of an account by a word of the CIS or of collections')
      .requiredOption('--event <event>', `what happened: ${EVENTS.join(', ')}`, oneOf(EVENTS))
      .option('--debt-class <class>', 'only promises on this debt class')
      .option('--actor <who>', 'who says so (default: cli:<user>)', actorText),
  )
    .addHelpText(
      'after',
      [
        '',
        'A collection event spares promises that a third party pays.',
        helpEnd(
          ['troth account-event 0010040905 --event service-stopped --debt-class water'],
          ['65  the account has no such debt class', '66  there is no such account'],
        ),
      ].join('\n'),
    )
    .action((account: string, options: Options) =>
      withTenant(options, (context) => happened(context, account, options)),
    );
}

/** What became of one promise of the account. */
interface Became {
  readonly promiseId: string;
  readonly result: 'cancelled' | 'ended-before' | 'spared';
  readonly status: string;
  readonly sentence: string;
}

async function happened(context: TenantContext, accountId: string, options: Options): Promise<void> {
  const { ledger, tenant } = context;
  const { event, debtClass, actor = actorOfCli(), json } = options;
  const about = { accountId, event, ...(debtClass === undefined ? {} : { debtClass }) };
  const open = await ledger.forTenant(tenant.tenantId, async (tx) => {
    const account = await findAccount(tx, tenant.tenantId, accountId);
    assertAccount(account?.debtClasses, accountId, debtClass);
    return openPromisesOf(tx, tenant.tenantId, about);
  });
  const cancels = await cancelBySystem(ledger, tenant.tenantId, about, { ...asked(), actor });
  const tried = new Set(cancels.map(({ promiseId }) => promiseId));
  const promises = cancels.map(({ promiseId, answer }): Became => {
    const result = answer.result === 'done' ? 'cancelled' : 'ended-before';
    const { status = '', sentence = null } = answer.settlement ?? {};
    return { promiseId, result, status, sentence: sentence ?? '' };
  });
  for (const { promiseId, payor } of open.filter((promise) => !tried.has(promise.promiseId))) {
    const spared = await ledger.forTenant(tenant.tenantId, (tx) =>
      findPromise(tx, tenant.tenantId, promiseId),
    );
    const sentence = `Goes on: ${payor}, a third party, pays it.`;
    promises.push({ promiseId, result: 'spared', status: spared?.status ?? '', sentence });
  }
  if (json === true) {
    printJson({ ...about, promises });
    return;
  }
  if (promises.length === 0) {
    const where = debtClass === undefined ? '' : ` on ${printable(debtClass)}`;
    print(`Account ${printable(accountId)} has no open promise${where}.`);
  } else {
    const rows = promises.map(({ promiseId, status, sentence }) => [promiseId, coloured(status), sentence]);
    print(fittedTable(['Promise', 'Status', 'What became of it'], rows));
  }
}

function assertAccount(
  debtClasses: readonly string[] | undefined,
  accountId: string,
  debtClass: string | undefined,
): void {
  if (debtClasses === undefined) throw new TrothError('NOT_FOUND', `There is no account "${accountId}"`);
  if (debtClass === undefined || debtClasses.includes(debtClass)) return;
  const message = `is not a debt class of account ${accountId}, which has ${debtClasses.join(', ')}`;
  throw new TrothError('INPUT_INVALID', 'No promise was cancelled', {
    problems: [{ field: '--debt-class', value: debtClass, message }],
  });
}
