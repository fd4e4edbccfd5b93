import type { Letter, Person } from './letter.ts';
import { contentType, type Entity, filePart, multipart, rawPart, textPart } from './mime.ts';
import { people } from './people.ts';
import type { World } from './world.ts';

/**
 * Signed and encrypted mail: OpenPGP (RFC 3156) and S/MIME (RFC 8551). The structures are right; signatures and
 * ciphertexts are random octets, because nobody here has a key.
 */
export function protectedLetters(world: World): Letter[] {
  const { random } = world;
  const base64 = (length: number) =>
    random
      .bytes(length)
      .toString('base64')
      .replace(/.{1,64}/g, '$&\n');
  const armored = (what: string) =>
    `-----BEGIN PGP ${what}-----\n\n${base64(380)}=${random.bytes(3).toString('base64')}\n-----END PGP ${what}-----\n`;
  /** A DER sequence with a length of two octets, as every CMS message is. */
  const cms = (length: number) =>
    Buffer.concat([Buffer.from([0x30, 0x82, length >> 8, length & 255]), random.bytes(length)]);
  const write = (from: Person, daysAgo: number, subject: string, content: Entity): Letter => ({
    mailbox: ['INBOX'],
    flags: ['\\Seen'],
    date: world.daysAgo(daysAgo),
    from,
    to: [world.owner],
    subject,
    messageId: world.messageId(from),
    content,
  });
  const signature: Entity = rawPart('application/pgp-signature; name="signature.asc"', armored('SIGNATURE'));
  const version: Entity = rawPart('application/pgp-encrypted', 'Version: 1\n');
  const ciphertext = rawPart('application/octet-stream; name="encrypted.asc"', armored('MESSAGE'), [
    ['Content-Disposition', 'inline; filename="encrypted.asc"'],
  ]);
  return [
    write(
      people.halvard,
      48,
      'My new key',
      multipart(
        'signed',
        [
          textPart('I have a new key, this message is signed with it. The old one ends in June.\n\nHalvard\n'),
          signature,
        ],
        {
          micalg: 'pgp-sha256',
          protocol: 'application/pgp-signature',
        },
      ),
    ),
    write(
      people.halvard,
      44,
      'The code for the hut',
      multipart('encrypted', [version, ciphertext], { protocol: 'application/pgp-encrypted' }),
    ),
    write(
      people.ngozi,
      27,
      'Signed statement of account',
      multipart(
        'signed',
        [
          multipart('mixed', [
            textPart('The statement of account is attached. This message is signed.\n'),
            filePart({
              type: 'text/csv',
              name: 'statement.csv',
              bytes: Buffer.from('date,amount\r\n2,118.00\r\n9,-42.50\r\n'),
            }),
          ]),
          filePart({ type: 'application/pkcs7-signature', name: 'smime.p7s', bytes: cms(1_480) }),
        ],
        { protocol: 'application/pkcs7-signature', micalg: 'sha-256' },
      ),
    ),
    write(people.ngozi, 12, 'Salary', {
      ...filePart({
        type: contentType('application/pkcs7-mime', { 'smime-type': 'enveloped-data' }),
        name: 'smime.p7m',
        bytes: cms(2_210),
      }),
    }),
  ];
}
