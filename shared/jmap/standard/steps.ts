import { AuthenticationFailed, OutcomeUnknown, type Result, refuse, type SetError, Unavailable } from '../errors.ts';
import type { State } from '../scalars.ts';
import type { Step } from '../verbs.ts';

/** The steps of one /set or /copy, in a row: create, update, destroy. */
export type Steps = {
  /**
   * Runs a step for these records, if there are any, and gives the outcome of each. A failure before anything has
   * changed is the failure of the call. After that the call has to answer for what it did: the step that fails then
   * refuses its own records, and the others keep their answers. Where a step cannot tell what it did, there is a doubt: what
   * it knows nothing of has no outcome, and no further step is made.
   */
  readonly run: <K extends string, T>(
    records: readonly K[],
    step: () => Promise<Step<K, T>>,
  ) => Promise<ReadonlyMap<K, Result<T, SetError>>>;
  /** The state before this call's own changes: what others changed after the call began, and before its first step, came before it. */
  readonly oldState: () => State;
  /**
   * The state after this call's own changes. Where a foreign change came between two steps, it is the state before
   * that change: a client that takes it over will ask for more than it needs, and miss nothing.
   */
  readonly newState: () => State;
  /** Why it cannot be told what became of some records, though others were changed; null: all is known. */
  readonly doubt: () => OutcomeUnknown | null;
};

export function stepsFrom(start: State, report: (error: unknown) => string): Steps {
  let oldState = start;
  let newState = start;
  let unbroken = true;
  let changed = false;
  let doubt: OutcomeUnknown | null = null;

  function explain(error: unknown): SetError {
    if (error instanceof Unavailable || error instanceof AuthenticationFailed) return { type: 'serverUnavailable' };
    return { type: 'serverFail', description: `report ${report(error)}` };
  }

  function unanswered(record: string): SetError {
    return explain(new Error(`Could not tell what became of ${record}: the port did not say`));
  }

  return {
    oldState: () => oldState,
    newState: () => newState,
    doubt: () => doubt,
    run: async (records, step) => {
      if (records.length === 0 || doubt !== null) return new Map();
      try {
        const done = await step();
        if (!changed && unbroken) {
          oldState = done.oldState;
          newState = done.oldState;
        }
        unbroken &&= done.oldState === newState;
        if (unbroken) newState = done.newState;
        changed ||= [...done.results.values()].some((result) => result.ok);
        if (done.doubt !== undefined) {
          if (!changed) throw done.doubt;
          doubt = done.doubt;
          return done.results;
        }
        return new Map(records.map((record) => [record, done.results.get(record) ?? refuse(unanswered(record))]));
      } catch (error) {
        if (!changed) throw error;
        if (error instanceof OutcomeUnknown) {
          doubt = error;
          return new Map();
        }
        const refusal = refuse(explain(error));
        return new Map(records.map((record) => [record, refusal]));
      }
    },
  };
}
