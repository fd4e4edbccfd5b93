import { appendMessages, type MailAccount } from '../append-messages.ts';
import { type SampleOptions, sampleMailbox } from './sample-mailbox.ts';

/** Puts the sample mailbox into an account, with flags and arrival times. Answers the number of messages. */
export const fillSampleMailbox = (account: MailAccount, options: SampleOptions): Promise<number> =>
  appendMessages(account, sampleMailbox(options));
