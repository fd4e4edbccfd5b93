import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';

/** How long a process may take to end after SIGTERM before all it started is killed. */
const stopTimeoutMs = 5_000;
/** And those processes that it leaves behind. */
const childrenTimeoutMs = 250;
const outputCharactersMax = 16_384;

export interface SupervisedProcess {
  /** Process id of the supervisor. */
  readonly pid: number;
  /** Rejects when the process ends, whoever wanted that. */
  readonly ended: Promise<never>;
  /** The last of what it wrote to its standard output and error. */
  output(): string;
  /** Ends the process and everything it started. May be called twice. */
  stop(): Promise<void>;
}

export interface ProcessOptions {
  readonly program: string;
  readonly args: readonly string[];
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where it is started; absent: where we are. */
  readonly workingFolder?: string;
  /** Removed when the process has ended. */
  readonly temporaryFolder: string;
}

/**
 * Starts a server that runs in the foreground, and makes sure that it does not outlive us.
 *
 * A tiny shell stands in between: it ends the server when its standard input closes, and that happens however this
 * process dies. Shell and server each lead a session of their own, so that Ctrl-C in a terminal reaches only us and
 * whatever the server leaves behind can be killed as one group.
 */
export function superviseProcess(options: ProcessOptions): SupervisedProcess {
  const { program, args, env, workingFolder = '.', temporaryFolder } = options;
  const variables = Object.entries(env ?? {}).map(([name, value]) => `${name}=${value}`);
  const command = ['env', `--chdir=${workingFolder}`, ...variables, program, ...args];
  const supervisor = spawn('/bin/sh', ['-c', script, 'supervisor', temporaryFolder, ...command], {
    stdio: 'pipe',
    detached: true,
  });
  // A server that nobody stops does not keep this process from ending, and then ends with it.
  supervisor.unref();
  let output = '';
  for (const stream of [supervisor.stdin, supervisor.stdout, supervisor.stderr]) (stream as Socket).unref();
  for (const stream of [supervisor.stdout, supervisor.stderr]) {
    stream.on('data', (data) => {
      output = `${output}${data}`.slice(-outputCharactersMax);
    });
  }
  // Ended before it was told to: what it did not read is of no interest.
  supervisor.stdin.on('error', () => {});

  const ended = new Promise<never>((_, reject) => {
    supervisor.once('error', reject);
    supervisor.once('exit', (code, signal) => reject(new Error(`it ended with ${signal ?? `exit code ${code}`}`)));
  });
  ended.catch(() => {});
  let stopping: Promise<void> | undefined;
  return {
    pid: supervisor.pid ?? 0,
    ended,
    output: () => output,
    stop: () => {
      stopping ??= stopSupervisor(supervisor);
      return stopping;
    },
  };
}

/** `kill -0` asks whether there is such a process; a negative id is that of a group. dash knows no `kill --`. */
const script = `
temporary=$1
shift
exec 3<&0
setsid "$@" 3<&- </dev/null &
server=$!
awaitEnd() {
  tries=$2
  while kill -0 $1 && [ $tries -gt 0 ]; do sleep 0.05; tries=$((tries - 1)); done
}
( while read -r _ <&3; do :; done
  kill -TERM $server
  awaitEnd $server ${stopTimeoutMs / 50}
  kill -KILL $server ) 2>/dev/null &
watcher=$!
wait $server
status=$?
{ kill -TERM $watcher
  kill -TERM -$server
  awaitEnd -$server ${childrenTimeoutMs / 50}
  kill -KILL -$server
} 2>/dev/null
rm -rf "$temporary"
exit $status
`;

async function stopSupervisor(supervisor: ChildProcess): Promise<void> {
  if (supervisor.pid === undefined || supervisor.exitCode !== null || supervisor.signalCode !== null) return;
  supervisor.ref();
  const exited = once(supervisor, 'exit');
  supervisor.stdin?.end();
  await exited;
}
