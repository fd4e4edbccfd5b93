import { parseArgs } from 'node:util';

export type Options = {
  /** Messages in the inbox. */
  readonly messages: number;
  /** Samples of each request. */
  readonly samples: number;
  /** Whether the last line is the figures as one JSON object. */
  readonly json: boolean;
};

export const usage = 'npm run bench -- [--messages 10000] [--samples 30] [--json]';

/** Reads the flags. Throws a `TypeError` that says what is wrong, as `parseArgs` does. */
export function readOptions(argv: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      messages: { type: 'string', default: '10000' },
      samples: { type: 'string', default: '30' },
      json: { type: 'boolean', default: false },
    },
  });
  return {
    messages: whole('--messages', values.messages, { least: 200 }),
    samples: whole('--samples', values.samples, { least: 1 }),
    json: values.json,
  };
}

function whole(flag: string, text: string, { least }: { least: number }): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new TypeError(`${flag} "${text}": expected a whole number of at least ${least}`);
}
