import type { Knex } from 'knex';
import { appendOnly, rowLevelSecurity } from './guards';

/**
 * What the whole rule book needs: calendars, open items and what was applied to them, amendments, gates, repeating
 * promises, notices to collections, and an audit trail in which a missing row shows.
 */
const CHANGES = `
create table calendar (
  tenant_id text not null references tenant,
  version integer not null check (version > 0),
  weekend text[] not null check (cardinality(weekend) <= 6),
  closed_days date[] not null check (cardinality(closed_days) <= 5000),
  cutoff text check (cutoff ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'),
  created_at timestamptz not null,
  created_by text not null check (length(created_by) between 1 and 200),
  primary key (tenant_id, version)
);

create table transaction (
  tenant_id text not null,
  account_id text not null,
  transaction_id text not null check (transaction_id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
  debt_class text not null check (debt_class ~ '^[a-z0-9][a-z0-9-]{0,39}$'),
  amount_cents bigint not null check (amount_cents > 0),
  open_cents bigint not null check (open_cents >= 0),
  due_date date not null,
  issued_date date not null,
  closed_at timestamptz,
  posted_at timestamptz not null,
  primary key (tenant_id, account_id, transaction_id),
  foreign key (tenant_id, account_id) references account
);
create index transaction_class on transaction (tenant_id, account_id, debt_class, issued_date);

create index transaction_id on transaction (tenant_id, transaction_id);

create table promise_bill (
  tenant_id text not null,
  promise_id text not null,
  transaction_id text not null check (length(transaction_id) between 1 and 64),
  amount_cents bigint not null check (amount_cents > 0),
  due_date date not null,
  last_day date not null,
  deadline_at timestamptz not null,
  judge_at timestamptz not null check (judge_at >= deadline_at),
  primary key (tenant_id, promise_id, transaction_id),
  foreign key (tenant_id, promise_id) references promise
);

create table payment_application (
  tenant_id text not null,
  payment_id text not null,
  transaction_id text not null check (length(transaction_id) between 1 and 64),
  cents bigint not null check (cents > 0),
  primary key (tenant_id, payment_id, transaction_id),
  foreign key (tenant_id, payment_id) references payment
);

create table balance_clearing (
  tenant_id text not null,
  account_id text not null,
  debt_class text not null,
  cleared_at timestamptz not null,
  actor text not null check (length(actor) between 1 and 200),
  note text check (length(note) <= 1000),
  primary key (tenant_id, account_id, debt_class, cleared_at),
  foreign key (tenant_id, account_id) references account
);

alter table promise
  add column pay_method text check (length(pay_method) between 1 and 40),
  add column auto_managed boolean not null default true,
  add column has_down_payment boolean not null default false,
  add column repeat_terms jsonb,
  add column arrears_cents bigint check (arrears_cents >= 0),
  add column approval_deadline_at timestamptz,
  add column approval_at timestamptz,
  add column approved boolean,
  add column approval_actor text check (length(approval_actor) <= 200),
  add column approval_note text check (length(approval_note) <= 1000),
  add column approval_request_id text check (length(approval_request_id) <= 200),
  add column activated_at timestamptz,
  add constraint promise_approval check ((approval_at is null) = (approved is null)),
  add constraint promise_approver check (approved is distinct from true or approval_actor <> enrolled_by);

update promise set activated_at = enrolled_at where status <> 'pending';

alter table installment
  add column transaction_id text check (length(transaction_id) between 1 and 64),
  add column carried boolean not null default false,
  drop constraint installment_seq_check,
  add constraint installment_seq_check check (seq between 1 and 1200);

create table amendment (
  tenant_id text not null,
  promise_id text not null,
  schedule_no integer not null check (schedule_no > 1),
  at timestamptz not null,
  actor text not null check (length(actor) between 1 and 200),
  note text check (length(note) <= 1000),
  request_id text check (length(request_id) <= 200),
  primary key (tenant_id, promise_id, schedule_no),
  foreign key (tenant_id, promise_id) references promise
);

alter table payment_use
  add column revision integer not null default 1 check (revision > 0),
  add column used_at timestamptz;
update payment_use u set used_at = coalesce(
  (select max(v.decided_at) from verdict v where v.tenant_id = u.tenant_id and v.promise_id = u.promise_id), now());
alter table payment_use
  alter column used_at set not null,
  alter column revision drop default,
  drop constraint payment_use_pkey,
  add primary key (tenant_id, promise_id, payment_id, revision);

create table promise_notice (
  tenant_id text not null,
  promise_id text not null,
  notice_id text not null check (length(notice_id) between 1 and 200),
  kind text not null check (kind in ('missed', 'reversed', 'amended', 'reopened', 'activated')),
  revision integer not null check (revision > 0),
  details jsonb not null default '{}',
  at timestamptz not null,
  primary key (tenant_id, promise_id, notice_id),
  foreign key (tenant_id, promise_id) references promise
);

alter table outbox drop constraint outbox_kind_check,
  add constraint outbox_kind_check check (kind in ('start', 'review', 'clock', 'outcome', 'activated', 'notice'));

alter table collections_outcome drop constraint collections_outcome_kind_check,
  add constraint collections_outcome_kind_check check (kind in
    ('activated', 'kept', 'broken', 'cancelled', 'missed', 'reversed', 'amended', 'reopened'));
drop index collections_outcome_once;
create unique index collections_outcome_once on collections_outcome (tenant_id, promise_id, revision)
  where kind in ('kept', 'broken', 'cancelled');

create index promise_ended on promise (tenant_id, account_id, ended_at) where status = 'broken';
`;

