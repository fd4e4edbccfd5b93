/** What every mail server of the tests can do; Dovecot can more. */
export interface MailServer {
  readonly name: 'dovecot' | 'cyrus' | 'courier';
  readonly host: '127.0.0.1';
  readonly imapPort: number;
  /** Adds a user or replaces the password of one; the next login sees it. */
  addUser(user: { readonly user: string; readonly password: string }): Promise<void>;
  /** The next login of this user fails. */
  removeUser(user: string): Promise<void>;
  /** Ends every process that was started. */
  stop(): Promise<void>;
}
