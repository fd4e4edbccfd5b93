/** A small message for moving about. */
export type Letter = {
  /** Unlike that of every other content. */
  readonly token: string;
  /** The tokens of the messages it answers, the oldest first. */
  readonly answers?: readonly string[];
  /** Only this, without References (a guess for whoever makes threads). */
  readonly inReplyTo?: string;
  /** Whose Message-ID it claims to have; its own by default. */
  readonly claims?: string;
  readonly subject?: string;
  /** Lines of text. */
  readonly lines?: number;
};

/** The octets of a letter. The newest Received field names a queue id, as a delivering server's does. */
export function letter({ token, answers = [], inReplyTo, claims = token, subject, lines = 1 }: Letter): string {
  const fields: [string, string][] = [
    ['Received', `from client.example by mx.example.org with ESMTP id ${token}; Mon, 6 Jan 2025 10:00:00 +0000`],
    ['Date', 'Mon, 6 Jan 2025 10:00:00 +0000'],
    ['From', 'Anna Birch <anna@example.com>'],
    ['To', 'Robin Calder <robin@example.org>'],
    ['Subject', subject ?? `Letter ${token}`],
    ['Message-ID', messageId(claims)],
    ...(answers.length > 0 ? [['References', answers.map(messageId).join(' ')] as [string, string]] : []),
    ...(inReplyTo === undefined ? [] : [['In-Reply-To', messageId(inReplyTo)] as [string, string]]),
    ['X-Token', token],
    ['X-Conversation', answers[0] ?? inReplyTo ?? claims],
  ];
  const header = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return `${header}\r\n${`What ${token} has to say.\r\n`.repeat(lines)}`;
}

const messageId = (token: string): string => `<${token}@example.com>`;
