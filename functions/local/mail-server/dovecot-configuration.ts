import type { CertificateFiles } from './certificate.ts';
import type { MailOwner } from './server-folder.ts';

/** What the configuration of one Dovecot is made of; folders are absolute paths. */
export interface DovecotSettings {
  readonly folder: string;
  /** For sockets and pid files. */
  readonly runFolder: string;
  readonly logFile: string;
  readonly certificate: CertificateFiles;
  readonly imapPort: number;
  readonly imapsPort: number;
  readonly durable: boolean;
  readonly format: MailFormat;
  readonly naming: MailboxNaming;
  readonly acl: boolean;
  readonly quota: DovecotQuota | null;
  readonly sieve: DovecotSieve | null;
  readonly unindexed: boolean;
  readonly submission: DovecotSubmission | null;
  readonly owner: MailOwner;
}

/** Where scripts are managed and mail is delivered through them; and the program that takes what they send. */
export interface DovecotSieve {
  readonly sievePort: number;
  readonly lmtpPort: number;
  readonly sendmail: string;
}

/** Where messages are submitted, and given on to; and the folder of the programs that do it. */
export interface DovecotSubmission {
  readonly submissionPort: number;
  readonly relayPort: number;
  readonly programs: string;
}

/** How mail is kept: many messages to a file, which makes filling four times faster than with one file each; or one file each. */
export type MailFormat = 'mdbox' | 'maildir';

/** How mailboxes are called: what stands between the levels, and what all names but the inbox's begin with. */
export interface MailboxNaming {
  readonly separator: '/' | '.';
  readonly prefix: '' | `INBOX${'/' | '.'}`;
}

/** How much each user may have. */
export interface DovecotQuota {
  readonly storageMegabytes: number;
  readonly messages: number;
}

/** The text of dovecot.conf for Dovecot 2.3, complete in itself: nothing under /etc/dovecot is read. */
export function dovecotConfiguration(settings: DovecotSettings): string {
  const { folder, owner } = settings;
  const asRoot = owner.give !== undefined;
  return `
protocols = imap${settings.sieve ? ' sieve lmtp' : ''}${settings.submission ? ' submission' : ''}
listen = 127.0.0.1
base_dir = ${settings.runFolder}
state_dir = ${settings.runFolder}
log_path = ${settings.logFile}
log_timestamp = "%Y-%m-%d %H:%M:%S "
auth_failure_delay = 0
auth_mechanisms = plain login
disable_plaintext_auth = no
mail_max_userip_connections = 1000
default_process_limit = 1000
default_client_limit = 4000
${asRoot ? '' : rootless(settings)}
ssl = yes
ssl_cert = <${settings.certificate.certificateFile}
ssl_key = <${settings.certificate.keyFile}

first_valid_uid = 1
first_valid_gid = 1
mail_location = ${settings.format}:~/mail
mail_home = ${folder}/mail/%u
mailbox_list_index = yes
mail_fsync = ${settings.durable ? 'optimized' : 'never'}
${plugins(settings)}

passdb {
  driver = dict
  args = ${folder}/passdb.conf
}
userdb {
  driver = static
  args = uid=${owner.user} gid=${owner.group} home=${folder}/mail/%u allow_all_users=yes
}

namespace inbox {
  inbox = yes
  separator = ${settings.naming.separator}
  prefix = ${settings.naming.prefix}
${[...specialUse].map(([name, use]) => mailbox(name, use)).join('\n')}
}
${settings.acl ? sharing(settings) : ''}
${settings.quota ? limiting(settings.quota) : ''}
${settings.sieve ? filtering(settings.sieve) : ''}
${settings.unindexed ? unindexed(settings) : ''}
${settings.submission ? submitting(settings.submission, settings.imapPort) : ''}
service imap-login {
  # One process serves all logins; nothing is started anew for each connection.
  service_count = 0
  inet_listener imap {
    port = ${settings.imapPort}
  }
  inet_listener imaps {
    port = ${settings.imapsPort}
    ssl = yes
  }
}
service imap {
  process_min_avail = 2
  service_count = 100
}
service auth {
  ${asRoot ? 'user = root' : ''}
}
service anvil {
  # No growing delay after wrong passwords from one address.
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service stats {
  unix_listener stats-writer {
    mode = 0666
  }
}
`;
}

