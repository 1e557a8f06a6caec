// Stands by while tests run. When its parent ends in whatever way (its stdin closes), it kills the processes and
// removes the folders that it was told of and that were not taken back. Tests leave nothing behind, even after kill -9.
'use strict';
const { readFileSync, readdirSync, readlinkSync, rmSync } = require('node:fs');
const { createInterface } = require('node:readline');

const pids = new Map();
const folders = new Set();

/** Birth of a process, so that a later one with the same number is left alone. */
function birth(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return '';
  }
}

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const { kind, pid, folder } = JSON.parse(line);
  if (kind === 'process') pids.set(pid, birth(pid));
  if (kind === 'folder') folders.add(folder);
  if (kind === 'release') {
    pids.clear();
    folders.clear();
  }
});

/** Processes at home in one of the folders: also those that were started a moment ago and not told of yet. */
function inFolders() {
  const found = [];
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const at = `${readlinkSync(`/proc/${pid}/cwd`)}/`;
      if ([...folders].some((folder) => at.startsWith(`${folder}/`))) found.push(Number(pid));
    } catch {
      // Ended in the meantime, or not ours to look at.
    }
  }
  return found;
}

lines.on('close', () => {
  if (process.platform === 'linux') for (const pid of inFolders()) pids.set(pid, birth(pid));
  for (const [pid, born] of pids) {
    try {
      if (birth(pid) === born) process.kill(pid, 'SIGKILL');
    } catch {
      // Gone already.
    }
  }
  if (folders.size === 0) return;
  // PostgreSQL's sessions notice the end of their server a moment later, and write until then.
  setTimeout(() => {
    for (const folder of folders)
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }, 500);
});
// The terminal's Ctrl-C comes to us as well; our parent's end is what we wait for.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined);
