// Leaves out mutants of a part of the lines, so that a score can be had within minutes: TROTH_MUTATE_SAMPLE=6 takes every sixth
// line, always the same ones. What stands on several lines is always taken.
const oneOf = Number(process.env.TROTH_MUTATE_SAMPLE ?? 1);

function shouldIgnore(path) {
  const { loc } = path.node;
  if (oneOf <= 1 || !loc || loc.start.line !== loc.end.line) return undefined;
  const file = path.findParent((parent) => parent.isProgram())?.node.end ?? 0;
  const place = (loc.start.line * 7919 + file * 104_729) % 1_000_003;
  return place % oneOf === 0 ? undefined : 'not in the sample';
}

export const strykerPlugins = [{ kind: 'Ignore', name: 'sample', value: { shouldIgnore } }];
