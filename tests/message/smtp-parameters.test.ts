import { describe, expect, test } from '@jest/globals';
import { type SmtpParameters, writeParameters } from '../../shared/message/smtp-parameters.ts';

const all = new Set(['DSN', 'MT-PRIORITY', 'DELIVERBY', 'REQUIRETLS']);

describe('parameters', () => {
  test.each<{ command: 'MAIL' | 'RCPT'; parameters: SmtpParameters; text: string }>([
    { command: 'MAIL', parameters: {}, text: '' },
    { command: 'MAIL', parameters: { ret: 'full' }, text: ' RET=FULL' },
    { command: 'MAIL', parameters: { ENVID: 'QQ314159' }, text: ' ENVID=QQ314159' },
    { command: 'MAIL', parameters: { ENVID: 'a+b = c' }, text: ' ENVID=a+2Bb+20+3D+20c' },
    { command: 'MAIL', parameters: { BY: '125;R' }, text: ' BY=125;R' },
    { command: 'MAIL', parameters: { REQUIRETLS: null }, text: ' REQUIRETLS' },
    { command: 'MAIL', parameters: { SIZE: '5', BODY: '8BITMIME', SMTPUTF8: null }, text: '' },
    { command: 'RCPT', parameters: { NOTIFY: 'never' }, text: ' NOTIFY=NEVER' },
    {
      command: 'RCPT',
      parameters: { NOTIFY: 'SUCCESS,DELAY', ORCPT: 'rfc822;a+b@c' },
      text: ' NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+2Bb@c',
    },
    { command: 'RCPT', parameters: { ORCPT: 'utf-8;ü\\@c' }, text: ' ORCPT=utf-8;\\x{FC}\\x{5C}@c' },
  ])('of $command are written as$text', ({ command, parameters, text }) => {
    expect(writeParameters(command, parameters, all)).toEqual({ text });
  });

  test.each<{ command: 'MAIL' | 'RCPT'; parameters: SmtpParameters; objection: string }>([
    { command: 'MAIL', parameters: { NOTIFY: 'NEVER' }, objection: 'no parameter' },
    { command: 'RCPT', parameters: { RET: 'FULL' }, objection: 'no parameter' },
    { command: 'MAIL', parameters: { AUTH: 'eve' }, objection: 'no parameter' },
    { command: 'MAIL', parameters: { 'X Y': null }, objection: 'no parameter' },
    { command: 'MAIL', parameters: { constructor: null }, objection: 'no parameter' },
    { command: 'MAIL', parameters: { RET: 'HALF' }, objection: 'this value' },
    { command: 'MAIL', parameters: { RET: null }, objection: 'this value' },
    { command: 'MAIL', parameters: { REQUIRETLS: 'yes' }, objection: 'this value' },
    { command: 'MAIL', parameters: { ENVID: 'a\r\nRSET' }, objection: 'this value' },
    { command: 'MAIL', parameters: { ENVID: 'x'.repeat(101) }, objection: 'this value' },
    { command: 'MAIL', parameters: { RET: 'FULL\r\n' }, objection: 'this value' },
    { command: 'MAIL', parameters: { RET: 'FULL', ret: 'HDRS' }, objection: 'twice' },
    { command: 'RCPT', parameters: { NOTIFY: 'NEVER,SUCCESS' }, objection: 'this value' },
    { command: 'RCPT', parameters: { ORCPT: 'rfc822;a\0' }, objection: 'this value' },
    { command: 'RCPT', parameters: { ORCPT: 'a b;c' }, objection: 'this value' },
  ])('$parameters of $command are refused: $objection', ({ command, parameters, objection }) => {
    expect(writeParameters(command, parameters, all)).toEqual({ objection: expect.stringContaining(objection) });
  });

  test('are refused where the server does not offer them, and not before it was asked', () => {
    expect(writeParameters('RCPT', { NOTIFY: 'NEVER' }, new Set())).toHaveProperty('objection');
    expect(writeParameters('RCPT', { NOTIFY: 'NEVER' }, null)).toEqual({ text: ' NOTIFY=NEVER' });
  });
});
