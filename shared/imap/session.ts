import type { MailboxVector } from '../catalog/mailbox.ts';
import type { Glimpse } from '../catalog/own-changes.ts';
import { MailboxGone, MailboxUnseen, type UidRanges } from '../catalog/source.ts';
import { Unavailable } from '../jmap/errors.ts';
import {
  atom,
  type CommandPart,
  type ImapArgument,
  type LiteralMode,
  list,
  mailbox,
  number,
  uidSet,
} from './arguments.ts';
import { type Capabilities, isOnlyRev2, offers } from './capabilities.ts';
import type { ChangeAnswer } from './change-answer.ts';
import { connect } from './connect.ts';
import type { ImapCredential, ImapServer } from './endpoint.ts';
import { ExamineAnswer, type Examined, type Selected } from './examine-answer.ts';
import { CommandRefused } from './failure.ts';
import { type FetchRow, fetchRow } from './fetch-row.ts';
import { type ImapLimits, imapLimits } from './limits.ts';
import type { NameEncoding } from './mailbox-name.ts';
import { type Namespaces, onlyPersonal, readNamespaces } from './namespaces.ts';
import { type ImapValue, listOf, numberOf, octetsOf, textOf } from './response.ts';
import type { TakeOctets } from './response-reader.ts';
import { uidsFound } from './search-answer.ts';
import { countUids, normalizeRanges } from './uid-ranges.ts';
import { type CommandListener, type Completion, ImapWire } from './wire.ts';

/** What a session tells about itself, for counting. */
export type SessionObserver = {
  readonly onConnect?: () => void;
  /** Each command after the login, but ENABLE, NAMESPACE (both in the first flight) and LOGOUT. */
  readonly onCommand?: (name: string) => void;
};

/** How changes of a mailbox can be asked for (RFC 7162), best first. */
export type SyncTier = 'qresync' | 'condstore' | 'none';

/** What is known of a mailbox that is opened: where QRESYNC is enabled, the answer tells what changed since. */
export type Since = { readonly uidValidity: number; readonly modseq: string };

type FetchOptions = {
  readonly rowsMax: number;
  readonly changedSince?: string;
  /** Takes those rows that it understands before they are parsed. */
  readonly takeOctets?: TakeOctets;
};

/** The mailbox that is open. */
type OpenMailbox = {
  readonly name: string;
  readonly examined: Examined;
  /** Opened by SELECT; null: by EXAMINE. */
  readonly selected: Selected | null;
  /** As far as it is known after the commands sent since; null: others may have changed it as well. */
  vector: MailboxVector | null;
};

/** A mailbox that is being opened before anybody is known to want it. */
type Ahead = {
  readonly name: string;
  readonly since: Since | undefined;
  /** How many commands were asked until then, this one included. */
  readonly asked: number;
  readonly opening: Promise<OpenMailbox>;
};

/**
 * One authenticated connection: mailboxes are opened by EXAMINE for reading and by SELECT for changes, left by UNSELECT, and never
 * closed by what would expunge somebody's messages. Used by one caller at a time.
 */
export class ImapSession {
  readonly capabilities: Capabilities;
  readonly #wire: ImapWire;
  readonly #limits: ImapLimits;
  readonly #onCommand: (name: string) => void;
  readonly #enabled = new Set<string>();
  /** Mailboxes, by name on the wire, that the server has shown on this connection, or put something into. */
  readonly #seen = new Set<string>();
  #namespaces: Namespaces = onlyPersonal;
  readonly #settled: Promise<void>;
  #selected: OpenMailbox | null = null;
  #ahead: Ahead | null = null;
  /** How many commands were asked until the last mailbox was left, that one included: what is told before they are answered is of that mailbox. */
  #leftAt = 0;
  /** Mailboxes opened or left so far: an answer that comes later than the next of them says nothing of what is open. */
  #openings = 0;
  /** Nothing was sent since the mailbox was opened, so the server's view of it is not stale. */
  #isFresh = false;
  /** Since then the server has told of messages that are gone. */
  #isLosing = false;

