import pino from 'pino';
import type { Config } from './config';

export type Log = pino.Logger;

/**
 * The process's logger: constant messages, variables as fields, ids but no personal data. Writes to stderr, so that
 * stdout stays a command's answer.
 */
export function createLog(config: Pick<Config, 'logLevel' | 'logFormat'>, name: string): Log {
  const options: pino.LoggerOptions = {
    name,
    level: config.logLevel,
    redact: { paths: ['databaseUrl', 'apiKey', 'password', '*.password', '*.apiKey'], censor: '[secret]' },
  };
  if (config.logFormat === 'pretty') {
    return pino({
      ...options,
      transport: { target: 'pino-pretty', options: { destination: 2, ignore: 'pid,hostname' } },
    });
  }
  return pino(options, pino.destination({ dest: 2, sync: true }));
}
