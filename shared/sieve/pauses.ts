import { Throttled } from './failure.ts';
import type { SieveServer } from './server.ts';

/** When what is over is looked for to be forgotten. */
const sweptAt = 1_000;
/** A pause is prolonged by up to this part of it, so that not everybody comes back at the same moment. */
const jitter = 0.2;

/** For how long servers want to be left alone, in one process. */
export class Pauses {
  /** Milliseconds since the epoch, by host or by account. */
  readonly #notBefore = new Map<string, number>();

  /** Throws `Throttled` while the server wants to hear nothing of this user, or of anybody. */
  check(server: SieveServer, user: string): void {
    const notBefore = Math.max(...keysOf(server, user).map((key) => this.#notBefore.get(key) ?? 0));
    const seconds = Math.ceil((notBefore - Date.now()) / 1000);
    if (seconds > 0) throw new Throttled('account', seconds);
  }

  note({ concerns, pause }: Pick<Throttled, 'concerns' | 'pause'>, server: SieveServer, user: string): void {
    const now = Date.now();
    const [host, account] = keysOf(server, user);
    this.#notBefore.set(concerns === 'host' ? host : account, now + pause * 1000 * (1 + jitter * Math.random()));
    if (this.#notBefore.size < sweptAt) return;
    for (const [key, notBefore] of this.#notBefore) if (notBefore <= now) this.#notBefore.delete(key);
  }
}

function keysOf({ name, sieve }: SieveServer, user: string): [host: string, account: string] {
  return [`${sieve.host}:${sieve.port}`, JSON.stringify([name, user])];
}
