import type { FakeMailServer } from '../catalog/fake-mail-server.ts';
import { letter } from '../end-to-end/letter.ts';
import { contentOfMessage } from './mail.ts';

/** What other clients do between one request and the next. */
export type Hour = (mail: FakeMailServer) => void;

const firstArrival = Date.parse('2025-01-06T10:00:00Z') / 1000;
let tokens = 0;

function deliver(mail: FakeMailServer, mailbox: string, token: string, answers: readonly string[] = []): void {
  tokens += 1;
  const content = contentOfMessage(letter({ token, answers, lines: token.length }));
  mail.append(mailbox, content, { internalDate: firstArrival + tokens, flags: token.length % 2 ? [] : ['\\Seen'] });
}

function uidOf(mail: FakeMailServer, mailbox: string, token: string): number {
  const found = mail.messages(mailbox).find(({ content }) => content.body.includes(`X-Token: ${token}\r\n`));
  if (found === undefined) throw new Error(`There is no ${token} in ${mailbox}`);
  return found.uid;
}

/** A day in the life of an account: something of everything that other clients do to one. */
export const day: readonly Hour[] = [
  (mail) => {
    mail.create('INBOX');
    mail.create('Work');
    mail.create('Trash', { attributes: ['\\Trash'] });
    for (const token of ['one', 'two2', 'three']) deliver(mail, 'INBOX', token);
    deliver(mail, 'Work', 'four4', ['one']);
  },
  (mail) => {
    deliver(mail, 'INBOX', 'five5', ['one', 'four4']);
    mail.setFlags('INBOX', uidOf(mail, 'INBOX', 'one'), ['\\Seen', '\\Flagged', 'later']);
    mail.move('INBOX', uidOf(mail, 'INBOX', 'two2'), 'Work');
  },
  (mail) => {
    mail.create('Play');
    mail.copy('INBOX', uidOf(mail, 'INBOX', 'one'), 'Play');
    mail.expunge('INBOX', uidOf(mail, 'INBOX', 'three'));
    mail.setFlags('INBOX', uidOf(mail, 'INBOX', 'five5'), ['\\Deleted']);
  },
  (mail) => {
    mail.resetUidValidity('Work');
    mail.rename('Play', 'Games');
    deliver(mail, 'Games', 'sixth');
    mail.setFlags('INBOX', uidOf(mail, 'INBOX', 'five5'), []);
  },
  (mail) => {
    mail.move('Work', uidOf(mail, 'Work', 'four4'), 'Trash');
    mail.remove('Games');
    deliver(mail, 'INBOX', 'seventh', ['two2']);
  },
  // Nothing left its place: nobody finds out by looking for it there.
  (mail) => {
    deliver(mail, 'INBOX', 'eighth', ['seventh']);
  },
];
