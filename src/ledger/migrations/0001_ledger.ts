import type { Knex } from 'knex';
import { appendOnly, rowLevelSecurity } from './guards';

/**
 * The first ledger: what one promise needs from enrollment to its outcome. Amounts are bigint minor units, dates are
 * `date`, instants `timestamptz`. Every row belongs to a tenant, and row-level security keeps tenants apart: a
 * session sees the tenant named by the setting `troth.tenant`, or all of them with `*` (relay, sweep, operators).
 */
const TABLES = `
create table tenant (
  tenant_id text primary key check (tenant_id ~ '^[a-z0-9][a-z0-9-]{0,39}$'),
  name text not null check (length(name) between 1 and 200),
  time_zone text not null check (length(time_zone) between 1 and 64),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  sandbox boolean not null default false,
  clock_offset_ms bigint not null default 0,
  policy_name text not null default 'default',
  created_at timestamptz not null,
  check (sandbox or clock_offset_ms = 0)
);

create table policy (
  tenant_id text not null references tenant,
  name text not null check (name ~ '^[a-z0-9][a-z0-9-]{0,39}$'),
  version integer not null check (version > 0),
  options jsonb not null,
  created_at timestamptz not null,
  created_by text not null,
  primary key (tenant_id, name, version)
);

create table account (
  tenant_id text not null references tenant,
  account_id text not null check (account_id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
  customer_id text check (length(customer_id) between 1 and 64),
  premise_id text check (length(premise_id) between 1 and 64),
  debt_classes text[] not null check (cardinality(debt_classes) between 1 and 20),
  created_at timestamptz not null,
  primary key (tenant_id, account_id)
);
create index account_customer on account (tenant_id, customer_id);
create index account_premise on account (tenant_id, premise_id);

create table payment (
  tenant_id text not null,
  payment_id text not null check (payment_id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
  account_id text not null,
  debt_class text not null,
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  amount_cents bigint not null check (amount_cents > 0),
  received_at timestamptz not null,
  effective_date date not null,
  posted_at timestamptz not null,
  primary key (tenant_id, payment_id),
  foreign key (tenant_id, account_id) references account
);
create index payment_account on payment (tenant_id, account_id, effective_date);

create table payment_tender (
  tenant_id text not null,
  payment_id text not null,
  seq integer not null check (seq > 0),
  payor text not null check (length(payor) between 1 and 64),
  tender_type text not null check (length(tender_type) between 1 and 40),
  amount_cents bigint not null check (amount_cents > 0),
  primary key (tenant_id, payment_id, seq),
  foreign key (tenant_id, payment_id) references payment
);

create table payment_reversal (
  tenant_id text not null,
  payment_id text not null,
  effective_date date not null,
  posted_at timestamptz not null,
  reason text not null check (reason in ('nsf', 'cancelled', 'transferred', 'other')),
  primary key (tenant_id, payment_id),
  foreign key (tenant_id, payment_id) references payment
);

create table promise (
  tenant_id text not null,
  promise_id text not null check (promise_id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
  account_id text not null,
  debt_class text not null check (debt_class ~ '^[a-z0-9][a-z0-9-]{0,39}$'),
  payor text not null default 'self',
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  start_date date not null,
  policy_name text not null,
  policy_version integer not null,
  calendar_version text not null,
  total_cents bigint not null check (total_cents > 0),
  status text not null check (status in ('pending', 'active', 'kept', 'broken', 'cancelled')),
  reason text,
  revision integer not null default 1 check (revision > 0),
  schedule_no integer not null default 1 check (schedule_no > 0),
  decided_revision integer not null default 0 check (decided_revision >= 0 and decided_revision <= revision),
  next_judge_at timestamptz,
  settled_as_of timestamptz not null,
  cancelled_at timestamptz,
  cancel_reason text,
  cancel_note text check (length(cancel_note) <= 1000),
  cancel_actor text check (length(cancel_actor) <= 200),
  cancel_request_id text check (length(cancel_request_id) <= 200),
  attention text check (length(attention) <= 2000),
  attention_at timestamptz,
  workflow_id text not null check (length(workflow_id) between 1 and 1000),
  enrollment_hash text not null,
  enrolled_at timestamptz not null,
  enrolled_by text not null,
  ended_at timestamptz,
  primary key (tenant_id, promise_id),
  unique (tenant_id, workflow_id),
  foreign key (tenant_id, account_id) references account,
  foreign key (tenant_id, policy_name, policy_version) references policy,
  check ((status in ('kept', 'broken', 'cancelled')) = (ended_at is not null)),
  check ((status in ('pending', 'active')) = (reason is null)),
  check ((cancelled_at is null) = (cancel_reason is null))
);
create unique index promise_one_active on promise (tenant_id, account_id, debt_class, payor)
  where status in ('pending', 'active');
create index promise_account on promise (tenant_id, account_id, debt_class);
create index promise_due on promise (next_judge_at) where next_judge_at is not null;
create index promise_open on promise (tenant_id, promise_id) where status in ('pending', 'active');
create index promise_attention on promise (tenant_id, attention_at) where attention is not null;

create table promise_revision (
  tenant_id text not null,
  promise_id text not null,
  revision integer not null check (revision > 0),
  schedule_no integer not null check (schedule_no > 0),
  cause text not null check (cause in ('enrolled', 'late_evidence', 'reversal', 'amended')),
  payment_id text,
  at timestamptz not null,
  primary key (tenant_id, promise_id, revision),
  foreign key (tenant_id, promise_id) references promise
);

create table installment (
  tenant_id text not null,
  promise_id text not null,
  schedule_no integer not null check (schedule_no > 0),
  seq integer not null check (seq between 1 and 120),
  due_date date not null,
  amount_cents bigint not null check (amount_cents > 0),
  last_day date not null,
  deadline_at timestamptz not null,
  judge_at timestamptz not null check (judge_at >= deadline_at),
  status text not null default 'due' check (status in ('due', 'kept', 'broken', 'excused')),
  counted_cents bigint not null default 0 check (counted_cents between 0 and amount_cents),
  primary key (tenant_id, promise_id, schedule_no, seq),
  foreign key (tenant_id, promise_id) references promise
);

create table payment_use (
  tenant_id text not null,
  promise_id text not null,
  payment_id text not null,
  cents bigint not null check (cents > 0),
  primary key (tenant_id, promise_id, payment_id),
  foreign key (tenant_id, promise_id) references promise,
  foreign key (tenant_id, payment_id) references payment
);
create index payment_use_payment on payment_use (tenant_id, payment_id);

create table verdict (
  tenant_id text not null,
  promise_id text not null,
  revision integer not null check (revision > 0),
  seq integer not null default 0 check (seq >= 0),
  kind text not null check (kind in ('promise', 'installment')),
  status text not null check (status in ('kept', 'broken', 'cancelled')),
  reason text not null,
  sentence text not null,
  evidence jsonb not null,
  decided_at timestamptz not null,
  recorded_at timestamptz not null,
  primary key (tenant_id, promise_id, revision, seq, kind),
  foreign key (tenant_id, promise_id) references promise
);

create table collections_case (
  tenant_id text not null,
  account_id text not null,
  debt_class text not null,
  workflow_id text not null,
  status text not null check (status in ('open', 'closed')),
  kept_count integer not null default 0,
  broken_count integer not null default 0,
  cancelled_count integer not null default 0,
  opened_at timestamptz not null,
  closed_at timestamptz,
  primary key (tenant_id, account_id, debt_class),
  foreign key (tenant_id, account_id) references account,
  check ((status = 'closed') = (closed_at is not null))
);

create table collections_outcome (
  tenant_id text not null,
  outcome_id text not null,
  account_id text not null,
  debt_class text not null,
  position integer not null check (position > 0),
  promise_id text not null,
  revision integer not null,
  kind text not null check (kind in ('activated', 'kept', 'broken', 'cancelled')),
  at timestamptz not null,
  received_at timestamptz not null,
  primary key (tenant_id, outcome_id),
  unique (tenant_id, account_id, debt_class, position),
  foreign key (tenant_id, account_id, debt_class) references collections_case,
  foreign key (tenant_id, promise_id) references promise
);
create unique index collections_outcome_once on collections_outcome (tenant_id, promise_id, revision)
  where kind <> 'activated';

create table outbox (
  outbox_id bigint generated always as identity primary key,
  tenant_id text not null references tenant,
  kind text not null check (kind in ('start', 'review', 'clock', 'outcome', 'activated')),
  promise_id text not null,
  workflow_id text not null,
  payload jsonb not null default '{}',
  created_at timestamptz not null,
  next_try_at timestamptz not null,
  attempts integer not null default 0,
  last_error text check (length(last_error) <= 500),
  delivered_at timestamptz,
  foreign key (tenant_id, promise_id) references promise
);
create index outbox_waiting on outbox (next_try_at) where delivered_at is null;
create index outbox_promise on outbox (tenant_id, promise_id);
create index outbox_delivered on outbox (delivered_at) where delivered_at is not null;

create table audit_event (
  audit_id bigint generated always as identity primary key,
  tenant_id text not null references tenant,
  promise_id text,
  account_id text,
  action text not null check (length(action) between 1 and 60),
  actor text not null check (length(actor) between 1 and 200),
  details jsonb not null default '{}',
  at timestamptz not null,
  recorded_at timestamptz not null
);
create index audit_promise on audit_event (tenant_id, promise_id, audit_id);
`;

