import type { Socket } from 'node:net';
import { compileCommand, compileLine, type SieveArgument } from './arguments.ts';
import { ConnectionLost, classifyRefusal, type Refusal, refusalError } from './failure.ts';
import type { SieveLimits } from './limits.ts';
import type { ResponseCode, SieveResponse, SieveValue } from './response.ts';
import { ResponseReader } from './response-reader.ts';

/** The OK of a command. */
export type Completion = { readonly code: ResponseCode | null; readonly text: string };

/** Takes a line of data that comes before the answer of a command; what it returns is said to the server (SASL only). */
export type TakeData = (values: readonly SieveValue[]) => SieveArgument | undefined;

type StatusResponse = Extract<SieveResponse, { kind: 'status' }>;

type PendingCommand = {
  readonly name: string;
  readonly onData: TakeData;
  readonly resolve: (completion: Completion) => void;
  readonly reject: (error: Error) => void;
};

/**
 * Commands on a connection: answers come in the order of the commands, and say no more of which is whose. Every command ends:
 * by its answer, by a deadline, or with the connection; what a server may send for it is limited.
 */
export class SieveWire {
  readonly #socket: Socket;
  readonly #limits: SieveLimits;
  readonly #reader: ResponseReader;
  readonly #sent: PendingCommand[] = [];
  /** What arrived since the last command ended. */
  #received = { responses: 0, octets: 0 };
  #timer: NodeJS.Timeout | undefined;
  #failure: Error | null = null;
  /** Whether the user has proved who he is; until then refusals are about that. */
  #isLoggedIn = false;
  /** An upgrade to TLS begins: nothing may come before it. */
  #isUpgrading = false;
  #isLeaving = false;

