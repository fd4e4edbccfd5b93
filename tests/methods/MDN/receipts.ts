/** A message whose sender wants a receipt. */
export function asking(fields: Readonly<Record<string, string | null>> = {}): string {
  const all: Record<string, string | null> = {
    From: 'Bob <bob@example.net>',
    To: 'anna@example.com',
    Subject: 'World domination',
    Date: 'Thu, 01 Jan 2026 00:00:00 +0000',
    'Message-ID': '<1@example.net>',
    'Disposition-Notification-To': 'Bob <bob@example.net>',
    ...fields,
  };
  const lines = Object.entries(all).flatMap(([name, value]) => (value === null ? [] : [`${name}: ${value}`]));
  return [...lines, '', 'Hello', ''].join('\n');
}

/** A receipt, as mail programs send them. */
export function receipt({
  notification = 'Final-Recipient: rfc822; bob@example.net\nOriginal-Message-ID: <1@example.com>\nDisposition: manual-action/MDN-sent-manually; displayed',
  type = 'multipart/report; report-type=disposition-notification',
  more = '',
  encoding = '7bit',
}: {
  readonly notification?: string;
  readonly type?: string;
  readonly more?: string;
  readonly encoding?: string;
} = {}): string {
  const body = encoding === 'base64' ? Buffer.from(notification).toString('base64') : notification;
  return `From: bob@example.net
To: anna@example.com
Subject: =?utf-8?q?Gelesen=3A_Gr=C3=B6=C3=9Fe?=
Content-Type: ${type}; boundary=b

--b
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: base64

${Buffer.from('Größe wurde gelesen.\r\n').toString('base64')}
--b
Content-Type: message/disposition-notification
Content-Transfer-Encoding: ${encoding}

${body}
--b
${more}--b--
`.replace('--b\n--b--', '--b--');
}