  /** Connects and logs in. Throws `AuthenticationFailed`, `Throttled` or `Unavailable`. */
  static async open(
    server: ImapServer,
    credential: ImapCredential,
    { limits = imapLimits, onConnect, onCommand }: SessionObserver & { readonly limits?: ImapLimits } = {},
  ): Promise<ImapSession> {
    onConnect?.();
    const { socket, capabilities } = await connect(server, credential, limits);
    const literals = capabilities.has('LITERAL+') ? 'plus' : capabilities.has('LITERAL-') ? 'minus' : 'synchronizing';
    return new ImapSession(new ImapWire(socket, literals, limits), capabilities, limits, onCommand ?? (() => {}));
  }

  private constructor(
    wire: ImapWire,
    capabilities: Capabilities,
    limits: ImapLimits,
    onCommand: (name: string) => void,
  ) {
    this.#wire = wire;
    this.capabilities = capabilities;
    this.#limits = limits;
    this.#onCommand = onCommand;
    this.#settled = this.#settle();
  }

  get isOpen(): boolean {
    return this.#wire.isOpen;
  }

  /** How many commands the server was asked, and how many it has answered. */
  get asked(): number {
    return this.#wire.asked;
  }

  get answered(): number {
    return this.#wire.answered;
  }

  /** Called once, when the connection has ended in whatever way. */
  set onEnd(listener: () => void) {
    this.#wire.onEnd = listener;
  }

  /** Whether messages have gone since the catalog saw so many below `uidNext` in the mailbox that is open now. */
  hasLostMessages(seen: { readonly uidNext: number; readonly messages: number }): boolean {
    return this.#selected === null || this.#isLosing || hasFewer(this.#selected.examined, seen);
  }

  has(capability: string): boolean {
    return offers(this.capabilities, capability);
  }

  /** RFC 9051 mailbox names and strings: only where the server speaks nothing older. */
  get nameEncoding(): NameEncoding {
    return isOnlyRev2(this.capabilities) || this.#enabled.has('UTF8=ACCEPT') ? 'utf-8' : 'utf-7';
  }

