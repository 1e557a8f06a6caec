import { access, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClaimedMessage } from '../../ledger/collections/outside';
import { messageOf as reasonOf } from '../../platform/errors';
import { writeWhole } from '../../platform/whole-file';
import type { FileTarget } from '../../rules/collections/outside';
import { fileNameOf, messageOf } from './message';
import { failed, type Sent } from './sent';

const MINUTE_MS = 60_000;

/**
 * Writes a message as a file of its own, whole or not at all; or, where the receiver acknowledges by file, looks for
 * `NAME.ack` and writes the message again when that has not come for long. Never throws.
 */
export async function putMessage(target: FileTarget, message: ClaimedMessage): Promise<Sent> {
  try {
    // The root must be there: making it could fill the disk below a share that is not mounted.
    await access(target.folder);
    const folder = join(target.folder, message.payload.tenantId);
    await mkdir(folder, { recursive: true });
    const path = join(folder, fileNameOf(message.position, message.outcomeId));
    return await (target.acknowledge === 'written'
      ? writtenAt(path, message)
      : acknowledgedBeside(path, message, target.resendAfterMinutes));
  } catch (error) {
    return failed(reasonOf(error));
  }
}

async function writtenAt(path: string, message: ClaimedMessage): Promise<Sent> {
  await write(path, message);
  return { kind: 'acknowledged', by: 'file written' };
}

async function acknowledgedBeside(
  path: string,
  message: ClaimedMessage,
  resendAfterMinutes: number,
): Promise<Sent> {
  const sign = `${path}.ack`;
  if (message.sentAtMs === null) {
    // Not sent yet, as far as anybody knows, or asked for once more: an old sign tells of an old attempt.
    await rm(sign, { force: true });
  } else {
    if (await exists(sign)) return { kind: 'acknowledged', by: 'file .ack' };
    const waitedMs = Date.now() - message.sentAtMs;
    if (waitedMs < resendAfterMinutes * MINUTE_MS) return { kind: 'sent', sentNow: false, waitedMs };
  }
  await write(path, message);
  return { kind: 'sent', sentNow: true, waitedMs: 0 };
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}

function write(path: string, message: ClaimedMessage): Promise<void> {
  return writeWhole(path, `${JSON.stringify(messageOf(message))}\n`);
}
