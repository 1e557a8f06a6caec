import type { Knex } from 'knex';
import { appendOnly, rowLevelSecurity } from './guards';

/**
 * The receiving side of every promise: what is past due, the collections process of a debt class, its runs and steps, reviews,
 * holds, contacts, and an outside collections system that hears the outcomes instead of ours.
 */
const TABLES = `
-- What the CIS last said of an account's debt. Parts: [{"dueDate": "2026-01-15", "cents": 5000}], oldest first.
create table debt (
  tenant_id text not null,
  account_id text not null,
  debt_class text not null check (debt_class ~ '^[a-z0-9][a-z0-9-]{0,39}$'),
  parts jsonb not null check (jsonb_typeof(parts) = 'array'),
  total_cents bigint not null check (total_cents >= 0),
  oldest_due_date date,
  as_of timestamptz not null,
  posted_at timestamptz not null,
  primary key (tenant_id, account_id, debt_class),
  foreign key (tenant_id, account_id) references account,
  check ((total_cents = 0) = (oldest_due_date is null))
);
create index debt_aged on debt (tenant_id, debt_class, oldest_due_date) where total_cents > 0;

-- Money that came or went since the CIS said so; and open items that changed.
create index payment_posted on payment (tenant_id, account_id, debt_class, posted_at);
create index payment_reversal_posted on payment_reversal (tenant_id, posted_at);
alter table transaction add column updated_at timestamptz;
update transaction set updated_at = posted_at;
alter table transaction alter column updated_at set default now(), alter column updated_at set not null;

-- When all debts of a tenant were last looked through for cases to begin; null: as soon as may be.
alter table tenant
  add column debts_reviewed_on date,
  add column debts_review_try_at timestamptz;

create table collections_process (
  tenant_id text not null references tenant,
  debt_class text not null check (debt_class ~ '^[a-z0-9][a-z0-9-]{0,39}$'),
  version integer not null check (version > 0),
  definition jsonb not null,
  created_at timestamptz not null,
  created_by text not null check (length(created_by) between 1 and 200),
  note text check (length(note) <= 1000),
  primary key (tenant_id, debt_class, version)
);

alter table collections_case
  add column next_act_at timestamptz,
  add column acted_as_of timestamptz,
  add column attention text check (length(attention) <= 2000),
  add column attention_at timestamptz,
  -- Each request to look again counts up; the relay delivers what is behind.
  add column wake_no bigint not null default 0,
  add column woken_no bigint not null default 0,
  add column wake_try_at timestamptz,
  add column wake_attempts integer not null default 0,
  add column wake_error text check (length(wake_error) <= 500);
create index collections_case_waking on collections_case (wake_try_at) where woken_no < wake_no;
create index collections_case_open on collections_case (tenant_id, next_act_at) where status = 'open';
create index collections_case_attention on collections_case (tenant_id, attention_at) where attention is not null;

create table collections_run (
  tenant_id text not null,
  account_id text not null,
  debt_class text not null,
  run_no integer not null check (run_no > 0),
  process_version integer not null,
  status text not null check (status in ('running', 'paused', 'cancelled', 'completed')),
  -- Day 0 of the process: offsets of steps count from it. A pause moves it on.
  day_zero date not null,
  started_at timestamptz not null,
  paused_on date,
  paused_why text check (length(paused_why) <= 200),
  ended_at timestamptz,
  end_reason text check (length(end_reason) <= 200),
  primary key (tenant_id, account_id, debt_class, run_no),
  foreign key (tenant_id, account_id, debt_class) references collections_case,
  foreign key (tenant_id, debt_class, process_version) references collections_process,
  check ((status in ('cancelled', 'completed')) = (ended_at is not null)),
  check ((status = 'paused') = (paused_on is not null))
);
create unique index collections_run_one on collections_run (tenant_id, account_id, debt_class)
  where status in ('running', 'paused');

create table collections_step (
  tenant_id text not null,
  account_id text not null,
  debt_class text not null,
  run_no integer not null,
  step_id text not null check (step_id ~ '^[a-z0-9][a-z0-9-]{0,39}$'),
  kind text not null,
  status text not null check (status in ('awaiting-approval', 'done', 'refused', 'skipped')),
  due_on date not null,
  -- The day on which it was done, in the tenant's calendar; notice times count from it.
  done_on date,
  at timestamptz not null,
  collectible_cents bigint not null check (collectible_cents >= 0),
  sentence text not null check (length(sentence) <= 2000),
  approval_actor text check (length(approval_actor) between 1 and 200),
  approval_note text check (length(approval_note) <= 1000),
  approved boolean,
  approved_at timestamptz,
  -- Whether the step still has promises to end (R17); done after the commit, then cleared.
  cancels_promises boolean not null default false,
  primary key (tenant_id, account_id, debt_class, run_no, step_id),
  foreign key (tenant_id, account_id, debt_class, run_no) references collections_run,
  check ((status = 'done') = (done_on is not null)),
  check ((approved is null) = (approval_actor is null))
);
create index collections_step_waiting on collections_step (tenant_id, at) where status = 'awaiting-approval';

create table collections_review (
  tenant_id text not null,
  account_id text not null,
  debt_class text not null,
  review_no integer not null check (review_no > 0),
  decision text not null check (decision in ('start', 'continue', 'pause', 'resume', 'cancel', 'complete', 'close', 'none')),
  sentence text not null check (length(sentence) <= 2000),
  evidence jsonb not null,
  at timestamptz not null,
  recorded_at timestamptz not null,
  primary key (tenant_id, account_id, debt_class, review_no),
  foreign key (tenant_id, account_id, debt_class) references collections_case
);

create table contact (
  tenant_id text not null,
  contact_id text not null check (length(contact_id) between 1 and 200),
  account_id text not null,
  debt_class text not null,
  channel text not null check (channel in ('letter', 'email', 'sms', 'call', 'visit', 'task')),
  -- Why it is made: a step of a run, once.
  reason text not null check (length(reason) between 1 and 200),
  run_no integer not null,
  step_id text not null,
  payload jsonb not null,
  due_at timestamptz not null,
  -- Where it lies ready, as the port calls it; handing over is only the last move.
  prepared text check (length(prepared) between 1 and 500),
  handed_at timestamptz,
  next_try_at timestamptz not null,
  attempts integer not null default 0,
  last_error text check (length(last_error) <= 500),
  primary key (tenant_id, contact_id),
  unique (tenant_id, account_id, debt_class, reason),
  foreign key (tenant_id, account_id, debt_class, run_no, step_id) references collections_step
);
create index contact_waiting on contact (next_try_at) where handed_at is null;

create table hold (
  tenant_id text not null,
  hold_id text not null check (hold_id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
  account_id text not null,
  -- Null: all debt classes of the account.
  debt_class text check (debt_class ~ '^[a-z0-9][a-z0-9-]{0,39}$'),
  kind text not null check (kind in ('dispute', 'hardship', 'medical', 'bankruptcy', 'deceased', 'breathing-space')),
  from_date date not null,
  -- The last day of the hold; null: until it is released.
  until_date date check (until_date >= from_date),
  reason text not null check (length(reason) between 1 and 1000),
  actor text not null check (length(actor) between 1 and 200),
  placed_at timestamptz not null,
  released_on date,
  released_at timestamptz,
  released_by text check (length(released_by) between 1 and 200),
  release_reason text check (length(release_reason) <= 1000),
  primary key (tenant_id, hold_id),
  foreign key (tenant_id, account_id) references account,
  check ((released_at is null) = (released_on is null) and (released_at is null) = (released_by is null))
);
create index hold_account on hold (tenant_id, account_id);

-- Where outcomes go; no row: to Troth's own collections.
create table collections_target (
  tenant_id text not null references tenant,
  version integer not null check (version > 0),
  settings jsonb not null,
  created_at timestamptz not null,
  created_by text not null check (length(created_by) between 1 and 200),
  primary key (tenant_id, version)
);

create table outside_message (
  tenant_id text not null,
  outcome_id text not null,
  promise_id text not null,
  account_id text not null,
  debt_class text not null,
  position integer not null check (position > 0),
  payload jsonb not null,
  created_at timestamptz not null,
  next_try_at timestamptz not null,
  attempts integer not null default 0,
  last_error text check (length(last_error) <= 500),
  sent_at timestamptz,
  acknowledged_at timestamptz,
  acknowledged_by text check (length(acknowledged_by) between 1 and 200),
  primary key (tenant_id, outcome_id),
  unique (tenant_id, promise_id, position),
  foreign key (tenant_id, promise_id) references promise
);
create index outside_message_waiting on outside_message (tenant_id, next_try_at, position) where acknowledged_at is null;

create table worklist_note (
  tenant_id text not null,
  item_id text not null check (length(item_id) between 1 and 300),
  note text not null check (length(note) between 1 and 1000),
  done boolean not null,
  actor text not null check (length(actor) between 1 and 200),
  at timestamptz not null,
  primary key (tenant_id, item_id, at)
);

-- What the worklist looks for.
create index promise_broken on promise (tenant_id, ended_at) where status = 'broken';
create index promise_awaiting on promise (tenant_id, approval_deadline_at) where status = 'pending' and approved is null;
create index promise_notice_reversed on promise_notice (tenant_id, at) where kind = 'reversed';
create index contact_unhanded on contact (tenant_id, due_at) where handed_at is null;
create index worklist_done on worklist_note (tenant_id, item_id) where done;
`;

const TENANT_TABLES = [
  'debt',
  'collections_process',
  'collections_run',
  'collections_step',
  'collections_review',
  'contact',
  'hold',
  'collections_target',
  'outside_message',
  'worklist_note',
] as const;

const APPEND_ONLY_TABLES = [
  'collections_process',
  'collections_review',
  'collections_target',
  'worklist_note',
] as const;

export const collections = {
  name: '0003_collections',
  async up(knex: Knex): Promise<void> {
    await knex.raw("set local troth.tenant = '*'");
    await knex.raw(TABLES);
    for (const table of TENANT_TABLES) await knex.raw(rowLevelSecurity(table));
    for (const table of APPEND_ONLY_TABLES) await knex.raw(appendOnly(table));
  },
  async down(): Promise<void> {
    throw new Error('Migrations go forward only');
  },
};