  constructor(socket: Socket, limits: SieveLimits) {
    this.#socket = socket;
    this.#limits = limits;
    this.#reader = new ResponseReader(limits.greetingOctetsMax, limits);
    socket.setNoDelay(true);
    socket.on('data', this.#onData);
    socket.on('error', this.#onError);
    socket.on('close', this.#onClose);
  }

  get isOpen(): boolean {
    return this.#failure === null;
  }

  /** What the server says of its own accord (RFC 5804 §1.7): to be called before it can have said it. */
  greeting(onData: TakeData): Promise<Completion> {
    return this.#pend('the connection', onData);
  }

  /**
   * Sends a command and waits for its OK. Rejects with `CommandRefused` for a NO that concerns the command alone, with
   * `AuthenticationFailed`, `Throttled` or `Unavailable` for what concerns more, and with `ConnectionLost`.
   */
  run(
    name: string,
    parameters: readonly SieveArgument[] = [],
    onData: TakeData = () => undefined,
  ): Promise<Completion> {
    const command = compileCommand(name, parameters);
    const completion = this.#pend(name, onData);
    if (this.#failure === null) this.#socket.write(command);
    return completion;
  }

  /** From now on the server knows for whom we come, and may send scripts. */
  loggedIn(): void {
    this.#isLoggedIn = true;
    this.#reader.octetsMax = this.#limits.responseOctetsMax;
  }

  /**
   * Asks for TLS (RFC 5804 §2.2), and gives up the socket so that it can be upgraded. Whatever the server, or somebody in
   * between, has sent beyond the OK was said without protection, and ends the connection.
   */
  async startTls(): Promise<Socket> {
    this.#isUpgrading = true;
    await this.run('STARTTLS');
    if (this.#failure !== null) throw this.#failure;
    this.#socket.off('data', this.#onData);
    this.#socket.off('error', this.#onError);
    this.#socket.off('close', this.#onClose);
    this.#socket.pause();
    clearTimeout(this.#timer);
    this.#failure = new ConnectionLost('The connection goes on under TLS');
    return this.#socket;
  }

  /** Says goodbye and ends the connection, whether the server answers or not. Never rejects. */
  async leave(): Promise<void> {
    if (this.#failure !== null) return;
    this.#isLeaving = true;
    const impatience = setTimeout(() => this.close(), this.#limits.logoutTimeoutMs);
    await this.run('LOGOUT').catch(() => {});
    clearTimeout(impatience);
    this.close();
  }

  /** Ends the connection at once; commands on it are rejected. */
  close(): void {
    this.#end(new ConnectionLost('The connection to the ManageSieve server was closed'));
  }

  #pend(name: string, onData: TakeData): Promise<Completion> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#sent.push({ name, onData, resolve, reject });
      if (this.#sent.length === 1) this.#watch();
    });
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#failure !== null) return;
    this.#received.octets += chunk.length;
    if (this.#received.octets > this.#limits.commandOctetsMax) this.#giveUp('answers without end');
    try {
      this.#reader.push(chunk, (response) => {
        this.#dispatch(response);
        return this.#failure === null;
      });
    } catch (error) {
      this.#giveUp((error as Error).name);
    }
    // The answer to STARTTLS has come when nobody waits for it any more.
    if (this.#isUpgrading && this.#sent.length === 0 && !this.#reader.isEmpty) this.#giveUp('octets before TLS');
  };

  readonly #onError = (error: Error): void =>
    this.#end(new ConnectionLost('The connection to the ManageSieve server broke', { cause: error }));

  readonly #onClose = (): void => this.#end(new ConnectionLost('The ManageSieve server closed the connection'));

  #dispatch(response: SieveResponse): void {
    if (this.#failure !== null) return;
    const [command] = this.#sent;
    if (response.kind === 'status' && response.status === 'BYE') this.#bye(response, command);
    else if (command === undefined) this.#giveUp('an answer to no command');
    else if (response.kind === 'data') this.#take(response.values, command);
    else this.#complete(response, command);
  }

  #take(values: readonly SieveValue[], { onData }: PendingCommand): void {
    if (++this.#received.responses > this.#limits.responsesMax) {
      this.#giveUp('responses without end');
      return;
    }
    const reply = onData(values);
    if (reply !== undefined) this.#socket.write(compileLine(reply));
  }

  #complete({ status, code, text }: StatusResponse, command: PendingCommand): void {
    this.#sent.shift();
    this.#watch();
    if (status === 'OK') command.resolve({ code, text });
    else command.reject(refused({ status: 'NO', code, text }, command, 'account'));
  }

  #bye({ code, text }: StatusResponse, command: PendingCommand | undefined): void {
    if (this.#isLeaving) return;
    // What the last command did is then as unknown as when the connection breaks.
    const failure = this.#isLoggedIn
      ? new ConnectionLost('The ManageSieve server said goodbye')
      : refused({ status: 'BYE', code, text }, command, command?.name === 'AUTHENTICATE' ? 'account' : 'host');
    this.#end(failure);
  }

  /** The server does what no server does. */
  #giveUp(what: string): void {
    this.#end(new ConnectionLost(`The ManageSieve server cannot be understood: ${what}`));
  }

  #end(failure: Error): void {
    if (this.#failure !== null) return;
    this.#failure = failure;
    clearTimeout(this.#timer);
    this.#socket.destroy();
    for (const command of this.#sent.splice(0)) command.reject(failure);
  }

  /** From now on another command, or none, is the oldest: its time starts. */
  #watch(): void {
    clearTimeout(this.#timer);
    this.#received = { responses: 0, octets: 0 };
    if (this.#sent.length === 0 || this.#failure !== null) return;
    const late = () => this.#end(new ConnectionLost('The ManageSieve server did not answer in time'));
    this.#timer = setTimeout(late, this.#limits.commandTimeoutMs);
  }
}

/** Only what the server says to AUTHENTICATE can be about the credential. */
function refused(refusal: Refusal, command: PendingCommand | undefined, concerns: 'host' | 'account'): Error {
  const name = command?.name ?? 'the connection';
  const kind = classifyRefusal(refusal, name === 'AUTHENTICATE' ? 'login' : 'command');
  return refusalError(kind, name, refusal, concerns);
}
