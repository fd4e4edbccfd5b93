import type { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import { Unavailable } from '../jmap/errors.ts';
import {
  type CommandPart,
  compileCommand,
  type ImapArgument,
  type LiteralMode,
  type OctetSource,
} from './arguments.ts';
import { classifyRefusal, isDeletedUnderUs, reasonOf } from './classify.ts';
import { CommandRefused, ConnectionLost, Dismissed, refusalError, SourceFailed } from './failure.ts';
import type { ImapLimits } from './limits.ts';
import type { ImapResponse, ResponseCode } from './response.ts';
import { ResponseReader, type TakeOctets } from './response-reader.ts';

type DataResponse = Extract<ImapResponse, { kind: 'data' }>;
type StatusResponse = Extract<ImapResponse, { kind: 'status' }>;

/**
 * What is done with the untagged responses that arrive while a command is on the wire. Servers work on several commands at a
 * time (Dovecot on SEARCH and FETCH), so each listener sees everything and must know what answers its command.
 */
export type CommandListener = {
  readonly onData?: (response: DataResponse, tag: string) => void;
  /** Takes those untagged responses that answer it before they are parsed, while only commands that do so are on the wire. */
  readonly takeOctets?: TakeOctets;
  /** The code of an untagged `OK`, such as `[UIDVALIDITY 17]`. */
  readonly onCode?: (code: ResponseCode) => void;
  /** The code of the tagged NO or BAD that it is refused with. */
  readonly onRefusal?: (code: ResponseCode) => void;
  /** Asked when it is refused because "Mailbox was deleted under us": whether that concerns the command alone, and not the connection. */
  readonly isOfCommand?: () => boolean;
  /** Called when that is told untagged, of some mailbox. Without it the connection is given up. */
  readonly onUnseen?: () => void;
  /** Called at the tagged OK, before anything that the server sent behind it is looked at. */
  readonly onOk?: () => void;
  /** How many untagged responses the command asks for; the server may send some more on its own account. */
  readonly responses?: number;
};

/** The tagged OK of a command. */
export type Completion = { readonly code: ResponseCode | null };

type PendingCommand = CommandListener & {
  readonly tag: string;
  readonly name: string;
  readonly parts: CommandPart[];
  readonly resolve: (completion: Completion) => void;
  readonly reject: (error: Error) => void;
};

/** Commands that put something into a mailbox, or make, name or unmake one. */
const storingCommands: ReadonlySet<string> = new Set([
  ...['APPEND', 'UID COPY', 'UID MOVE', 'UID STORE', 'UID EXPUNGE'],
  ...['CREATE', 'RENAME', 'DELETE', 'SUBSCRIBE', 'UNSUBSCRIBE'],
]);

/**
 * Tagged commands on a connection (RFC 9051 §2.2.1), several at a time where the caller does not wait. Every command ends:
 * by its tagged answer, by a deadline, or with the connection; what a server may send for it is limited.
 */
export class ImapWire {
  readonly #socket: Socket;
  readonly #literals: LiteralMode;
  readonly #limits: ImapLimits;
  readonly #reader: ResponseReader;
  /** Not sent yet. */
  readonly #waiting: PendingCommand[] = [];
  /** Sent, oldest first. */
  readonly #sent: PendingCommand[] = [];
  /** Parts of the newest sent command that wait for the server's continuation. */
  #parts: CommandPart[] = [];
  /** Octets of the newest sent command are still coming from their source. */
  #isStreaming = false;
  #lastTag = 0;
  /** What arrived since the last command ended. */
  #received = { responses: 0, octets: 0 };
  #oldestSince = 0;
  #lastHeard = 0;
  #timer: NodeJS.Timeout | undefined;
  #failure: Error | null = null;
  #isLeaving = false;
  /** Commands the server has answered. */
  answered = 0;
  /** Called once, when the connection has ended in whatever way. */
  onEnd: () => void = () => {};

  constructor(socket: Socket, literals: LiteralMode, limits: ImapLimits) {
    this.#socket = socket;
    this.#literals = literals;
    this.#limits = limits;
    this.#reader = new ResponseReader(limits);
    socket.setTimeout(0);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 60_000);
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', (error) =>
      this.#end(new ConnectionLost('The connection to the mail server broke', { cause: error })),
    );
    socket.on('end', () => this.#end(new ConnectionLost('The mail server closed the connection')));
    socket.on('close', () => this.#end(new ConnectionLost('The connection to the mail server was closed')));
    socket.resume();
  }

  get isOpen(): boolean {
    return this.#failure === null;
  }

  /** Commands that were given to it, sent yet or not. */
  get asked(): number {
    return this.#lastTag;
  }

  /**
   * Sends a command and waits for its tagged OK. Rejects with `CommandRefused` for a NO or BAD that concerns the command
   * alone, with `Throttled` or `Unavailable` for what concerns more, and with `ConnectionLost`.
   */
  run(name: string, parameters: readonly ImapArgument[], listener: CommandListener = {}): Promise<Completion> {
    return this.runParts(
      name,
      (tag, literals) => compileCommand(tag, name, parameters, literals).map((part) => [part]),
      listener,
    );
  }

  /**
   * The same for a command that the caller puts together: after each part but the last the server's continuation is awaited. Rejects with `SourceFailed`, and ends the connection, when octets of it
   * cannot be had: then the server has not got the whole command, and will not do it.
   */
  runParts(
    name: string,
    compile: (tag: string, literals: LiteralMode) => CommandPart[],
    listener: CommandListener = {},
  ): Promise<Completion> {
    if (this.#failure) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      const tag = `p${++this.#lastTag}`;
      const parts = compile(tag, this.#literals);
      this.#waiting.push({ ...listener, tag, name, parts, resolve, reject });
      this.#send();
    });
  }

  /** Says goodbye and ends the connection, whether the server answers or not. Never rejects. */
  async leave(): Promise<void> {
    if (this.#failure) return;
    this.#isLeaving = true;
    const impatience = setTimeout(() => this.close(), this.#limits.logoutTimeoutMs);
    await this.run('LOGOUT', []).catch(() => {});
    clearTimeout(impatience);
    this.close();
  }

  /** Ends the connection, of which something is wrong that will not be so on another one; gives what commands on it are rejected with. */
  dismiss(why = 'The mail server has lost sight of a mailbox on this connection'): Error {
    const failure = new Dismissed(why);
    this.#end(failure);
    return failure;
  }

  /** Ends the connection at once; commands on it are rejected. */
  close(): void {
    this.#end(new ConnectionLost('The connection to the mail server was closed'));
  }

  /** Whether an open connection keeps the process alive. */
  keepAlive(wanted: boolean): void {
    if (wanted) this.#socket.ref();
    else this.#socket.unref();
  }

  #send(): void {
    this.#socket.cork();
    while (this.#parts.length === 0 && !this.#isStreaming && this.#sent.length < this.#limits.pipelinedCommandsMax) {
      const next = this.#waiting.shift();
      if (!next) break;
      if (this.#sent.length === 0) this.#watch();
      this.#sent.push(next);
      this.#parts = next.parts;
      this.#sendPart();
    }
    // Behind what else is given to it now, and not behind the work on what came before, which may be long.
    queueMicrotask(() => this.#socket.uncork());
  }

  #sendPart(): void {
    const part = this.#parts.shift();
    if (part === undefined) return;
    const rest = [...part];
    while (rest[0] instanceof Uint8Array) this.#socket.write(rest.shift() as Buffer);
    if (rest.length === 0) return;
    this.#isStreaming = true;
    this.#stream(rest).then(
      () => {
        this.#isStreaming = false;
        this.#send();
      },
      (error: unknown) =>
        this.#end(new SourceFailed('What was to be sent to the mail server could not be had', { cause: error })),
    );
  }

  /** Sends octets as they come, as fast as the server takes them. As long as they flow the command is not late. */
  async #stream(part: CommandPart): Promise<void> {
    for (const piece of part) {
      for await (const chunk of piece instanceof Uint8Array ? [piece] : exactly(piece)) {
        if (this.#failure) return;
        if (!this.#socket.write(chunk)) await this.#drained();
        this.#oldestSince = Date.now();
        this.#lastHeard = this.#oldestSince;
      }
    }
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const goOn = () => {
        this.#socket.off('drain', goOn).off('close', goOn);
        resolve();
      };
      this.#socket.on('drain', goOn).on('close', goOn);
    });
  }

  #receive(chunk: Buffer): void {
    if (this.#failure) return;
    this.#lastHeard = Date.now();
    this.#received.octets += chunk.length;
    if (this.#received.octets > this.#limits.commandOctetsMax) this.#giveUp('answers without end');
    try {
      this.#reader.push(
        chunk,
        (response) => this.#dispatch(response),
        (bytes, start, end) => this.#takeOctets(bytes, start, end),
      );
    } catch (error) {
      this.#giveUp((error as Error).name);
    }
  }

  #takeOctets(bytes: Buffer, start: number, end: number): boolean {
    if (this.#failure) return false;
    for (const { takeOctets } of this.#sent) if (takeOctets === undefined) return false;
    for (const { takeOctets } of this.#sent) {
      if (takeOctets?.(bytes, start, end) !== true) continue;
      this.#mayStillAnswer();
      return true;
    }
    return false;
  }

  #dispatch(response: ImapResponse): void {
    if (this.#failure) return;
    switch (response.kind) {
      case 'continuation':
        if (this.#parts.length > 0) this.#sendPart();
        if (this.#parts.length === 0) this.#send();
        return;
      case 'data':
        if (this.#mayStillAnswer()) for (const { onData, tag } of this.#sent) onData?.(response, tag);
        return;
      case 'malformed':
        if (response.tag !== null && this.#sent.some(({ tag }) => tag === response.tag))
          this.#giveUp('malformed answer');
        else this.#mayStillAnswer();
        return;
      case 'status':
        if (response.tag !== null) this.#complete(response.tag, response);
        else if (response.status === 'BYE') this.#bye(response);
        else if (response.status === 'NO' && isDeletedUnderUs(response.text)) this.#unseen();
        else if (this.#mayStillAnswer() && response.status === 'OK' && response.code) {
          for (const { onCode } of this.#sent) onCode?.(response.code);
        }
    }
  }

  /** Counts an untagged response; false, and the end, when there are too many. */
  #mayStillAnswer(): boolean {
    const expected = this.#sent.reduce((sum, { responses = 0 }) => sum + responses, 0);
    if (++this.#received.responses <= expected + this.#limits.surplusResponsesMax) return true;
    this.#giveUp('responses without end');
    return false;
  }

  #complete(tag: string, response: StatusResponse): void {
    const index = this.#sent.findIndex((command) => command.tag === tag);
    const command = this.#sent[index];
    // A tag that is not on the wire: nothing that follows can be trusted to belong to what was asked.
    if (!command) {
      this.#giveUp('an answer to no command');
      return;
    }
    if (index === this.#sent.length - 1) {
      // The server would take what still comes for commands.
      if (this.#isStreaming && response.status !== 'OK') this.#rejectBeforeTheEnd(command, response);
      else if (this.#isStreaming) this.#giveUp('an answer to half a command');
      this.#parts = [];
    }
    if (response.status === 'NO' && isDeletedUnderUs(response.text) && !command.isOfCommand?.()) this.dismiss();
    if (this.#failure) return;
    this.#sent.splice(index, 1);
    this.answered++;
    this.#watch();
    if (response.status === 'OK') {
      command.onOk?.();
      command.resolve({ code: response.code });
    } else if (response.status === 'NO' || response.status === 'BAD') {
      if (response.code) command.onRefusal?.(response.code);
      command.reject(this.#refusal(command, response));
    } else command.reject(new Unavailable('The mail server gave an answer that is none'));
    this.#send();
  }

  /** The server refused a command without waiting for its end: nothing was done, and the connection is of no more use. */
  #rejectBeforeTheEnd(command: PendingCommand, response: StatusResponse): void {
    this.#sent.pop();
    command.reject(this.#refusal(command, response));
    this.#end(new ConnectionLost('The mail server did not want to hear more'));
  }

  #refusal(command: PendingCommand, response: StatusResponse): Error {
    const status = response.status === 'NO' ? 'NO' : 'BAD';
    const refusal = { status, code: response.code, text: response.text } as const;
    const kind = classifyRefusal(refusal, storingCommands.has(command.name) ? 'storing' : 'command');
    if (kind.kind === 'refused' || kind.kind === 'protocol') {
      return new CommandRefused(command.name, status, response.code?.name ?? null, reasonOf(refusal));
    }
    return refusalError(kind, 'account');
  }

  #bye(response: StatusResponse): void {
    if (this.#isLeaving) return;
    const kind = classifyRefusal({ status: 'BYE', code: response.code, text: response.text }, 'command');
    this.#end(
      kind.kind === 'throttled' ? refusalError(kind, 'account') : new Dismissed('The mail server said goodbye'),
    );
  }

  #unseen(): void {
    const listeners = this.#sent.filter(({ onUnseen }) => onUnseen);
    for (const { onUnseen } of listeners) onUnseen?.();
    if (listeners.length === 0) this.dismiss();
    else this.#mayStillAnswer();
  }

  /** The server does what no server does. */
  #giveUp(what: string): void {
    this.#end(new Unavailable(`The mail server cannot be understood: ${what}`));
  }

  #end(failure: Error): void {
    if (this.#failure) return;
    this.#failure = failure;
    clearTimeout(this.#timer);
    this.#socket.destroy();
    for (const command of [...this.#sent.splice(0), ...this.#waiting.splice(0)]) command.reject(failure);
    this.onEnd();
  }

  /** From now on another command, or none, is the oldest: its time starts. */
  #watch(): void {
    this.#received = { responses: 0, octets: 0 };
    this.#oldestSince = Date.now();
    this.#lastHeard = this.#oldestSince;
    if (!this.#timer) this.#armTimer();
  }

  #armTimer(): void {
    const remaining = Math.min(
      this.#oldestSince + this.#limits.commandTimeoutMs - Date.now(),
      this.#lastHeard + this.#limits.silenceTimeoutMs - Date.now(),
    );
    this.#timer = setTimeout(() => this.#checkTime(), Math.max(remaining, 1));
    this.#timer.unref();
  }

  #checkTime(): void {
    this.#timer = undefined;
    if (this.#failure || (this.#sent.length === 0 && this.#waiting.length === 0)) return;
    const now = Date.now();
    const isLate = now >= this.#oldestSince + this.#limits.commandTimeoutMs;
    const isSilent = now >= this.#lastHeard + this.#limits.silenceTimeoutMs;
    if (isLate || isSilent) this.#end(new ConnectionLost('The mail server did not answer in time'));
    else this.#armTimer();
  }
}

/** Exactly as many octets as were announced: the server counts them. */
async function* exactly({ size, open }: OctetSource): AsyncGenerator<Uint8Array> {
  let sent = 0;
  for await (const chunk of await open()) {
    sent += chunk.byteLength;
    if (sent > size) break;
    yield chunk;
  }
  if (sent !== size) throw new Error(`Expected ${size} octets, not ${sent}`);
}
