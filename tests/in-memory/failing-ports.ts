import type { MailSource } from '../../shared/catalog/source.ts';
import { Unavailable } from '../../shared/jmap/errors.ts';
import type { MailPorts } from './server.ts';

/** A switch before everything that a mail server is asked: counts the calls, and lets one of them fail. */
export type FailingPorts = {
  readonly wrap: (ports: MailPorts) => MailPorts;
  /** Calls so far; each batch of a reading is one. */
  readonly calls: () => number;
  /** The n-th call from now on (1 = the next) throws `Unavailable`. */
  readonly failCall: (n: number) => void;
};

export function failingPorts(): FailingPorts {
  let calls = 0;
  let failing = Number.POSITIVE_INFINITY;
  const pass = () => {
    calls += 1;
    if (calls === failing) throw new Unavailable('the mail server does not answer');
  };
  const guarded =
    <A extends unknown[], T>(method: (...args: A) => Promise<T>) =>
    async (...args: A): Promise<T> => {
      pass();
      return method(...args);
    };
  const read: (source: MailSource) => MailSource['read'] = (source) =>
    guarded(async (...args) => {
      const reading = await source.read(...args);
      return { ...reading, appeared: inBatches(reading.appeared, pass) };
    });
  return {
    calls: () => calls,
    failCall: (n) => {
      failing = calls + n;
    },
    wrap: ({ source, messages, search, writing, appending, mailboxes }) => ({
      source: {
        scheme: guarded(source.scheme),
        survey: guarded(source.survey),
        mailboxIds: guarded(source.mailboxIds),
        readTogether: guarded(source.readTogether),
        read: read(source),
        presentUids: guarded(source.presentUids),
        rights: guarded(source.rights),
      },
      messages: {
        read: guarded(messages.read),
        readSections: guarded(messages.readSections),
        open: guarded(messages.open),
      },
      search: { search: guarded(search.search), sort: guarded(search.sort) },
      writing: {
        canMove: guarded(writing.canMove),
        getOutOfStep: writing.getOutOfStep,
        flag: guarded(writing.flag),
        transfer: guarded(writing.transfer),
        remove: guarded(writing.remove),
      },
      appending: {
        canTakeStored: guarded(appending.canTakeStored),
        append: guarded(appending.append),
        findLike: guarded(appending.findLike),
      },
      mailboxes: {
        naming: guarded(mailboxes.naming),
        create: guarded(mailboxes.create),
        rename: guarded(mailboxes.rename),
        remove: guarded(mailboxes.remove),
        subscribe: guarded(mailboxes.subscribe),
      },
    }),
  };
}

async function* inBatches<T>(batches: AsyncIterable<T>, pass: () => void): AsyncGenerator<T> {
  for await (const batch of batches) {
    pass();
    yield batch;
  }
}