  async syncTier(): Promise<SyncTier> {
    await this.#settled;
    if (this.#enabled.has('QRESYNC')) return 'qresync';
    return this.has('CONDSTORE') || this.#enabled.has('CONDSTORE') ? 'condstore' : 'none';
  }

  async namespaces(): Promise<Namespaces> {
    await this.#settled;
    return this.#namespaces;
  }

  /** Sends one command; see `ImapWire.run`. Commands sent without waiting share a round trip. */
  exec(name: string, parameters: readonly ImapArgument[], listener: CommandListener = {}): Promise<Completion> {
    this.#onCommand(name);
    this.#isFresh = false;
    const onData: CommandListener['onData'] = (response, tag) => {
      if (response.name === 'EXPUNGE' || (response.name === 'VANISHED' && !Array.isArray(response.values[0]))) {
        this.#isLosing = true;
      }
      if (response.name === 'STATUS') this.noteSeen(octetsOf(response.values[0])?.toString('latin1') ?? '');
      listener.onData?.(response, tag);
    };
    return this.#wire.run(name, parameters, { ...listener, onData });
  }

  /** Notes that the server knows the mailbox on this connection. `name` as on the wire. */
  noteSeen(name: string): void {
    this.#seen.add(nameOf(name));
  }

  /** Whether nothing was seen yet of what the server says was deleted under us: then another connection would see no more of it. */
  isUnseen(name: string): boolean {
    return !this.#seen.has(nameOf(name));
  }

  /**
   * To be called with the mailboxes that LIST named and told nothing of, if the server said that some mailbox was deleted under us. Throws,
   * and ends the connection, when one of them was seen before.
   */
  expectUnseen(names: readonly string[]): void {
    if (!names.every((name) => this.isUnseen(name))) throw this.#wire.dismiss();
  }

  /**
   * Opens a mailbox for reading. `name` as on the wire. With `since`, where QRESYNC is enabled, the answer tells what
   * changed. Throws `MailboxGone` when the server does not open it, and `MailboxUnseen` when it cannot.
   */
  async examine(name: string, since?: Since): Promise<Examined> {
    return (await this.#open('EXAMINE', name, since)).examined;
  }

  /**
   * Opens a mailbox behind the commands that are on their way, by SELECT if it is to be changed. Whoever opens it next does so without a
   * round trip, unless something else was sent meanwhile; he is also the one who is told of a refusal. To be called when the session has settled.
   */
  async openAhead(command: 'EXAMINE' | 'SELECT', name: string, since?: Since): Promise<void> {
    const opening = this.#openBy(await this.syncTier(), command, name, since);
    this.#ahead = { name, since, asked: this.asked, opening };
    await opening.catch((error: unknown) => {
      // What is open then is not known.
      if (!isRefusal(error)) this.close();
    });
  }

  /** Whether `openAhead` has opened the mailbox, or is about to, so that `examine` is not sent again. */
  isOpenedAhead(name: string, since?: Since): boolean {
    const ahead = this.#ahead;
    return ahead?.name === name && ahead.asked === this.asked && tellsAsMuch(ahead.since, since);
  }

  /**
   * Opens a mailbox for reading, and asks for the messages of these UIDs in the same flight (RFC 9051 §5.5: the server does the one before
   * the other). `refusal`: why the server did not tell of them; null: they have come. `take` is called once the mailbox is open. `since`: as
   * `examine` has it.
   */
  async examineAndFetch(
    name: string,
    uids: UidRanges | '*',
    items: readonly ImapArgument[],
    options: FetchOptions,
    take: (row: FetchRow) => void,
    since?: Since,
  ): Promise<{ readonly examined: Examined; readonly refusal: CommandRefused | null }> {
    const { takeOctets = () => false } = options;
    const { examined, answer } = await this.examineAnd(
      name,
      (isOpen) =>
        this.fetch(
          uids,
          items,
          { ...options, takeOctets: (bytes, start, end) => isOpen() && takeOctets(bytes, start, end) },
          (row) => {
            if (isOpen()) take(row);
          },
        ),
      since,
    );
    const refusal = answer.status === 'rejected' ? answer.reason : null;
    if (refusal !== null && !(refusal instanceof CommandRefused)) throw refusal;
    return { examined, refusal };
  }

  /**
   * Opens a mailbox for reading, and asks for searches in it in the same flight: by `search`, with the `onOk` that `ask` is given. What
   * came of them counts if the mailbox is the right one. `hasLostMessages`: as the method, at the end of the searches.
   */
  async examineAndSearch<T>(
    name: string,
    ask: (onOk: () => void) => Promise<T>,
  ): Promise<{
    readonly examined: Examined;
    readonly answer: PromiseSettledResult<T>;
    readonly hasLostMessages: ImapSession['hasLostMessages'];
  }> {
    let isLosing = false;
    const onOk = () => {
      isLosing ||= this.#isLosing;
    };
    const { examined, answer } = await this.examineAnd(name, () => ask(onOk));
    return { examined, answer, hasLostMessages: (seen) => isLosing || hasFewer(examined, seen) };
  }

  /**
   * Opens a mailbox for reading, and asks something of it in the same flight. `isOpen`: whether it is, so that what the server tells may be of
   * it. Throws what `examine` throws.
   */
  async examineAnd<T>(
    name: string,
    ask: (isOpen: () => boolean) => Promise<T>,
    since?: Since,
  ): Promise<{ readonly examined: Examined; readonly answer: PromiseSettledResult<T> }> {
    const tier = await this.syncTier();
    await this.#aheadEnded();
    let isOpen = false;
    // What is told until then is of a mailbox that was opened before, in the same flight.
    const { asked } = this;
    const opening = this.#openBy(tier, 'EXAMINE', name, since, {
      isItsTurn: () => this.answered >= asked,
      onOk: () => {
        isOpen = true;
      },
    });
    const [opened, answer] = await Promise.allSettled([opening, ask(() => isOpen)]);
    if (opened.status === 'rejected') throw opened.reason;
    return { examined: opened.value.examined, answer };
  }

