// The floor of a server: start, one timer, done.
const { sleep } = require('@temporalio/workflow');

exports.bare = async function bare(dueAtMs) {
  await sleep(Math.max(1, dueAtMs - Date.now()));
};
