import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** A process that answers one message at a time. */
export type BundledProcess<Request, Answer> = {
  /** Throws when the process ends instead. */
  readonly ask: (request: Request) => Promise<Answer>;
  readonly stop: () => Promise<void>;
};

/**
 * Starts a program of this folder as what is deployed is: as a single file of JavaScript, so that nothing of what reads TypeScript is in
 * it. It gets the argument as JSON, says something when it is ready, and ends when it is disconnected.
 */
export async function startBundled<Request extends object, Answer>(
  name: string,
  argument: object,
  nodeOptions: readonly string[] = [],
): Promise<BundledProcess<Request, Answer>> {
  const child = fork(await bundleOf(name), [JSON.stringify(argument)], {
    execArgv: [...nodeOptions],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const ended = once(child, 'exit');
  await answerOf(child, ended, name);
  return {
    ask: async (request) => {
      child.send(request);
      return (await answerOf(child, ended, name)) as Answer;
    },
    stop: async () => {
      child.disconnect();
      await ended;
    },
  };
}

async function answerOf(child: ChildProcess, ended: Promise<unknown>, name: string): Promise<unknown> {
  const failed = ended.then(() => Promise.reject(new Error(`The process ${name} has failed`)));
  const [message] = await Promise.race([once(child, 'message'), failed]);
  return message;
}

const bundles = new Map<string, Promise<string>>();

function bundleOf(name: string): Promise<string> {
  const bundle = bundles.get(name) ?? bundled(name);
  bundles.set(name, bundle);
  return bundle;
}

async function bundled(name: string): Promise<string> {
  const folder = path.dirname(fileURLToPath(import.meta.url));
  const outfile = path.join(folder, `../../.cache/bench/${path.parse(name).name}.mjs`);
  const require = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";
  await build({
    ...{ entryPoints: [path.join(folder, name)], outfile, banner: { js: require } },
    ...{ bundle: true, minify: true, platform: 'node', format: 'esm', target: 'node20' },
  });
  return outfile;
}