  /**
   * The mailbox opened for changes, unless it is already and has been since it had the UIDs below `uidNext`. Null when its
   * UIDVALIDITY is another one: then no UID may be used. Throws what `examine` throws.
   */
  async select(name: string, uidValidity: number, uidNext: number): Promise<Selected | null> {
    await this.#aheadEnded();
    const open = this.#selected;
    const isCurrent = open?.name === name && open.selected !== null && open.examined.uidNext >= uidNext;
    const { selected } = isCurrent ? open : await this.#open('SELECT', name);
    return selected?.uidValidity === uidValidity ? selected : null;
  }

  /**
   * Sends a command that changes messages of the selected mailbox, and gathers what it answers in `answer`. Throws what `exec`
   * throws; what the server did until then is unknown.
   */
  async change(name: string, parameters: readonly ImapArgument[], answer: ChangeAnswer): Promise<Glimpse> {
    const open = this.#selected;
    const before = open?.vector ?? null;
    if (open) open.vector = null;
    const { code } = await this.exec(name, parameters, {
      responses: answer.uidsAsked,
      onData: ({ name: what, number: count, values }) => answer.take(what, count, values),
      onCode: ({ name: what, values }) => answer.takeCode(what, values),
      onRefusal: ({ name: what, values }) => {
        // RFC 7162 §3.1.3: a STORE that is refused may have passed over some of the messages, and have flagged others.
        if (what === 'MODIFIED') answer.takeCode(what, values);
      },
    });
    if (code) answer.takeCode(code.name, code.values);
    const after = before && answer.vectorAfter(before);
    if (open) open.vector = after;
    return { before, after };
  }

  /** Whether the mailbox is open, and has been since it had the UIDs below `uidNext`. */
  async isAt(name: string, uidNext: number): Promise<boolean> {
    await this.#aheadEnded();
    return this.#selected?.name === name && this.#selected.examined.uidNext >= uidNext;
  }

  /** Whether the mailbox is open for reading only. */
  isReading(name: string): boolean {
    return this.#selected?.name === name && this.#selected.selected === null;
  }

  /** Sends an APPEND that the caller puts together; see `ImapWire.runParts`. */
  append(compile: (tag: string, literals: LiteralMode) => CommandPart[]): Promise<Completion> {
    // The mailbox it goes to may be the one that is open.
    if (this.#selected) this.#selected.vector = null;
    this.#onCommand('APPEND');
    this.#isFresh = false;
    return this.#wire.runParts('APPEND', compile);
  }

  async #open(command: 'EXAMINE' | 'SELECT', name: string, since?: Since): Promise<OpenMailbox> {
    const tier = await this.syncTier();
    const ahead = this.#ahead;
    await this.#aheadEnded();
    if (ahead?.name !== name || ahead.asked !== this.asked) return this.#openBy(tier, command, name, since);
    const open = await ahead.opening;
    const isEnough = command === 'EXAMINE' || open.selected !== null;
    return isEnough && tellsAsMuch(ahead.since, since) ? open : this.#openBy(tier, command, name, since);
  }

