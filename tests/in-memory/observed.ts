import type { FakeMailServer } from '../catalog/fake-mail-server.ts';
import type { ObservedMailbox } from '../end-to-end/imap-actor.ts';

/** The mail server in memory as another IMAP client sees it. */
export function observed(mail: FakeMailServer): ObservedMailbox[] {
  return mail.names().map((name) => ({
    ...{ name, subscribed: true, selectable: true, uidValidity: mail.uidValidity(name) },
    rows: mail.messages(name).map(({ uid, flags, internalDate, content }) => ({
      ...{ uid, flags: [...flags], internalDate, size: content.size, conversation: '' },
      token: /^X-Token: (.*)\r$/m.exec(content.body)?.[1] ?? '',
    })),
  }));
}