/**
 * The audit trail is a chain of hashes: one chain per promise, and one per tenant for what belongs to no promise. Each
 * row carries the hash of the row before it, and the head knows how many there are, so that a changed, a missing and a
 * cut-off row all show (\`troth verify\`). Chains are per promise because a promise's events are written one after
 * the other anyway, under its lock; one chain for a whole tenant would make all its promises wait for each other.
 */
const AUDIT_CHAIN = `
alter table audit_event
  add column chain text,
  add column position bigint,
  add column hash bytea;

create table audit_head (
  tenant_id text not null references tenant,
  chain text not null,
  events bigint not null check (events > 0),
  hash bytea not null,
  primary key (tenant_id, chain)
);

create function troth_audit_hash(before bytea, event audit_event) returns bytea language sql stable as $$
  select sha256(before || convert_to(jsonb_build_array(
    event.tenant_id, event.chain, event.position, event.promise_id, event.account_id, event.action, event.actor,
    event.details, cast(extract(epoch from event.at) * 1000 as bigint),
    cast(extract(epoch from event.recorded_at) * 1000 as bigint))::text, 'UTF8'))
$$;

create function troth_chain_audit() returns trigger language plpgsql as $$
declare
  head audit_head;
begin
  new.chain := coalesce(new.promise_id, '');
  select * into head from audit_head
   where tenant_id = new.tenant_id and chain = new.chain for update;
  new.position := coalesce(head.events, 0) + 1;
  new.hash := troth_audit_hash(coalesce(head.hash, ''::bytea), new);
  if head.events is null then
    insert into audit_head (tenant_id, chain, events, hash) values (new.tenant_id, new.chain, 1, new.hash);
  else
    update audit_head set events = new.position, hash = new.hash
     where tenant_id = new.tenant_id and chain = new.chain;
  end if;
  return new;
end $$;
`;

// Rows of before the chain are chained now, in the order in which they were written.
const CHAIN_THE_PAST = `
alter table audit_event disable trigger audit_event_append_only;
do $$
declare
  event audit_event;
  head audit_head;
begin
  for event in select * from audit_event order by audit_id loop
    event.chain := coalesce(event.promise_id, '');
    head := null;
    select * into head from audit_head where tenant_id = event.tenant_id and chain = event.chain;
    event.position := coalesce(head.events, 0) + 1;
    event.hash := troth_audit_hash(coalesce(head.hash, ''::bytea), event);
    update audit_event set chain = event.chain, position = event.position, hash = event.hash
     where audit_id = event.audit_id;
    insert into audit_head (tenant_id, chain, events, hash)
      values (event.tenant_id, event.chain, event.position, event.hash)
      on conflict (tenant_id, chain) do update set events = excluded.events, hash = excluded.hash;
  end loop;
end $$;
alter table audit_event enable trigger audit_event_append_only;
alter table audit_event
  alter column chain set not null,
  alter column position set not null,
  alter column hash set not null;
create unique index audit_chain on audit_event (tenant_id, chain, position);
create trigger audit_event_chain before insert on audit_event
  for each row execute function troth_chain_audit();
`;

const TENANT_TABLES = [
  'calendar',
  'transaction',
  'promise_bill',
  'payment_application',
  'balance_clearing',
  'amendment',
  'promise_notice',
  'audit_head',
] as const;

const APPEND_ONLY_TABLES = [
  'calendar',
  'payment_application',
  'balance_clearing',
  'amendment',
  'promise_notice',
] as const;

export const ruleBook = {
  name: '0002_rule_book',
  async up(knex: Knex): Promise<void> {
    await knex.raw("set local troth.tenant = '*'");
    await knex.raw(CHANGES);
    await knex.raw(AUDIT_CHAIN);
    await knex.raw(CHAIN_THE_PAST);
    for (const table of TENANT_TABLES) await knex.raw(rowLevelSecurity(table));
    for (const table of APPEND_ONLY_TABLES) await knex.raw(appendOnly(table));
  },
  async down(): Promise<void> {
    throw new Error('Migrations go forward only');
  },
};
