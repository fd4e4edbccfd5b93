import type { LogLevel } from '../../shared/config.ts';

/**
 * Everything that is ever logged. The members are names, numbers and hashes: there is no place for message content, a
 * subject, a login or a credential, and nothing that a client or a mail server wrote goes in below `debug`.
 */
export type LogEvent =
  | {
      readonly event: 'request';
      readonly method: string;
      /** The route's template, never the path that was asked for. */
      readonly route: string;
      readonly status: number;
      readonly durationMs: number;
      readonly account?: string;
      /** Names of the method responses, in order; errors as `error/<type>`. */
      readonly responses?: readonly string[];
      readonly requestOctets?: number;
      readonly responseOctets?: number;
    }
  | {
      readonly event: 'login';
      readonly outcome: 'accepted' | 'refused' | 'unavailable' | 'limited';
      readonly provider: string;
      readonly account: string;
      readonly durationMs: number;
      readonly reason?: string;
    }
  | {
      /** What the Session says of a provider's Sieve is not what its server says: extensions by name. */
      readonly event: 'sieve';
      readonly provider: string;
      readonly onlyInSession: readonly string[];
      readonly onlyOnServer: readonly string[];
    }
  | { readonly event: 'unavailable'; readonly reason: string; readonly account?: string }
  | { readonly event: 'defect'; readonly report: string; readonly error: string; readonly stack: readonly string[] }
  | { readonly event: 'detail'; readonly text: string };

/** Writes entries about one request, or about none. */
export type Log = {
  readonly debug: (event: LogEvent) => void;
  readonly info: (event: LogEvent) => void;
  readonly warn: (event: LogEvent) => void;
  readonly error: (event: LogEvent) => void;
  /** The same log, each entry with this request's id. */
  readonly about: (requestId: string) => Log;
};

const severities: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'silent'];

/** A log that writes one JSON object a line for every entry of at least `level`. `now` in milliseconds since the epoch. */
export function createLog(level: LogLevel, write: (line: string) => void, now: () => number, requestId?: string): Log {
  const least = severities.indexOf(level);
  const writerOf = (severity: Exclude<LogLevel, 'silent'>) => {
    if (severities.indexOf(severity) < least) return () => {};
    return (event: LogEvent) =>
      write(JSON.stringify({ time: new Date(now()).toISOString(), level: severity, requestId, ...event }));
  };
  return {
    debug: writerOf('debug'),
    info: writerOf('info'),
    warn: writerOf('warn'),
    error: writerOf('error'),
    about: (id) => createLog(level, write, now, id),
  };
}

/** What may be told of a failure: class names and codes such as `ECONNREFUSED`, never a message, which may quote anything. */
export function reasonOf(error: unknown): string {
  const names: string[] = [];
  for (let cause = error; cause instanceof Error && names.length < 5; cause = cause.cause) {
    const { code } = cause as { code?: unknown };
    names.push(typeof code === 'string' && /^\w{1,64}$/.test(code) ? `${cause.name} ${code}` : cause.name);
  }
  return names.join(': ') || typeof error;
}

/** Tells the operator of what is our fault, under the id that the client was given; what it said only at `debug`. */
export function logDefect(log: Log, report: string, error: unknown): void {
  log.error({ event: 'defect', report, error: reasonOf(error), stack: stackOf(error) });
  log.debug({ event: 'detail', text: String(error instanceof Error ? error.stack : error) });
}

/** Tells the operator which part of the world failed, and for whom. */
export function logUnavailable(log: Log, error: Error, account?: string): void {
  log.warn({ event: 'unavailable', reason: reasonOf(error), ...(account === undefined ? {} : { account }) });
  log.debug({ event: 'detail', text: String(error.stack) });
}

/** The places in the code that a defect went through, without its message. */
export function stackOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  const places = (error.stack ?? '').replace(error.message, '').split('\n');
  return places
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 20)
    .map((line) => line.trim());
}
