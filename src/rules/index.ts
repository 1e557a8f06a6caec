/** The rules: what a promise is, and when it is kept. Pure; imports nothing of ours. */
export * from './business-days';
export * from './calendar';
export * from './collections/debt';
export * from './collections/explain-shield';
export * from './collections/together';
export * from './judging/count';
export * from './schedules/deadline';
export * from './decide';
export * from './explain';
export * from './facts';
export * from './money';
export * from './policy';
export * from './presets';
export * from './schedules/schedule';
export * from './collections/shield';
export * from './collections/standing';
