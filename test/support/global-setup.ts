import { constants } from 'node:os';
import { prepareTemporal } from '../../src/temporal/setup';
import { type TestStack, bringStack } from './stack';

declare global {
  // Jest hands nothing from setup to teardown but the global object.
  var trothTestStack: TestStack | undefined;
}

/** Brings up what the tests of the engine share; once per run, and not at all for the rules alone. */
export default async function setUp(): Promise<void> {
  const startedAt = Date.now();
  let said = 0;
  const stack = await bringStack((line) => {
    // A build of minutes must show that it lives, without a line twice a second.
    if (Date.now() - said < 10_000) return;
    said = Date.now();
    process.stderr.write(`${line}\n`);
  });
  globalThis.trothTestStack = stack;
  Object.assign(process.env, stack.env);
  // What points to other Temporals must not reach a test by mistake.
  delete process.env['TEMPORAL_ADDRESS'];
  delete process.env['TEMPORAL_NAMESPACE'];
  delete process.env['TEMPORAL_PROFILE'];
  delete process.env['DATABASE_URL'];
  delete process.env['TROTH_HOME'];
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    // Jest itself would end at once on Ctrl-C, without teardown.
    process.once(signal, () => {
      void stack.stop().finally(() => process.exit(128 + constants.signals[signal]));
    });
  }
  await prepareTemporal({
    address: stack.env['TROTH_TEST_TEMPORAL_ADDRESS'] ?? '',
    namespace: stack.env['TROTH_TEST_TEMPORAL_NAMESPACE'] ?? 'default',
  });
  process.stderr.write(
    `PostgreSQL and Temporal for the tests after ${((Date.now() - startedAt) / 1_000).toFixed(1)} s\n`,
  );
}
