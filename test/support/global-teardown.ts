/** Stops what global-setup brought up and removes every trace of it. */
export default async function tearDown(): Promise<void> {
  await globalThis.trothTestStack?.stop();
}
