/** Row-level security: a session sees the tenant named by the setting `troth.tenant`, or all of them with `*`. */
export function rowLevelSecurity(table: string): string {
  // Forced, so that it binds the tables' owner too; only a superuser or BYPASSRLS role passes it by.
  return `
alter table ${table} enable row level security;
alter table ${table} force row level security;
create policy ${table}_tenant on ${table}
  using (current_setting('troth.tenant', true) in (tenant_id, '*'))
  with check (current_setting('troth.tenant', true) in (tenant_id, '*'));
`;
}

/** Rows that are written once and never again; needs the function `troth_refuse_change` of the first migration. */
export function appendOnly(table: string): string {
  return `
create trigger ${table}_append_only before update or delete on ${table}
  for each row execute function troth_refuse_change();
create trigger ${table}_no_truncate before truncate on ${table}
  for each statement execute function troth_refuse_change();
`;
}