/** The text of the file that `passdb` names: one JSON file per user, read at each login. */
export function passwordDictionary(usersFolder: string): string {
  return `
uri = fs:posix:prefix=${usersFolder}/
password_key = %u
iterate_disable = yes
default_pass_scheme = PLAIN
`;
}

const specialUse = new Map([
  ['Drafts', '\\Drafts'],
  ['Sent', '\\Sent'],
  ['Junk', '\\Junk'],
  ['Trash', '\\Trash'],
  ['Archive', '\\Archive'],
]);

const mailbox = (name: string, use: string): string => `  mailbox ${name} {
    auto = subscribe
    special_use = ${use}
  }`;

/** Started without root, nothing can change its user or root folder. */
const rootless = ({ owner: { user, group }, sieve, submission }: DovecotSettings): string => `
default_internal_user = ${user}
default_internal_group = ${group}
default_login_user = ${user}
${['anvil', 'imap-login', 'ipc', 'old-stats', 'stats']
  .concat(sieve ? ['managesieve-login'] : [])
  .concat(submission ? ['submission-login', 'imap-urlauth-login'] : [])
  .map((name) => `service ${name} {\n  chroot =\n}`)
  .join('\n')}
`;

const plugins = ({ acl, quota }: DovecotSettings): string => {
  const names = [...(acl ? ['acl'] : []), ...(quota ? ['quota'] : [])];
  const ofImap = names.map((name) => `imap_${name}`);
  return `mail_plugins = ${names.join(' ')}\nprotocol imap {\n  mail_plugins = ${[...names, ...ofImap].join(' ')}\n}`;
};

const limiting = ({ storageMegabytes, messages }: DovecotQuota): string => `
plugin {
  quota = count:User quota
  quota_vsizes = yes
  quota_rule = *:storage=${storageMegabytes}M:messages=${messages}
}
`;

/** Pigeonhole, with the limits that a provider would set. */
const filtering = ({ sievePort, lmtpPort, sendmail }: DovecotSieve): string => `
hostname = mail.example.org
postmaster_address = postmaster@example.org
sendmail_path = ${sendmail}
lmtp_save_to_detail_mailbox = no
plugin {
  sieve = file:~/sieve;active=~/.dovecot.sieve
  sieve_max_script_size = 64K
  sieve_quota_max_scripts = 16
  sieve_quota_max_storage = 256K
}
protocol lmtp {
  mail_plugins = $mail_plugins sieve
}
protocol lda {
  mail_plugins = $mail_plugins sieve
}
service managesieve-login {
  service_count = 0
  inet_listener sieve {
    port = ${sievePort}
  }
}
service lmtp {
  inet_listener lmtp {
    port = ${lmtpPort}
  }
}
`;

/** Where no index is kept there are no lasting mod-sequences: NOMODSEQ (RFC 7162 §3.1.2.2). */
const unindexed = ({ naming: { separator, prefix } }: DovecotSettings): string => `
namespace unindexed {
  separator = ${separator}
  prefix = ${prefix}Unindexed${separator}
  location = maildir:~/unindexed:INDEX=MEMORY
}
`;

/** The keys under which URLs are authorized lie in the dictionary of attributes. */
const submitting = ({ submissionPort, relayPort, programs }: DovecotSubmission, imapPort: number): string => `
imap_urlauth_host = 127.0.0.1
imap_urlauth_port = ${imapPort}
mail_attribute_dict = file:%h/attributes
submission_relay_host = 127.0.0.1
submission_relay_port = ${relayPort}
service submission {
  executable = ${programs}/submission
}
service submission-login {
  executable = ${programs}/submission-login
  service_count = 0
  process_limit = 100
  inet_listener submission {
    port = ${submissionPort}
  }
}
service imap-urlauth-login {
  process_limit = 100
}
`;

const sharing = ({ folder, format, naming: { separator } }: DovecotSettings): string => `
namespace shared {
  type = shared
  separator = ${separator}
  prefix = Shared${separator}%%u${separator}
  location = ${format}:${folder}/mail/%%u/mail
  list = children
  subscriptions = no
}
plugin {
  acl = vfile
  acl_shared_dict = file:${folder}/mail/shared-mailboxes
}
`;
