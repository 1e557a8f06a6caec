/** The rules: what a promise is, and when it is kept. Pure; imports nothing of ours. */
export * from './calendar';
export * from './count';
export * from './decide';
export * from './explain';
export * from './facts';
export * from './money';
export * from './policy';
export * from './schedule';
