import { decide } from '../../shared/catalog/query/truth.ts';
import type { CanReadMessages, CanSearchMessages } from '../../shared/methods/Email/mail.ts';
import { contentOf, type FakeContent, type FakeMailServer } from '../catalog/fake-mail-server.ts';
import { inMemoryMail } from '../methods/in-memory-mail.ts';

/** What a message of these octets (latin1) is to a mail server: the fields that identity needs, and its size. */
export function contentOfMessage(raw: string): FakeContent {
  const body = raw.replace(/\r?\n/g, '\r\n');
  const header = (/^(?:.+\r\n)*/.exec(body)?.[0] ?? '').replace(/\r\n[ \t]/g, ' ');
  const field = (name: string) => new RegExp(`^${name}:[ \\t]*(.*)$`, 'im').exec(header)?.[1]?.trim() ?? '';
  return contentOf({
    ...{ body, size: body.length },
    ...{ messageId: field('Message-ID'), references: field('References'), inReplyTo: field('In-Reply-To') },
    ...{ date: field('Date'), from: field('From'), received: field('Received') },
  });
}

/** Reading the messages of the mail server, whose bodies are whole messages. */
export function messagesOf(server: FakeMailServer): CanReadMessages {
  return inMemoryMail(
    ({ mailbox, uidValidity, uid }) =>
      bodies(server, mailbox, uidValidity)?.find((message) => message.uid === uid)?.content.body ?? null,
  );
}

/** Searching in them: any occurrence in the octets, whatever the condition is about. Nothing is sorted. */
export function searchOf(server: FakeMailServer): CanSearchMessages {
  return {
    search: async ({ name, uidValidity, uidNext, messages }, questions) => {
      const present = bodies(server, name, uidValidity)?.filter(({ uid }) => uid < uidNext);
      if (present === undefined || (messages !== null && messages !== present.length)) return null;
      return questions.map((question) => {
        const isFound = (body: string) => decide(question, ({ value }) => body.includes((value ?? '').toLowerCase()));
        return present.filter(({ content }) => isFound(content.body.toLowerCase())).map(({ uid }) => uid);
      });
    },
    sort: async () => null,
  };
}

function bodies(server: FakeMailServer, name: string, uidValidity: number) {
  const exists = server.names().includes(name) && server.uidValidity(name) === uidValidity;
  return exists ? server.messages(name) : undefined;
}
