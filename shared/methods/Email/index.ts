import { dataType } from '../../jmap/data-type.ts';
import { standardChanges } from '../../jmap/standard/changes.ts';
import { standardCopy } from '../../jmap/standard/copy.ts';
import { standardGet } from '../../jmap/standard/get.ts';
import { standardQuery } from '../../jmap/standard/query.ts';
import { standardQueryChanges } from '../../jmap/standard/query-changes.ts';
import { standardSet } from '../../jmap/standard/set.ts';
import { mailCapability } from '../capabilities.ts';
import { canChange } from '../change.ts';
import { canCopyEmails } from './copy.ts';
import { canGetEmails, defaultProperties, getArguments } from './get.ts';
import { importEmails } from './import.ts';
import { emailParse } from './parse.ts';
import { canQueryEmails, emailQuery } from './query.ts';
import { canQueryChangesOfEmails } from './queryChanges.ts';
import { emailType } from './record.ts';
import { canSetEmails } from './set.ts';

/** Emails (RFC 8621 §4). */
export const email = dataType('Email', mailCapability, {
  get: standardGet(emailType, { args: getArguments, defaultProperties, port: canGetEmails }),
  changes: standardChanges(emailType, { port: canChange('Email') }),
  query: standardQuery(emailType, { ...emailQuery, port: canQueryEmails }),
  queryChanges: standardQueryChanges(emailType, { ...emailQuery, port: canQueryChangesOfEmails }),
  set: standardSet(emailType, { port: canSetEmails }),
  copy: standardCopy(emailType, { port: canCopyEmails }),
  import: importEmails,
  parse: emailParse,
});