const TENANT_TABLES = [
  'tenant',
  'policy',
  'account',
  'payment',
  'payment_tender',
  'payment_reversal',
  'promise',
  'promise_revision',
  'installment',
  'payment_use',
  'verdict',
  'collections_case',
  'collections_outcome',
  'outbox',
  'audit_event',
] as const;

/** What is written once and never again; the ledger's memory must not be rewritten, not even by us. */
const APPEND_ONLY_TABLES = [
  'verdict',
  'audit_event',
  'payment_reversal',
  'collections_outcome',
  'policy',
] as const;

const APPEND_ONLY_FUNCTION = `
create function troth_refuse_change() returns trigger language plpgsql as $$
begin
  -- A sandbox may be emptied as a whole, by a session that says which one; a live tenant's memory never.
  if tg_op = 'DELETE' and tg_level = 'ROW' then
    if current_setting('troth.empty_sandbox', true) = old.tenant_id
       and exists (select 1 from tenant t where t.tenant_id = old.tenant_id and t.sandbox) then
      return old;
    end if;
  end if;
  raise exception 'rows of % are never changed or removed', tg_table_name using errcode = 'restrict_violation';
end $$;
`;

export const ledger = {
  name: '0001_ledger',
  async up(knex: Knex): Promise<void> {
    await knex.raw(TABLES);
    await knex.raw(APPEND_ONLY_FUNCTION);
    for (const table of TENANT_TABLES) await knex.raw(rowLevelSecurity(table));
    for (const table of APPEND_ONLY_TABLES) await knex.raw(appendOnly(table));
  },
  async down(): Promise<void> {
    throw new Error('Migrations go forward only');
  },
};