  /** What was opened ahead is open, or refused. Throws what concerns more than that mailbox. */
  async #aheadEnded(): Promise<void> {
    const ahead = this.#ahead;
    this.#ahead = null;
    await ahead?.opening.catch((error: unknown) => {
      if (!isRefusal(error)) throw error;
    });
  }

  /**
   * The command is on its way when it returns. `isItsTurn`: whether what the server tells may be about it. `onOk`: when the mailbox is open,
   * before anything else about it is heard.
   */
  async #openBy(
    tier: SyncTier,
    command: 'EXAMINE' | 'SELECT',
    name: string,
    since?: Since,
    { isItsTurn: isBehind = () => true, onOk = () => {} }: { isItsTurn?: () => boolean; onOk?: () => void } = {},
  ): Promise<OpenMailbox> {
    const leftAt = this.#leftAt;
    const isItsTurn = () => this.answered >= leftAt && isBehind();
    const parameters = [mailbox(name)];
    if (tier === 'qresync' && since) {
      parameters.push(list(atom('QRESYNC'), list(number(since.uidValidity), digits(since.modseq))));
    } else if (tier === 'condstore' && !this.#enabled.has('CONDSTORE')) {
      parameters.push(list(atom('CONDSTORE')));
    }
    this.#selected = null;
    this.#openings += 1;
    const openings = this.#openings;
    const answer = new ExamineAnswer();
    const opening = this.#opened(
      this.exec(command, parameters, {
        responses: this.#limits.mailboxMessagesMax,
        // Rows that others ask for in the same flight are theirs.
        takeOctets: () => false,
        onData: ({ number: count, name: what, values }) => {
          if (isItsTurn()) answer.take(count, what, values);
        },
        onCode: ({ name: code, values }) => {
          if (isItsTurn()) answer.takeCode(code, values);
        },
        onOk: () => {
          this.#isLosing = false;
          onOk();
        },
        isOfCommand: () => this.isUnseen(name),
      }),
    );
    const { asked } = this;
    const { code } = await opening;
    this.noteSeen(name);
    const told = answer.result(answer.uidNext ?? (await this.#statusUidNext(name)));
    // Some servers tell a mod-sequence to whoever has no use for it, and not in STATUS.
    const examined = tier === 'none' ? { ...told, highestModseq: null } : told;
    if (examined.exists > this.#limits.mailboxMessagesMax) throw new Unavailable('The mailbox has too many messages');
    const { uidValidity, uidNext, highestModseq, exists } = examined;
    const { permanentFlags } = answer;
    const selected = { ...examined, permanentFlags, isReadOnly: code?.name === 'READ-ONLY' };
    const vector = { uidValidity, uidNext, highestModseq, messages: exists };
    const open = { name, examined, selected: command === 'SELECT' ? selected : null, vector };
    if (openings === this.#openings) this.#selected = open;
    this.#isFresh = asked === this.asked;
    return open;
  }

  async #opened(opening: Promise<Completion>): Promise<Completion> {
    try {
      return await opening;
    } catch (error) {
      if (error instanceof CommandRefused && error.reason === 'unseen')
        throw new MailboxUnseen('The mail server does not see the mailbox');
      if (error instanceof CommandRefused && error.status === 'NO')
        throw new MailboxGone('The mailbox cannot be opened');
      throw error;
    }
  }

  /**
   * The mailbox opened, unless it is already and has been since it had the UIDs below `uidNext`. Null when its UIDVALIDITY is
   * another one: then no UID may be used.
   */
  async examineAgain(name: string, uidValidity: number, uidNext: number): Promise<Examined | null> {
    const isCurrent = await this.isAt(name, uidNext);
    const examined = isCurrent && this.#selected ? this.#selected.examined : await this.examine(name);
    return examined.uidValidity === uidValidity ? examined : null;
  }

  /**
   * QUIRK(dovecot): while a mailbox is selected, SEARCH, STATUS and LIST-STATUS tell of it as it was; NOOP brings it up to
   * date, or it is left. To be called before each of them. `always`: also where nothing was sent since it was opened, which may be long ago.
   */
  async refresh({ always = false } = {}): Promise<void> {
    await this.#aheadEnded();
    if (this.#selected && (always || !this.#isFresh)) await this.exec('NOOP', []);
  }

  /**
   * Asks something of the selected mailbox. QUIRK(cyrus 3.6): one that another client deleted or renamed stays selected, and
   * refuses everything; so a refusal is believed only of a mailbox that can still be opened.
   */
  async ask(name: string, parameters: readonly ImapArgument[], listener: CommandListener): Promise<void> {
    const selected = this.#selected;
    try {
      await this.exec(name, parameters, listener);
    } catch (error) {
      const isRefused = error instanceof CommandRefused && error.status === 'NO' && error.code !== 'EXPUNGEISSUED';
      if (!isRefused || selected === null) throw error;
      // Other mailboxes may be on their way to be opened.
      const { examined } = await this.examineAnd(selected.name, async () => {});
      if (examined.uidValidity !== selected.examined.uidValidity) throw new MailboxGone('The mailbox was replaced');
      throw error;
    }
  }

  /**
   * UID FETCH, `*` being the last message; rows without a UID are left out, and a row may come more than once. Throws `MailboxGone` when another
   * client took the mailbox away.
   */
  async fetch(
    uids: UidRanges | '*',
    items: readonly ImapArgument[],
    options: FetchOptions,
    take: (row: FetchRow) => void,
  ): Promise<void> {
    const { takeOctets } = options;
    const modifiers =
      options.changedSince === undefined ? [] : [list(atom('CHANGEDSINCE'), digits(options.changedSince))];
    const onData: CommandListener['onData'] = (response) => {
      const row = fetchRow(response);
      if (row) take(row);
    };
    try {
      await this.ask('UID FETCH', [uidSet(uids), list(...items), ...modifiers], {
        responses: options.rowsMax,
        onData,
        ...(takeOctets && { takeOctets }),
      });
    } catch (error) {
      // RFC 5530: some of the messages are gone already; the others have come.
      if (!(error instanceof CommandRefused) || error.code !== 'EXPUNGEISSUED') throw error;
    }
  }

  /**
   * UID SEARCH, in the selected mailbox. Criteria with text beyond ASCII need `charset`. Without ESEARCH an answer does not tell
   * its question: one search at a time then. `onOk` is called when it is done, before anything else is heard. Throws `MailboxGone` too.
   */
  async search(criteria: readonly ImapArgument[], charset?: 'UTF-8', onOk?: () => void): Promise<UidRanges> {
    const isExtended = this.has('ESEARCH');
    const parameters = [
      ...(isExtended ? [atom('RETURN'), list(atom('ALL'))] : []),
      ...(charset && this.nameEncoding === 'utf-7' ? [atom('CHARSET'), atom(charset)] : []),
      ...criteria,
    ];
    const found: (readonly [number, number])[] = [];
    await this.ask('UID SEARCH', parameters, {
      onData: ({ name, values }, tag) => {
        for (const range of uidsFound(name, values, tag)) found.push(range);
      },
      ...(onOk && { onOk }),
    });
    const ranges = normalizeRanges(found);
    // A few octets can claim four thousand million messages.
    if (countUids(ranges) > this.#limits.mailboxMessagesMax) throw new Unavailable('The mail server found too much');
    return ranges;
  }

  /** STATUS of one mailbox (RFC 9051 §6.3.11): item names and values in turn; null where the server refuses. */
  async status(name: string, items: readonly string[]): Promise<readonly ImapValue[] | null> {
    let answer: readonly ImapValue[] | null = null;
    try {
      await this.exec('STATUS', [mailbox(name), list(...items.map(atom))], {
        onData: ({ name: what, values }) => {
          if (what === 'STATUS' && isName(values[0], name)) answer = listOf(values[1]);
        },
        isOfCommand: () => this.isUnseen(name),
      });
    } catch (error) {
      if (!(error instanceof CommandRefused)) throw error;
    }
    return answer;
  }

  /**
   * Leaves the selected mailbox, so that the session can be kept for another use. Without UNSELECT a mailbox that is not there is opened
   * instead: where that fails none is selected (RFC 3501 §6.3.1). CLOSE could expunge somebody's messages.
   */
  async unselect(): Promise<void> {
    const ahead = this.#ahead;
    if (!this.#selected && !ahead) return;
    this.#selected = null;
    this.#ahead = null;
    this.#openings += 1;
    if (this.has('UNSELECT')) {
      const leaving = this.exec('UNSELECT', []);
      this.#leftAt = this.asked;
      await leaving.catch(async (error: unknown) => {
        if (!isRefusal(error)) throw error;
        // None was open, if the one that nobody asked for was refused.
        const isNoneOpen = ahead !== null && (await isRefused(ahead.opening));
        if (!isNoneOpen) throw error;
      });
      return;
    }
    const isLeft = await this.exec('EXAMINE', [mailbox(nowhere)]).then(
      () => false,
      (error: unknown) => error instanceof CommandRefused && error.status === 'NO',
    );
    if (!isLeft) throw new Unavailable('The mail server does not leave the mailbox');
  }

  /** The same where UNSELECT is offered, and what is asked of others is sent at once. A connection that does not leave the mailbox is given up. */
  async unselectOrEnd(): Promise<void> {
    try {
      await this.unselect();
    } catch (error) {
      throw isRefusal(error) ? this.#wire.dismiss('The mail server does not leave the mailbox') : error;
    }
  }

  /** Logs out and ends the connection. Never rejects. */
  leave(): Promise<void> {
    return this.#wire.leave();
  }

  /** Ends the connection at once. */
  close(): void {
    this.#wire.close();
  }

  /** Whether the connection keeps the process alive. */
  keepAlive(wanted: boolean): void {
    this.#wire.keepAlive(wanted);
  }

  /** What can be asked before anything is known: in one flight with the first real command. */
  async #settle(): Promise<void> {
    const wanted = this.has('QRESYNC') ? ['QRESYNC'] : this.has('CONDSTORE') ? ['CONDSTORE'] : [];
    if (this.has('UTF8=ONLY')) wanted.push('UTF8=ACCEPT');
    const flight: Promise<unknown>[] = [];
    if (this.has('ENABLE') && wanted.length > 0) {
      const onData: CommandListener['onData'] = ({ name, values }) => {
        if (name !== 'ENABLED') return;
        for (const value of values) this.#enabled.add((textOf(value) ?? '').toUpperCase());
        if (this.#enabled.has('QRESYNC')) this.#enabled.add('CONDSTORE');
      };
      flight.push(this.#wire.run('ENABLE', wanted.map(atom), { onData }));
    }
    if (this.has('NAMESPACE')) {
      const onData: CommandListener['onData'] = ({ name, values }) => {
        if (name === 'NAMESPACE') this.#namespaces = readNamespaces(values);
      };
      flight.push(this.#wire.run('NAMESPACE', [], { onData }));
    }
    // A refusal leaves what was assumed; a lost connection fails the command that waits for this.
    await Promise.allSettled(flight);
  }

  async #statusUidNext(name: string): Promise<number> {
    const values = await this.status(name, ['UIDNEXT']);
    if (values === null) throw new MailboxGone('The mailbox was taken away when it had been opened');
    const uidNext = numberOf(values[1]);
    if (uidNext === null) throw new Unavailable('The mail server tells no UIDNEXT');
    return uidNext;
  }
}

/** The name of no mailbox. */
const nowhere = 'Postern: no such mailbox';

/** Whether there are fewer messages below `uidNext` than were seen. */
function hasFewer(
  examined: Examined,
  { uidNext, messages }: { readonly uidNext: number; readonly messages: number },
): boolean {
  return examined.exists - messages !== examined.uidNext - uidNext;
}

async function isRefused(opening: Promise<unknown>): Promise<boolean> {
  return opening.then(() => false, isRefusal);
}

/** Whether the server refused a command, and nothing else is wrong. */
function isRefusal(error: unknown): boolean {
  return error instanceof MailboxGone || error instanceof MailboxUnseen || error instanceof CommandRefused;
}

/** The same for all ways to write the name of the inbox. */
function nameOf(wire: string): string {
  return /^inbox$/i.test(wire) ? 'INBOX' : wire;
}

/** Whether an answer tells all that one to a question with `wanted` would. */
function tellsAsMuch(since: Since | undefined, wanted: Since | undefined): boolean {
  return wanted === undefined || (since?.uidValidity === wanted.uidValidity && since.modseq === wanted.modseq);
}

function digits(text: string): ImapArgument {
  if (!/^\d{1,19}$/.test(text)) throw new Error(`Not a mod-sequence "${text}"`);
  return { type: 'SEQUENCE', value: text };
}

/** Whether a name in a response is the one (as on the wire) that was asked about. */
export function isName(value: ImapValue | undefined, name: string): boolean {
  const answered = octetsOf(value)?.toString('latin1');
  return answered === name || (/^inbox$/i.test(name) && /^inbox$/i.test(answered ?? ''));
}
