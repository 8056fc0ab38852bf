import type { LogLevel } from './config.ts';

const order: readonly LogLevel[] = ['silent', 'error', 'warn', 'info', 'debug'];

/** A line for the operator: what happened, never to whom, never a token. */
export type WriteLog = (level: Exclude<LogLevel, 'silent'>, event: string, details?: Readonly<Record<string, unknown>>) => void;

/** JSON lines on stderr, from this level up. */
export const makeLog =
  (from: LogLevel): WriteLog =>
  (level, event, details = {}) => {
    if (order.indexOf(level) <= order.indexOf(from)) process.stderr.write(`${JSON.stringify({ at: new Date().toISOString(), level, event, ...details })}\n`);
  };
